"""A plan compiled for the passes: numbered nodes, calendars and edges, in topological order."""

from decimal import ROUND_HALF_UP, Decimal

from chassis.durations import Duration, PercentLag
from chassis.working_time import CONTINUOUS, WorkingCalendar
from project_tracker.schedules.breakdown import ROOT, Breakdown
from project_tracker.schedules.plan import LinkType, Plan, PlanFault, PlanRefusedError

_FROM_FINISH = frozenset({LinkType.FS, LinkType.FF})
_TO_FINISH = frozenset({LinkType.FF, LinkType.SF})


class Network:
    """Nodes are the tasks by position in the plan, edges the links as they bind single leaves; both are numbers.

    `axis` is the calendar in which a node's duration counts (continuous for elapsed durations), `calendar` the one
    on which lags onto it count. A timeline of n nodes holds the starts at 0…n-1, the finishes at n…2n-1: `source`
    and `target` are an edge's places in it. Where an edge is plain, both ends and the lag counting on one calendar,
    source + `push` bounds the successor's start and target - `pull` the predecessor's finish.
    """

    def __init__(self, plan: Plan) -> None:
        self.breakdown = Breakdown(plan)
        if self.breakdown.faults:
            raise PlanRefusedError(self.breakdown.faults)
        self.plan = plan
        self.tasks = plan.tasks
        self.links = plan.links
        self.size = len(plan.tasks)
        self.calendars: list[WorkingCalendar] = [plan.calendar]
        self.calendar: list[int] = [0] * self.size
        self.axis: list[int] = [0] * self.size
        self._number_calendars()
        self.durations = [task.duration.seconds for task in plan.tasks]
        for summary in self.breakdown.summaries:
            self.durations[summary] = 0
        self.link: list[int] = []
        self.before: list[int] = []
        self.after: list[int] = []
        self.source: list[int] = []
        self.target: list[int] = []
        self.lag: list[int] = []
        self.push: list[int] = []
        self.pull: list[int] = []
        self.is_elapsed: list[bool] = []
        self.incoming: list[list[int]] = [[] for _ in plan.tasks]
        self.outgoing: list[list[int]] = [[] for _ in plan.tasks]
        self.crossing: set[int] = set()
        """The edges that are not plain."""
        self.crossed_after: set[int] = set()
        self.crossed_before: set[int] = set()
        self._compile_links()
        self.order = self._sorted()

    def is_leaf(self, node: int) -> bool:
        """Tell whether a task has no children, whatever its kind."""
        return not self.breakdown.children[node]

    def from_finish(self, edge: int) -> bool:
        """Tell whether the predecessor's finish counts."""
        return self.source[edge] >= self.size

    def to_finish(self, edge: int) -> bool:
        """Tell whether the successor's finish is bound."""
        return self.target[edge] >= self.size

    def set_lag(self, edge: int, seconds: int) -> None:
        """Fix the lag of an edge, and with it how far it pushes and pulls."""
        self.lag[edge] = seconds
        self.push[edge] = seconds - (self.durations[self.after[edge]] if self.to_finish(edge) else 0)
        self.pull[edge] = seconds - (0 if self.from_finish(edge) else self.durations[self.before[edge]])

    def _number_calendars(self) -> None:
        numbers = {id(self.plan.calendar): 0}
        children = self.breakdown.children
        for node, task in enumerate(self.tasks):
            if children[node]:
                continue
            if task.calendar is not None:
                self.calendar[node] = self.axis[node] = self._number(task.calendar, numbers)
            if task.duration.elapsed and task.duration.seconds:
                self.axis[node] = self._number(CONTINUOUS, numbers)

    def _number(self, calendar: WorkingCalendar, numbers: dict[int, int]) -> int:
        number = numbers.get(id(calendar))
        if number is None:
            if calendar not in self.calendars:
                self.calendars.append(calendar)
            number = numbers[id(calendar)] = self.calendars.index(calendar)
        return number

    def _compile_links(self) -> None:
        children, size, durations = self.breakdown.children, self.size, self.durations
        incoming, outgoing, edge = self.incoming, self.outgoing, 0
        is_uniform = len(self.calendars) == 1
        for number, (link, ends) in enumerate(zip(self.links, self.breakdown.linked(), strict=True)):
            before, after = ends
            lag, is_elapsed = link.lag, False
            if isinstance(lag, Duration):
                seconds, is_elapsed = lag.seconds, lag.elapsed and lag.seconds != 0
            else:
                seconds, is_elapsed = self._share(lag, before)
            from_finish, to_finish = link.type in _FROM_FINISH, link.type in _TO_FINISH
            for leaf in self.breakdown.leaves(after) if children[after] else (after,):
                self.link.append(number)
                self.before.append(before)
                self.after.append(leaf)
                self.source.append(before + size if from_finish else before)
                self.target.append(leaf + size if to_finish else leaf)
                self.lag.append(seconds)
                self.push.append(seconds - durations[leaf] if to_finish else seconds)
                self.pull.append(seconds if from_finish else seconds - durations[before])
                self.is_elapsed.append(is_elapsed)
                incoming[leaf].append(edge)
                outgoing[before].append(edge)
                if is_elapsed or not (is_uniform or self.axis[before] == self.axis[leaf] == self.calendar[leaf]):
                    self.crossing.add(edge)
                    self.crossed_after.add(leaf)
                    self.crossed_before.add(before)
                edge += 1

    def _share(self, lag: PercentLag, before: int) -> tuple[int, bool]:
        """Count a lag in percent; of a summary only the forward pass can tell, which sets it later."""
        return share_of(lag, self.durations[before]), self.axis[before] != self.calendar[before]

    def _sorted(self) -> list[int]:
        children, parents = self.breakdown.children, self.breakdown.parent
        waiting = [len(edges) for edges in self.incoming]
        for summary in self.breakdown.summaries:
            waiting[summary] = len(children[summary])
        order = [node for node, count in enumerate(waiting) if not count]
        outgoing, after = self.outgoing, self.after
        for node in order:
            following = [after[edge] for edge in outgoing[node]]
            if parents[node] != ROOT:
                following.append(parents[node])
            for each in following:
                waiting[each] -= 1
                if not waiting[each]:
                    order.append(each)
        if len(order) < self.size:
            raise PlanRefusedError([self._cycle(waiting)])
        return order

    def _cycle(self, waiting: list[int]) -> PlanFault:
        """Walk back from a node that never became ready until the walk meets itself."""
        path = [next(node for node, count in enumerate(waiting) if count)]
        seen: dict[int, int] = {}
        while path[-1] not in seen:
            node = path[-1]
            seen[node] = len(seen)
            before = self.breakdown.children[node] or [self.before[edge] for edge in self.incoming[node]]
            path.append(next(each for each in before if waiting[each]))
        cycle = path[seen[path[-1]] : -1][::-1]
        names = " → ".join(self.tasks[node].wbs for node in [*cycle, cycle[0]])
        return PlanFault("cycle", f"The links form a cycle: {names}.", tuple(self.tasks[node].id for node in cycle))


def share_of(lag: PercentLag, seconds: int) -> int:
    """Give a share of a duration in whole seconds."""
    return int((lag.percent * seconds / Decimal(100)).to_integral_value(ROUND_HALF_UP))
