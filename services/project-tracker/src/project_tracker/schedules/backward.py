"""The backward pass: the latest dates that still keep the project's finish, and the floats in between."""

from dataclasses import dataclass

from chassis.working_time import to_second
from project_tracker.schedules.breakdown import ROOT
from project_tracker.schedules.forward import ON_FINISH, Forward, instant_of
from project_tracker.schedules.plan import ConstraintType
from project_tracker.schedules.timeline import Timeline

_UPPER = frozenset({ConstraintType.SNLT, ConstraintType.FNLT, ConstraintType.MSO, ConstraintType.MFO})


@dataclass(slots=True)
class Cap:
    """What the links of a summary demand of its leaves, as positions on the project's calendar.

    `start` and `free_start` bind only the leaves that start first, `instant` those without duration.
    """

    finish: int
    instant: int
    free: int
    start: int | None = None
    free_start: int | None = None


class Backward:
    """The late timeline, and the total and free float of each node in seconds of its calendar."""

    __slots__ = (
        "_bounded",
        "_caps",
        "_deadlines",
        "_lasts",
        "ahead",
        "early",
        "forward",
        "free",
        "last",
        "late",
        "network",
        "total",
    )

    def __init__(self, forward: Forward) -> None:
        self.forward = forward
        self.network = network = forward.network
        self.early = forward.early
        self.late = Timeline(network)
        self.total = [0] * len(network.tasks)
        self.free = [0] * len(network.tasks)
        self.ahead = {node: progress for node, progress in forward.begun.items() if progress.is_started}
        self.last = self.early.last_second()
        self._lasts = [
            calendar.position(self.last) if calendar.has_working_time else 0 for calendar in network.calendars
        ]
        self._caps: dict[int, Cap] = {}
        self._deadlines: dict[int, int] = {}
        for node, task in enumerate(network.tasks):
            if task.deadline_at is not None:
                second = to_second(task.deadline_at)
                for leaf in network.breakdown.leaves(node):
                    self._deadlines[leaf] = min(second, self._deadlines.get(leaf, second))
        self._bounded = {*self._deadlines, *forward.wishes}

    def run(self) -> None:
        """Place every node before those that depend on it, then roll the summaries up."""
        network, late, early, free = self.network, self.late.positions, self.early.positions, self.free
        durations, outgoing, target, pull = network.durations, network.outgoing, network.target, network.pull
        axis, size, lasts, parent, caps = network.axis, network.size, self._lasts, network.breakdown.parent, self._caps
        special = {*self.forward.begun, *self._bounded, *network.crossed_before}
        special.update(network.before[edge] for node in self.ahead for edge in network.incoming[node])
        free[:] = [lasts[number] for number in axis]
        for before, place, distance in zip(network.before, target, pull, strict=True):
            if (bound := early[place] - distance) < free[before]:
                free[before] = bound
        for node in reversed(network.order):
            if node in special or not durations[node] or parent[node] in caps:
                free[node] = 0
                self._place_special(node)
                continue
            finishes = [late[target[edge]] - pull[edge] for edge in outgoing[node]]
            finishes.append(lasts[axis[node]])
            late[size + node] = finish = min(finishes)
            late[node] = finish - durations[node]
        self._measure()
        for node in network.order if network.breakdown.summaries else ():
            if not network.is_leaf(node):
                self._roll_up(node)

    def _place_special(self, node: int) -> None:
        if not self.network.is_leaf(node):
            self._cap(node)
        elif node in self.forward.begun:
            self._place_begun(node)
        elif self.network.durations[node]:
            self._place(node)
        else:
            self._place_instant(node)

    def _place(self, node: int) -> None:
        network = self.network
        finish, free = self._pulled(node)
        if node in self._bounded:
            finish = min(finish, self._wished(node))
        self.late.positions[node] = finish - network.durations[node]
        self.late.positions[network.size + node] = finish
        self.free[node] = free

    def _measure(self) -> None:
        """Turn the latest finishes of all leaves into floats, in working time even of elapsed durations."""
        network = self.network
        early, late = self.early.positions[network.size :], self.late.positions[network.size :]
        if len(network.calendars) > 1:
            for node, axis in enumerate(network.axis):
                if axis != network.calendar[node]:
                    known, calendar = network.calendars[axis], network.calendars[network.calendar[node]]
                    early[node], late[node], self.free[node] = (
                        calendar.position(known.opening_second(position))
                        for position in (early[node], late[node], self.free[node])
                    )
        self.total = [latest - finish for finish, latest in zip(early, late, strict=True)]
        ends = [min(harmless, latest) for latest, harmless in zip(late, self.free, strict=True)]
        self.free = [end - finish if end > finish else 0 for finish, end in zip(early, ends, strict=True)]

    def _pulled(self, node: int) -> tuple[int, int]:
        """Find the latest finish that the links leave a node, and the latest that moves no early date."""
        network, last = self.network, self._lasts[self.network.axis[node]]
        edges = network.outgoing[node]
        if self.ahead:
            edges = [edge for edge in edges if not self._is_past(edge)]
        finishes = [self._bound(self.late, edge) for edge in edges]
        harmless = [self._bound(self.early, edge) for edge in edges]
        finishes.append(last)
        harmless.append(last)
        finish, free = min(finishes), min(harmless)
        return self._capped(node, finish, free) if self._caps else (finish, free)

    def _bound(self, timeline: Timeline, edge: int) -> int:
        """Find the finish that any edge leaves its predecessor."""
        network = self.network
        if edge not in network.crossing:
            return timeline.positions[network.target[edge]] - network.pull[edge]
        before = network.before[edge]
        bound = timeline.pulled(edge, network.axis[before])
        return bound if network.from_finish(edge) else bound + network.durations[before]

    def _capped(self, node: int, finish: int, free: int) -> tuple[int, int]:
        """Tighten a leaf's bounds by what the links of its summaries demand."""
        cap = self._caps.get(self.network.breakdown.parent[node])
        if cap is None:
            return finish, free
        finish, free = min(finish, self._moved(cap.finish, node)), min(free, self._moved(cap.free, node))
        if cap.start is not None and cap.free_start is not None and self._starts_first(node):
            duration = self.network.durations[node]
            finish = min(finish, self._moved(cap.start, node) + duration)
            free = min(free, self._moved(cap.free_start, node) + duration)
        return finish, free

    def _place_instant(self, node: int) -> None:
        """Lay a leaf without duration on the earliest of the latest instants that anything leaves it."""
        network = self.network
        bounds = [self.last]
        bounds += [self.late.pulled_instant(edge) for edge in network.outgoing[node] if not self._is_past(edge)]
        cap = self._caps.get(network.breakdown.parent[node])
        if cap is not None:
            bounds.append(cap.instant)
            if cap.start is not None and self._starts_first(node):
                bounds.append(network.calendars[0].opening_second(cap.start))
        bounds += [instant_of(wish) for wish in self.forward.wishes.get(node, ()) if wish.type in _UPPER]
        if node in self._deadlines:
            bounds.append(self._deadlines[node])
        second = min(bounds)
        self.late.fix(node, second, second)
        _, free = self._pulled(node)
        self.free[node] = free

    def _place_begun(self, node: int) -> None:
        """Lay a begun task: what has happened has no float, what remains may finish late."""
        early, progress = self.early, self.forward.begun[node]
        if progress.is_done:
            self.late.fix(node, early.start_second(node), early.finish_second(node))
            return
        finish, free = self._pulled(node)
        finish = min(finish, self._wished(node))
        calendar = self.network.calendars[self.network.axis[node]]
        length = early.finish(node) - early.start(node)
        start = early.start_second(node) if progress.is_started else calendar.opening_second(finish - length)
        self.late.fix(node, start, calendar.closing_second(finish))
        self.free[node] = free

    def _wished(self, node: int) -> int:
        """Find the latest finish that the constraints and deadlines of a leaf allow."""
        wishes, deadline = self.forward.wishes.get(node), self._deadlines.get(node)
        calendar, axis = self.network.calendars[self.network.axis[node]], self.network.axis[node]
        finish = self._lasts[axis] if deadline is None else calendar.position(deadline)
        for wish in wishes or ():
            if wish.type in _UPPER:
                bound = calendar.position(instant_of(wish))
                finish = min(finish, bound if wish.type in ON_FINISH else bound + self.network.durations[node])
        return finish

    def _is_past(self, edge: int) -> bool:
        """Tell whether a link can no longer bind, because its successor's date is a fact."""
        progress = self.ahead.get(self.network.after[edge])
        return progress is not None and (progress.is_done or not self.network.to_finish(edge))

    def _cap(self, node: int) -> None:
        network, late, early = self.network, self.late, self.early
        above = self._caps.get(network.breakdown.parent[node])
        if above is None and not network.outgoing[node]:
            return
        cap = Cap(self._lasts[0], self.last, self._lasts[0])
        if above is not None:
            cap = Cap(above.finish, above.instant, above.free)
            if self._starts_first(node):
                cap.start, cap.free_start = above.start, above.free_start
        for edge in network.outgoing[node]:
            if self._is_past(edge):
                continue
            latest, harmless = late.pulled(edge, 0), early.pulled(edge, 0)
            if network.from_finish(edge):
                cap.finish, cap.free = min(cap.finish, latest), min(cap.free, harmless)
                cap.instant = min(cap.instant, late.pulled_instant(edge))
            else:
                cap.start = latest if cap.start is None else min(cap.start, latest)
                cap.free_start = harmless if cap.free_start is None else min(cap.free_start, harmless)
        self._caps[node] = cap

    def _starts_first(self, node: int) -> bool:
        parent = self.network.breakdown.parent[node]
        return parent != ROOT and self.early.start_second(node) == self.early.start_second(parent)

    def _moved(self, position: int, node: int) -> int:
        """Carry a position from the project's calendar to that of a node."""
        calendars, axis = self.network.calendars, self.network.axis[node]
        return position if axis == 0 else calendars[axis].position(calendars[0].opening_second(position))

    def _roll_up(self, node: int) -> None:
        network, late, early = self.network, self.late, self.early
        children = network.breakdown.children[node]
        first = min(late.start_second(child) for child in children)
        last = max(late.finish_second(child) for child in children)
        late.fix(node, first, last)
        total = late.finish(node) - early.finish(node)
        if not any(leaf in self.ahead for leaf in network.breakdown.leaves(node)):
            total = min(total, late.start(node) - early.start(node))
        free = total
        for edge in network.outgoing[node]:
            if not self._is_past(edge):
                end = early.finish(node) if network.from_finish(edge) else early.start(node)
                free = min(free, early.pulled(edge, 0) - end)
        self.total[node], self.free[node] = total, max(0, free)
