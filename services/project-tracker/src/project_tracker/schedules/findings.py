"""The conflicts a schedule carries: reported, never bent."""

from collections.abc import Iterator

from chassis.working_time import to_second
from project_tracker.schedules.backward import Backward
from project_tracker.schedules.breakdown import ROOT
from project_tracker.schedules.forward import ON_FINISH, inherits, instant_of
from project_tracker.schedules.plan import Constraint, ConstraintType
from project_tracker.schedules.schedule import ScheduleWarning, TaskSchedule, WarningCode
from project_tracker.schedules.timeline import Timeline

_START_LATEST = frozenset({ConstraintType.SNLT, ConstraintType.MSO})
_FINISH_LATEST = frozenset({ConstraintType.FNLT, ConstraintType.MFO})
_START_EARLIEST = frozenset({ConstraintType.SNET, ConstraintType.MSO})
_FINISH_EARLIEST = frozenset({ConstraintType.FNET, ConstraintType.MFO})


class Findings:
    """Looks over a computed schedule task by task, then link by link."""

    __slots__ = ("backward", "forward", "network", "rows")

    def __init__(self, backward: Backward, rows: list[TaskSchedule]) -> None:
        self.backward = backward
        self.forward = backward.forward
        self.network = backward.network
        self.rows = rows

    def all(self) -> Iterator[ScheduleWarning]:
        """Walk every warning, tasks in the order of the plan, then links."""
        total = self.backward.total
        for node, task in enumerate(self.network.tasks):
            if total[node] < 0 or task.deadline_at is not None or task.constraint is not None:
                yield from self._of_dates(node)
        yield from self._dangling()
        yield from self._of_links()

    def _of_dates(self, node: int) -> Iterator[ScheduleWarning]:
        task, row = self.network.tasks[node], self.rows[node]
        if self.backward.total[node] < 0 and self.network.is_leaf(node):
            message = f"Task {row.wbs} would have to finish {-row.total_float} working minutes earlier."
            yield self._warning(WarningCode.NEGATIVE_FLOAT, message, node)
        if task.deadline_at is not None and row.finish > task.deadline_at:
            yield self._warning(WarningCode.DEADLINE_MISSED, f"Task {row.wbs} misses its deadline.", node)
        wish = task.constraint
        if wish is None or wish.at is None:
            return
        if not inherits(self.network, node, wish):
            message = f"{wish.type} has no meaning for the summary {row.wbs}."
            yield self._warning(WarningCode.CONSTRAINT_IGNORED, message, node)
        elif self._is_broken(node, wish):
            yield self._warning(WarningCode.CONSTRAINT_BROKEN, f"Task {row.wbs} breaks its {wish.type}.", node)

    def _is_broken(self, node: int, wish: Constraint) -> bool:
        """Compare in working time, so that Friday's end and Monday's start are one, and in real time."""
        row, at = self.rows[node], wish.at
        if at is None:
            return False
        calendar = self.network.calendars[self.network.axis[node]]
        position = calendar.position(instant_of(wish))
        date = row.finish if wish.type in ON_FINISH else row.start
        other = calendar.position(to_second(date))
        if wish.type in _START_LATEST | _FINISH_LATEST and date > at and other > position:
            return True
        return wish.type in _START_EARLIEST | _FINISH_EARLIEST and date < at and other < position

    def _dangling(self) -> Iterator[ScheduleWarning]:
        """Find leaves that nothing waits for, unless the project ends with them."""
        network, backward = self.network, self.backward
        if network.size - len(network.breakdown.summaries) <= 1:
            return
        parents = network.breakdown.parent
        for node, edges in enumerate(network.outgoing):
            if edges or not network.is_leaf(node) or (parents[node] != ROOT and self._is_awaited(node)):
                continue
            if not network.incoming[node] or backward.early.finish_second(node) < backward.last:
                message = f"Task {network.tasks[node].wbs} leads to no other task."
                yield self._warning(WarningCode.DANGLING_TASK, message, node)

    def _is_awaited(self, node: int) -> bool:
        return any(self.network.outgoing[above] for above in self.network.breakdown.ancestors(node))

    def _of_links(self) -> Iterator[ScheduleWarning]:
        """Find links whose successor lies earlier than they allow, by its actual dates or by another's wish."""
        network, tasks = self.network, self.network.tasks
        begun = self.forward.begun
        wishes = [(node, task.constraint) for node, task in enumerate(tasks) if task.constraint is not None]
        late = {node for node, wish in wishes if wish.type is ConstraintType.ALAP}
        suspects = {edge for node in (*begun, *self.forward.wishes) for edge in network.incoming[node]}
        suspects.update(edge for node in late for edge in network.outgoing[node])
        for edge in sorted(suspects):
            if self._is_violated(edge, self.backward.late if network.before[edge] in late else self.backward.early):
                before, after = tasks[network.before[edge]], tasks[network.after[edge]]
                code = WarningCode.OUT_OF_SEQUENCE if network.after[edge] in begun else WarningCode.LINK_BROKEN
                kind = network.links[network.link[edge]].type
                message = f"Task {after.wbs} does not wait for {before.wbs} as its {kind} link demands."
                yield ScheduleWarning(code, message, after.id, after.wbs, before.id)

    def _is_violated(self, edge: int, timeline: Timeline) -> bool:
        node, to_finish = self.network.after[edge], self.network.to_finish(edge)
        progress = self.forward.begun.get(node)
        if progress is not None and not (progress.is_done or (progress.is_started and not to_finish)):
            return False
        date = self.rows[node].finish if to_finish else self.rows[node].start
        return self.network.calendars[self.network.axis[node]].position(to_second(date)) < timeline.pushed(edge)

    def _warning(self, code: WarningCode, message: str, node: int) -> ScheduleWarning:
        task = self.network.tasks[node]
        return ScheduleWarning(code, message, task.id, task.wbs)
