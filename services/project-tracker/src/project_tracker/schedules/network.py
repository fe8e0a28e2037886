"""A plan compiled for the passes: numbered nodes, calendars and edges, in topological order."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from chassis.durations import Duration, PercentLag
from chassis.working_time import CONTINUOUS, WorkingCalendar
from project_tracker.schedules.breakdown import ROOT, Breakdown
from project_tracker.schedules.plan import Link, LinkType, Plan, PlanFault, PlannedTask, PlanRefusedError


class Edge(NamedTuple):
    """A link as it binds one leaf.

    `is_plain`: both ends count on one calendar and so does the lag, so positions are simply added.
    """

    number: int
    predecessor: int
    successor: int
    from_finish: bool
    to_finish: bool
    is_plain: bool


class Network:
    """Nodes are the tasks by position in the plan; a leaf has edges, a summary only outgoing ones.

    `axis` is the calendar in which a node's duration counts (continuous for elapsed durations), `calendar` the one
    on which lags onto it count. `lags` are seconds by link; those in percent of a summary are set by the forward
    pass, once its length is known.
    """

    __slots__ = (
        "axis",
        "breakdown",
        "calendar",
        "calendars",
        "durations",
        "incoming",
        "is_elapsed_lag",
        "lags",
        "links",
        "order",
        "outgoing",
        "plan",
        "tasks",
    )

    def __init__(self, plan: Plan) -> None:
        self.breakdown = Breakdown(plan)
        if not self.breakdown.faults:
            self.breakdown.check_links()
        if self.breakdown.faults:
            raise PlanRefusedError(self.breakdown.faults)
        self.plan = plan
        self.tasks: Sequence[PlannedTask] = plan.tasks
        self.links: Sequence[Link] = plan.links
        self.calendars: list[WorkingCalendar] = [plan.calendar]
        self._number_calendars()
        self.durations = [
            0 if children else task.duration.seconds
            for task, children in zip(plan.tasks, self.breakdown.children, strict=True)
        ]
        self.lags: list[int] = []
        self.is_elapsed_lag: list[bool] = []
        self.incoming: list[list[Edge]] = [[] for _ in plan.tasks]
        self.outgoing: list[list[Edge]] = [[] for _ in plan.tasks]
        self._compile_links()
        self.order = self._sorted()

    def is_leaf(self, node: int) -> bool:
        """Tell whether a task has no children, whatever its kind."""
        return not self.breakdown.children[node]

    def _number_calendars(self) -> None:
        numbers = {id(self.plan.calendar): 0}
        self.calendar: list[int] = []
        self.axis: list[int] = []
        for task, children in zip(self.plan.tasks, self.breakdown.children, strict=True):
            calendar = 0 if task.calendar is None or children else self._number(task.calendar, numbers)
            is_elapsed = task.duration.elapsed and task.duration.seconds > 0 and not children
            self.calendar.append(calendar)
            self.axis.append(self._number(CONTINUOUS, numbers) if is_elapsed else calendar)

    def _number(self, calendar: WorkingCalendar, numbers: dict[int, int]) -> int:
        number = numbers.get(id(calendar))
        if number is None:
            if calendar not in self.calendars:
                self.calendars.append(calendar)
            number = numbers[id(calendar)] = self.calendars.index(calendar)
        return number

    def _compile_links(self) -> None:
        index, children = self.breakdown.index, self.breakdown.children
        calendar, axis, incoming, outgoing = self.calendar, self.axis, self.incoming, self.outgoing
        for number, link in enumerate(self.links):
            before, after = index[link.predecessor_id], index[link.successor_id]
            seconds, is_elapsed = self._lag(link, before)
            self.lags.append(seconds)
            self.is_elapsed_lag.append(is_elapsed)
            kind = link.type
            from_finish = kind is LinkType.FS or kind is LinkType.FF
            to_finish = kind is LinkType.FF or kind is LinkType.SF
            for leaf in self.breakdown.leaves(after) if children[after] else (after,):
                is_plain = not is_elapsed and axis[before] == axis[leaf] == calendar[leaf]
                edge = Edge(number, before, leaf, from_finish, to_finish, is_plain)
                incoming[leaf].append(edge)
                outgoing[before].append(edge)

    def _lag(self, link: Link, before: int) -> tuple[int, bool]:
        if isinstance(link.lag, Duration):
            return link.lag.seconds, link.lag.elapsed and link.lag.seconds != 0
        is_elapsed = self.axis[before] != self.calendar[before] and self.is_leaf(before)
        return share_of(link.lag, self.durations[before]), is_elapsed

    def _sorted(self) -> list[int]:
        children, parents = self.breakdown.children, self.breakdown.parent
        waiting = [len(kids) or len(edges) for kids, edges in zip(children, self.incoming, strict=True)]
        order = [node for node, count in enumerate(waiting) if not count]
        outgoing = self.outgoing
        for node in order:
            for edge in outgoing[node]:
                after = edge[2]
                waiting[after] -= 1
                if not waiting[after]:
                    order.append(after)
            parent = parents[node]
            if parent != ROOT:
                waiting[parent] -= 1
                if not waiting[parent]:
                    order.append(parent)
        if len(order) < len(waiting):
            raise PlanRefusedError([self._cycle(waiting)])
        return order

    def _cycle(self, waiting: list[int]) -> PlanFault:
        """Walk back from a node that never became ready until the walk meets itself."""
        path = [next(node for node, count in enumerate(waiting) if count)]
        seen: dict[int, int] = {}
        while path[-1] not in seen:
            node = path[-1]
            seen[node] = len(seen)
            before = self.breakdown.children[node] or [edge.predecessor for edge in self.incoming[node]]
            path.append(next(each for each in before if waiting[each]))
        cycle = path[seen[path[-1]] : -1][::-1]
        names = " → ".join(self.tasks[node].wbs for node in [*cycle, cycle[0]])
        return PlanFault("cycle", f"The links form a cycle: {names}.", tuple(self.tasks[node].id for node in cycle))


def share_of(lag: PercentLag, seconds: int) -> int:
    """Give a share of a duration in whole seconds."""
    return int((lag.percent * seconds / Decimal(100)).to_integral_value(ROUND_HALF_UP))
