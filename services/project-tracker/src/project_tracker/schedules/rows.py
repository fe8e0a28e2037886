"""Turns the positions of both passes into dated rows, column by column."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from chassis.working_time import WorkingCalendar
from project_tracker.schedules.backward import Backward
from project_tracker.schedules.forward import Reason
from project_tracker.schedules.network import Network
from project_tracker.schedules.plan import ConstraintType
from project_tracker.schedules.schedule import Driver, DriverKind, TaskSchedule
from project_tracker.schedules.timeline import Timeline

_MINUTE = 60


def rows_of(backward: Backward) -> list[TaskSchedule]:
    """Give the row of every task, in the order of the plan."""
    network, forward = backward.network, backward.forward
    early_start, late_start = _dated(_starts(backward.early), _starts(backward.late))
    early_finish, late_finish = _dated(_finishes(backward.early), _finishes(backward.late))
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
    columns = (
        [task.id for task in network.tasks],
        [task.wbs for task in network.tasks],
        early_start,
        early_finish,
        late_start,
        late_finish,
        start,
        finish,
        [total // _MINUTE for total in backward.total],
        [free // _MINUTE for free in backward.free],
        _criticals(backward),
        _drivers(network, reasons),
    )
    return list(map(TaskSchedule._make, zip(*columns, strict=True)))


def _starts(timeline: Timeline) -> list[int]:
    network = timeline.network
    seconds = _located(network, timeline, timeline.positions[: network.size], WorkingCalendar.opening_seconds)
    for node, (second, _) in timeline.fixed.items():
        seconds[node] = second
    return seconds


def _finishes(timeline: Timeline) -> list[int]:
    network = timeline.network
    seconds = _located(network, timeline, timeline.positions[network.size :], WorkingCalendar.closing_seconds)
    for node, (_, second) in timeline.fixed.items():
        seconds[node] = second
    return seconds


def _dated(early: list[int], late: list[int]) -> tuple[list[datetime], list[datetime]]:
    """Make a date of each second once, for plans lie on a grid of days."""
    dates = {second: datetime.fromtimestamp(second, UTC) for second in {*early, *late}}
    return [dates[second] for second in early], [dates[second] for second in late]


def _located(
    network: Network,
    timeline: Timeline,
    positions: list[int],
    find: Callable[[WorkingCalendar, Sequence[int]], list[int]],
) -> list[int]:
    """Find the seconds of all positions that have no fixed instant, calendar by calendar."""
    if len(network.calendars) == 1 and not timeline.fixed:
        return find(network.calendars[0], positions)
    seconds = [0] * network.size
    for number, calendar in enumerate(network.calendars):
        nodes = [node for node, axis in enumerate(network.axis) if axis == number and node not in timeline.fixed]
        for node, second in zip(nodes, find(calendar, [positions[node] for node in nodes]), strict=True):
            seconds[node] = second
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


def _drivers(network: Network, reasons: list[Reason]) -> list[Driver]:
    kind, tasks = DriverKind.LINK, network.tasks
    others: dict[Reason, Driver] = {}
    drivers: list[Driver] = []
    for reason in reasons:
        if isinstance(reason, int):
            before = tasks[network.before[reason]]
            driver = Driver(kind, before.id, before.wbs, network.links[network.link[reason]].type)
        else:
            driver = others.get(reason) or others.setdefault(reason, _other(reason))
        drivers.append(driver)
    return drivers


def _other(reason: ConstraintType | DriverKind) -> Driver:
    if isinstance(reason, ConstraintType):
        return Driver(DriverKind.CONSTRAINT, type=reason)
    return Driver(reason)
