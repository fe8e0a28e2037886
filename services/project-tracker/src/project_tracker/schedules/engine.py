"""The one entrance: a plan and perhaps a status time in, its schedule out."""

from datetime import datetime

from chassis.working_time import to_instant, to_second
from project_tracker.schedules.backward import Backward
from project_tracker.schedules.findings import Findings
from project_tracker.schedules.forward import Forward, Reason
from project_tracker.schedules.network import Edge, Network
from project_tracker.schedules.plan import ConstraintType, Plan, PlanFault, PlanRefusedError
from project_tracker.schedules.schedule import Driver, DriverKind, Schedule, TaskSchedule
from project_tracker.schedules.timeline import Timeline

_MINUTE = 60
_ALAP = ConstraintType.ALAP


def compute_schedule(plan: Plan, status_at: datetime | None = None) -> Schedule:
    """Compute the schedule of a plan; with a status time, remaining work starts no earlier than it.

    Raises PlanRefusedError with every fault where links, tree or calendars allow no schedule.
    """
    try:
        return _computed(plan, None if status_at is None else to_second(status_at))
    except PlanRefusedError:
        raise
    except ValueError as error:
        raise PlanRefusedError([PlanFault("time_out_of_range", str(error))]) from error


def _computed(plan: Plan, status: int | None) -> Schedule:
    network = Network(plan)
    start = to_instant(to_second(plan.start_at))
    if not network.tasks:
        return Schedule(start, start, (), ())
    forward = Forward(network, status)
    forward.run()
    backward = Backward(forward)
    backward.run()
    rows = _Rows(backward).rows()
    warnings = tuple(Findings(backward, rows).all())
    return Schedule(start, to_instant(backward.last), tuple(rows), warnings)


class _Rows:
    """Turns positions into dates, each position of a calendar once."""

    def __init__(self, backward: Backward) -> None:
        self.backward = backward
        self.network = backward.network
        self.openings: list[dict[int, datetime]] = [{} for _ in self.network.calendars]
        self.closings: list[dict[int, datetime]] = [{} for _ in self.network.calendars]
        self.found: list[TaskSchedule | None] = [None] * len(self.network.tasks)

    def rows(self) -> list[TaskSchedule]:
        for node in self.network.order:
            self.found[node] = self._row(node)
        return [row for row in self.found if row is not None]

    def _row(self, node: int) -> TaskSchedule:
        backward = self.backward
        task, total, reason = self.network.tasks[node], backward.total[node], backward.forward.reasons[node]
        early_start, early_finish = start, finish = self._dates(backward.early, node)
        late_start, late_finish = self._dates(backward.late, node)
        if reason is DriverKind.CHILDREN:
            below = [row for child in self.network.breakdown.children[node] if (row := self.found[child])]
            start, finish = min(row.start for row in below), max(row.finish for row in below)
        elif task.constraint is not None and task.constraint.type is _ALAP and node not in backward.forward.begun:
            start, finish, reason = late_start, late_finish, _ALAP
        return TaskSchedule(
            task.id,
            task.wbs,
            early_start,
            early_finish,
            late_start,
            late_finish,
            start,
            finish,
            total // _MINUTE,
            backward.free[node] // _MINUTE,
            total <= 0 and not self._is_done(node),
            self._driver(reason),
        )

    def _dates(self, timeline: Timeline, node: int) -> tuple[datetime, datetime]:
        fixed = timeline.fixed.get(node)
        if fixed is not None:
            return to_instant(fixed[0]), to_instant(fixed[1])
        axis, start, finish = self.network.axis[node], timeline.start[node], timeline.finish[node]
        first, last = self.openings[axis].get(start), self.closings[axis].get(finish)
        if first is None:
            first = to_instant(self.network.calendars[axis].opening_second(start))
            self.openings[axis][start] = first
        if last is None:
            last = to_instant(self.network.calendars[axis].closing_second(finish))
            self.closings[axis][finish] = last
        return first, last

    def _is_done(self, node: int) -> bool:
        begun = self.backward.forward.begun
        if not begun:
            return False
        return all(leaf in begun and begun[leaf].is_done for leaf in self.network.breakdown.leaves(node))

    def _driver(self, reason: Reason) -> Driver:
        if isinstance(reason, Edge):
            before = self.network.tasks[reason.predecessor]
            kind = self.network.links[reason.number].type
            return Driver(DriverKind.LINK, before.id, before.wbs, kind)
        if isinstance(reason, ConstraintType):
            return Driver(DriverKind.CONSTRAINT, None, None, reason)
        return Driver(reason)
