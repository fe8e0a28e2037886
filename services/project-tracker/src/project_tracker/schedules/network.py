"""A plan compiled for the passes: numbered nodes, calendars and edges, in topological order."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from chassis.durations import Duration, PercentLag
from chassis.working_time import CONTINUOUS, WorkingCalendar
from project_tracker.schedules.breakdown import Breakdown
from project_tracker.schedules.plan import Link, LinkType, Plan, PlanFault, PlanRefusedError


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
        self.link: Sequence[int] = range(len(plan.links))
        self.before = self.breakdown.befores
        self.after = self.breakdown.afters
        self.crossing: set[int] = set()
        """The edges that are not plain, then the nodes with such edges."""
        self.crossed_after: set[int] = set()
        self.crossed_before: set[int] = set()
        links = self._bind_leaves()
        self.is_elapsed = [False] * len(links)
        self.lag = [
            lag.seconds if isinstance(lag, Duration) and not lag.elapsed else self._special_lag(edge, lag)
            for edge, lag in enumerate([link.lag for link in links])
        ]
        size, durations = self.size, self.durations
        fs, ff, sf = LinkType.FS, LinkType.FF, LinkType.SF
        self.types = types = [link.type for link in links]
        finishes = [kind is fs or kind is ff for kind in types]
        is_bound = [kind is ff or kind is sf for kind in types]
        befores, afters, lags = self.before, self.after, self.lag
        self.source = [b + size if finish else b for b, finish in zip(befores, finishes, strict=True)]
        self.target = [a + size if finish else a for a, finish in zip(afters, is_bound, strict=True)]
        self.push = [
            lag - durations[a] if finish else lag for a, finish, lag in zip(afters, is_bound, lags, strict=True)
        ]
        self.pull = [
            lag if finish else lag - durations[b] for b, finish, lag in zip(befores, finishes, lags, strict=True)
        ]
        self.incoming: list[list[int]] = [[] for _ in plan.tasks]
        self.outgoing: list[list[int]] = [[] for _ in plan.tasks]
        incoming, outgoing = self.incoming, self.outgoing
        for edge, (before, after) in enumerate(zip(befores, afters, strict=True)):
            incoming[after].append(edge)
            outgoing[before].append(edge)
        if len(self.calendars) > 1 or any(self.is_elapsed):
            self._find_crossing()
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

    def _bind_leaves(self) -> Sequence[Link]:
        """Let each link onto a summary bind every leaf of it; gives the link of each edge."""
        children, befores, afters = self.breakdown.children, self.before, self.after
        if not any(children[after] for after in afters):
            return self.links
        bound = [
            (number, before, leaf)
            for number, (before, after) in enumerate(zip(befores, afters, strict=True))
            for leaf in self.breakdown.leaves(after)
        ]
        self.link = [number for number, _, _ in bound]
        self.before = [before for _, before, _ in bound]
        self.after = [leaf for _, _, leaf in bound]
        return [self.links[number] for number in self.link]

    def _special_lag(self, edge: int, lag: Duration | PercentLag) -> int:
        """Count a lag in seconds; one in percent of a summary is set by the forward pass, which knows its length."""
        if isinstance(lag, Duration):
            if lag.elapsed and lag.seconds:
                self.is_elapsed[edge] = True
            return lag.seconds
        before = self.before[edge]
        self.is_elapsed[edge] = self.axis[before] != self.calendar[before]
        return share_of(lag, self.durations[before])

    def _find_crossing(self) -> None:
        axis, calendar = self.axis, self.calendar
        for edge, (before, after) in enumerate(zip(self.before, self.after, strict=True)):
            if self.is_elapsed[edge] or not axis[before] == axis[after] == calendar[after]:
                self.crossing.add(edge)
                self.crossed_after.add(after)
                self.crossed_before.add(before)

    def _sorted(self) -> list[int]:
        children, parents = self.breakdown.children, self.breakdown.parent
        waiting = [len(edges) for edges in self.incoming]
        for summary in self.breakdown.summaries:
            waiting[summary] = len(children[summary])
        order = [node for node, count in enumerate(waiting) if not count]
        outgoing, after = self.outgoing, self.after
        for node in order:
            for edge in outgoing[node]:
                each = after[edge]
                waiting[each] -= 1
                if not waiting[each]:
                    order.append(each)
            each = parents[node]
            if each >= 0:
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
