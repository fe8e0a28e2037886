"""The conflicts a schedule carries: reported, never bent."""

from collections.abc import Iterator

from chassis.working_time import to_second
from project_tracker.schedules.backward import Backward
from project_tracker.schedules.forward import ON_FINISH, inherits, instant_of
from project_tracker.schedules.network import Edge
from project_tracker.schedules.plan import Constraint, ConstraintType
from project_tracker.schedules.schedule import ScheduleWarning, TaskSchedule, WarningCode

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
        for node in range(len(self.rows)):
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
        network, ancestors = self.network, self.network.breakdown.ancestors
        leaves = [node for node in network.order if network.is_leaf(node)]
        if len(leaves) < 2:  # noqa: PLR2004 - a plan of one task has no network
            return
        for node in sorted(leaves):
            if network.outgoing[node] or any(network.outgoing[each] for each in ancestors(node)):
                continue
            if not network.incoming[node] or self.backward.early.finish_second(node) < self.backward.last:
                message = f"Task {network.tasks[node].wbs} leads to no other task."
                yield self._warning(WarningCode.DANGLING_TASK, message, node)

    def _of_links(self) -> Iterator[ScheduleWarning]:
        """Find links whose successor lies earlier than they allow, by its actual dates or by another's wish."""
        network, tasks = self.network, self.network.tasks
        suspects = {*self.forward.begun, *self.forward.wishes}
        late = {node for node, task in enumerate(tasks) if _is_late(task.constraint)}
        for node, edges in enumerate(network.incoming):
            for edge in edges:
                if (node in suspects or edge.predecessor in late) and self._is_violated(edge):
                    code = WarningCode.OUT_OF_SEQUENCE if node in self.forward.begun else WarningCode.LINK_BROKEN
                    before = tasks[edge.predecessor]
                    kind = network.links[edge.number].type
                    message = f"Task {tasks[node].wbs} does not wait for {before.wbs} as its {kind} link demands."
                    yield ScheduleWarning(code, message, tasks[node].id, tasks[node].wbs, before.id)

    def _is_violated(self, edge: Edge) -> bool:
        node = edge.successor
        progress = self.forward.begun.get(node)
        if progress is not None and edge.to_finish and not progress.is_done:
            return False
        late = _is_late(self.network.tasks[edge.predecessor].constraint)
        early, row = self.backward.early, self.rows[node]
        bound = (self.backward.late if late else early).pushed(edge)
        date = row.finish if edge.to_finish else row.start
        return self.network.calendars[self.network.axis[node]].position(to_second(date)) < bound

    def _warning(self, code: WarningCode, message: str, node: int) -> ScheduleWarning:
        task = self.network.tasks[node]
        return ScheduleWarning(code, message, task.id, task.wbs)


def _is_late(wish: Constraint | None) -> bool:
    return wish is not None and wish.type is ConstraintType.ALAP
