"""The forward pass: the earliest dates that project start, links, constraints, progress and status time allow."""

from chassis.durations import PercentLag
from chassis.working_time import to_second
from project_tracker.schedules.network import Network, share_of
from project_tracker.schedules.plan import Constraint, ConstraintPolicy, ConstraintType
from project_tracker.schedules.progress import Progress, progress_of
from project_tracker.schedules.schedule import DriverKind
from project_tracker.schedules.timeline import Timeline

Reason = int | ConstraintType | DriverKind
"""An edge by its number, or another reason."""

_LOWER = frozenset({ConstraintType.SNET, ConstraintType.FNET, ConstraintType.MSO, ConstraintType.MFO})
_UPPER = frozenset({ConstraintType.SNLT, ConstraintType.FNLT, ConstraintType.MSO, ConstraintType.MFO})
ON_FINISH = frozenset({ConstraintType.FNET, ConstraintType.FNLT, ConstraintType.MFO})


class Forward:
    """The early timeline, and for each node the reason that fixed it."""

    __slots__ = ("_floor", "_floor_reason", "_floors", "begun", "early", "network", "reasons", "status", "wishes")

    def __init__(self, network: Network, status: int | None) -> None:
        self.network = network
        self.status = status
        self.early = Timeline(network)
        self.reasons: list[Reason] = [DriverKind.PROJECT_START] * len(network.tasks)
        self.begun: dict[int, Progress] = {}
        self.wishes: dict[int, list[Constraint]] = {}
        self._collect()
        start = to_second(network.plan.start_at)
        self._floor = start if status is None else max(start, status)
        self._floor_reason = DriverKind.PROJECT_START if self._floor == start else DriverKind.STATUS_TIME
        self._floors = [
            calendar.position(self._floor) if calendar.has_working_time else 0 for calendar in network.calendars
        ]

    def run(self) -> None:
        """Place every node after those it depends on; the many ordinary ones without a further call."""
        network, positions, reasons = self.network, self.early.positions, self.reasons
        durations, incoming, source, push = network.durations, network.incoming, network.source, network.push
        axis, size, floors = network.axis, network.size, self._floors
        special = {*self.begun, *self.wishes, *network.crossed_after}
        for node in network.order:
            if node in special or not durations[node]:
                self._place_special(node)
                continue
            begin, edges = floors[axis[node]], incoming[node]
            reason: Reason = self._floor_reason
            if edges:
                bounds = [positions[source[edge]] + push[edge] for edge in edges]
                latest = max(bounds)
                if latest >= begin:
                    begin, reason = latest, edges[bounds.index(latest)]
            positions[node] = begin
            positions[size + node] = begin + durations[node]
            reasons[node] = reason

    def _place_special(self, node: int) -> None:
        if self.network.breakdown.children[node]:
            self._roll_up(node)
        elif node in self.begun:
            self._place_begun(node, self.begun[node])
        elif self.network.durations[node]:
            self._place(node)
        else:
            self._place_instant(node)

    def _collect(self) -> None:
        network = self.network
        for node, task in enumerate(network.tasks):
            if task.percent_complete or task.actual_start_at is not None or task.actual_finish_at is not None:
                progress = progress_of(task) if network.is_leaf(node) else None
                if progress is not None:
                    self.begun[node] = progress
            wish = task.constraint
            if wish is not None and wish.at is not None and inherits(network, node, wish):
                for leaf in network.breakdown.leaves(node):
                    self.wishes.setdefault(leaf, []).append(wish)

    def _roll_up(self, node: int) -> None:
        network, early, children = self.network, self.early, self.network.breakdown.children[node]
        first = min(early.start_second(child) for child in children)
        last = max(early.finish_second(child) for child in children)
        early.fix(node, first, last)
        self.reasons[node] = DriverKind.CHILDREN
        length = early.finish(node) - early.start(node)
        for edge in network.outgoing[node]:
            lag = network.links[network.link[edge]].lag
            if isinstance(lag, PercentLag):
                network.set_lag(edge, share_of(lag, length))

    def _place(self, node: int) -> None:
        floor = self._floors[self.network.axis[node]]
        begin, reason = self._pushed(node, floor, self._floor_reason)
        wishes = self.wishes.get(node)
        if wishes is not None:
            begin, reason = self._constrained(node, wishes, begin, reason)
        self.reasons[node] = reason
        self.early.positions[node] = begin
        self.early.positions[self.network.size + node] = begin + self.network.durations[node]

    def _pushed(self, node: int, floor: int, reason: Reason) -> tuple[int, Reason]:
        """Find the start that the edges onto a node demand, but none before the floor, with its reason."""
        edges = self.network.incoming[node]
        if not edges:
            return floor, reason
        bounds = [self._bound(edge) for edge in edges]
        begin = max(bounds)
        return (floor, reason) if begin < floor else (begin, edges[bounds.index(begin)])

    def _bound(self, edge: int) -> int:
        """Find the start that any edge demands of its successor."""
        network = self.network
        if edge not in network.crossing:
            return self.early.positions[network.source[edge]] + network.push[edge]
        bound = self.early.pushed(edge)
        return bound - network.durations[network.after[edge]] if network.to_finish(edge) else bound

    def _constrained(self, node: int, wishes: list[Constraint], begin: int, reason: Reason) -> tuple[int, Reason]:
        duration = self.network.durations[node]
        calendar = self.network.calendars[self.network.axis[node]]
        floor = self._floors[self.network.axis[node]]
        for wish in wishes:
            bound = calendar.position(instant_of(wish)) - (duration if wish.type in ON_FINISH else 0)
            if wish.type in _LOWER and bound > begin:
                begin, reason = bound, wish.type
        if self.network.plan.constraint_policy is ConstraintPolicy.CONSTRAINT:
            for wish in wishes:
                bound = calendar.position(instant_of(wish)) - (duration if wish.type in ON_FINISH else 0)
                if wish.type in _UPPER and floor <= bound < begin:
                    begin, reason = bound, wish.type
        return begin, reason

    def _place_instant(self, node: int) -> None:
        """Lay a leaf without duration on the latest instant that anything demands of it."""
        early, network = self.early, self.network
        calendar = network.calendar[node]
        reason: Reason = self._floor_reason
        at = self._floor - 1
        for edge in network.incoming[node]:
            bound = early.pushed_instant(edge)
            if bound > at:
                at, reason = bound, edge
        if reason is self._floor_reason:
            at = network.calendars[calendar].opening_second(self._floors[calendar])
        for wish in self.wishes.get(node, ()):
            bound = early.touching(calendar, instant_of(wish))
            if wish.type in _LOWER and bound > at:
                at, reason = bound, wish.type
        if network.plan.constraint_policy is ConstraintPolicy.CONSTRAINT:
            for wish in self.wishes.get(node, ()):
                bound = early.touching(calendar, instant_of(wish), back=True)
                if wish.type in _UPPER and self._floor <= bound < at:
                    at, reason = bound, wish.type
        early.fix(node, at, at)
        self.reasons[node] = reason

    def _place_begun(self, node: int, progress: Progress) -> None:
        """Lay a task by its actual dates; what remains starts no earlier than the status time."""
        network, early = self.network, self.early
        calendar = network.calendars[network.axis[node]]
        duration = network.durations[node]
        self._place_forecast(node, progress)
        if progress.finish is not None:
            start = progress.start
            if start is None:
                start = calendar.opening_second(calendar.position(progress.finish) - duration) if duration else None
            start = progress.finish if start is None else min(start, progress.finish)
            early.fix(node, start, progress.finish)
            return
        start = early.start_second(node)
        end = early.start(node) + duration
        if not progress.is_done:
            if self.status is not None:
                end = max(calendar.position(max(start, self.status)) + progress.remaining, early.start(node))
            ends = [early.pushed(edge) for edge in network.incoming[node] if network.to_finish(edge)]
            end = max(end, *ends) if ends else end
        early.fix(node, start, calendar.closing_second(end) if duration else start)

    def _place_forecast(self, node: int, progress: Progress) -> None:
        """Lay the start of a begun task: its actual one, or where the links alone would have put it."""
        self.reasons[node] = DriverKind.ACTUAL
        second = progress.start
        if second is None:
            calendar = self.network.calendars[self.network.axis[node]]
            floor = calendar.position(to_second(self.network.plan.start_at))
            begin, self.reasons[node] = self._pushed(node, floor, DriverKind.PROJECT_START)
            second = calendar.opening_second(begin)
        self.early.fix(node, second, second)


def instant_of(wish: Constraint) -> int:
    """Give the instant of a dated constraint in seconds since 1970."""
    if wish.at is None:
        raise ValueError(f"The constraint {wish.type} has no instant.")
    return to_second(wish.at)


def inherits(network: Network, node: int, wish: Constraint) -> bool:
    """Tell whether a constraint has a meaning: on a leaf any, on a summary SNET and FNLT, for all its leaves."""
    return network.is_leaf(node) or wish.type in {ConstraintType.SNET, ConstraintType.FNLT}
