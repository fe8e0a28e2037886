"""Turns the positions of both passes into dated rows, column by column."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import repeat

from chassis.working_time import WorkingCalendar
from project_tracker.schedules.backward import Backward
from project_tracker.schedules.forward import Reason
from project_tracker.schedules.network import Network
from project_tracker.schedules.plan import ConstraintType, TaskKey
from project_tracker.schedules.schedule import Driver, DriverKind, TaskSchedule
from project_tracker.schedules.timeline import Timeline

_MINUTE = 60
Find = Callable[[WorkingCalendar, Sequence[int]], list[int]]


def rows_of(backward: Backward) -> list[TaskSchedule]:
    """Give the row of every task, in the order of the plan."""
    network, forward = backward.network, backward.forward
    early_start, late_start, early_finish, late_finish = _dated(backward)
    start, finish, reasons = early_start.copy(), early_finish.copy(), forward.reasons.copy()
    late = [
        node
        for node, task in enumerate(network.tasks)
        if task.constraint is not None and task.constraint.type is ConstraintType.ALAP
    ]
    for node in late:
        if network.is_leaf(node) and node not in forward.begun:
            start[node], finish[node], reasons[node] = late_start[node], late_finish[node], ConstraintType.ALAP
    if late:
        _roll_up(network, start, finish)
    ids, codes = [task.id for task in network.tasks], [task.wbs for task in network.tasks]
    columns = (
        ids,
        codes,
        early_start,
        early_finish,
        late_start,
        late_finish,
        start,
        finish,
        [total // _MINUTE for total in backward.total],
        [free // _MINUTE for free in backward.free],
        _criticals(backward),
        _drivers(network, reasons, ids, codes),
    )
    return list(map(partial(tuple.__new__, TaskSchedule), zip(*columns, strict=True)))


def _dated(backward: Backward) -> tuple[list[datetime], ...]:
    """Give the early starts, late starts, early finishes and late finishes of all tasks."""
    network, early, late = backward.network, backward.early, backward.late
    size = network.size
    starts, finishes = [[timeline.positions[first : first + size] for timeline in (early, late)] for first in (0, size)]
    if len(network.calendars) == 1 and not early.fixed and not late.fixed:
        return _found_once(network.calendars[0], starts, finishes)
    seconds = [
        _located(network, timeline, own, end, find)
        for end, positions, find in (
            (0, starts, WorkingCalendar.opening_seconds),
            (1, finishes, WorkingCalendar.closing_seconds),
        )
        for timeline, own in zip((early, late), positions, strict=True)
    ]
    dates = {second: datetime.fromtimestamp(second, UTC) for column in seconds for second in column}
    return tuple([dates[second] for second in column] for column in seconds)


def _found_once(
    calendar: WorkingCalendar, starts: list[list[int]], finishes: list[list[int]]
) -> tuple[list[datetime], ...]:
    """Find the date of each position once, for plans lie on a grid; only where work pauses has it two."""
    places = list(set().union(*starts, *finishes))
    opening = _at(places, calendar.opening_seconds(places))
    edges = calendar.edges(places)
    closing = opening | _at(edges, calendar.closing_seconds(edges))
    return (
        *(list(map(opening.__getitem__, column)) for column in starts),
        *(list(map(closing.__getitem__, column)) for column in finishes),
    )


def _at(places: Sequence[int], seconds: Sequence[int]) -> dict[int, datetime]:
    return dict(zip(places, map(datetime.fromtimestamp, seconds, repeat(UTC)), strict=True))


def _located(network: Network, timeline: Timeline, positions: list[int], end: int, find: Find) -> list[int]:
    """Find the seconds of all positions, calendar by calendar; what has a fixed instant has that."""
    seconds = [0] * network.size
    for number, calendar in enumerate(network.calendars):
        nodes = [node for node, axis in enumerate(network.axis) if axis == number and node not in timeline.fixed]
        for node, second in zip(nodes, find(calendar, [positions[node] for node in nodes]), strict=True):
            seconds[node] = second
    for node, instants in timeline.fixed.items():
        seconds[node] = instants[end]
    return seconds


def _roll_up(network: Network, start: list[datetime], finish: list[datetime]) -> None:
    for node in network.order:
        children = network.breakdown.children[node]
        if children:
            start[node] = min(start[child] for child in children)
            finish[node] = max(finish[child] for child in children)


def _criticals(backward: Backward) -> list[bool]:
    begun, criticals = backward.forward.begun, [total <= 0 for total in backward.total]
    if begun:
        done = {node for node, progress in begun.items() if progress.is_done}
        for node in (*done, *backward.network.breakdown.summaries):
            if done.issuperset(backward.network.breakdown.leaves(node)):
                criticals[node] = False
    return criticals


def _drivers(network: Network, reasons: list[Reason], ids: Sequence[TaskKey], codes: Sequence[str]) -> list[Driver]:
    kind, before, types = DriverKind.LINK, network.before, network.types
    made = partial(tuple.__new__, Driver)
    others = {reason: _other(reason) for reason in set(reasons) if not isinstance(reason, int)}
    return [
        made((kind, ids[before[reason]], codes[before[reason]], types[reason]))
        if isinstance(reason, int)
        else others[reason]
        for reason in reasons
    ]


def _other(reason: ConstraintType | DriverKind) -> Driver:
    if isinstance(reason, ConstraintType):
        return Driver(DriverKind.CONSTRAINT, type=reason)
    return Driver(reason)
