"""Starts and finishes of all nodes as positions on their calendars, and how an edge carries one to another."""

from project_tracker.schedules.network import Network


class Timeline:
    """Positions of the starts, then of the finishes of all nodes.

    `fixed` holds the instants that no position can tell, as on the edge of a working day.
    """

    __slots__ = ("fixed", "network", "positions", "size")

    def __init__(self, network: Network) -> None:
        self.network = network
        self.size = network.size
        self.positions = [0] * (2 * network.size)
        self.fixed: dict[int, tuple[int, int]] = {}

    def fix(self, node: int, start: int, finish: int) -> None:
        """Lay a node between two instants, in seconds since 1970."""
        calendar = self.network.calendars[self.network.axis[node]]
        self.positions[node] = calendar.position(start)
        self.positions[self.size + node] = calendar.position(finish)
        self.fixed[node] = (start, finish)

    def start(self, node: int) -> int:
        """Give the position at which a node starts."""
        return self.positions[node]

    def finish(self, node: int) -> int:
        """Give the position at which a node finishes."""
        return self.positions[self.size + node]

    def start_second(self, node: int) -> int:
        """Find the instant at which a node starts."""
        fixed = self.fixed.get(node)
        if fixed is not None:
            return fixed[0]
        return self.network.calendars[self.network.axis[node]].opening_second(self.positions[node])

    def finish_second(self, node: int) -> int:
        """Find the instant at which a node finishes."""
        fixed = self.fixed.get(node)
        if fixed is not None:
            return fixed[1]
        return self.network.calendars[self.network.axis[node]].closing_second(self.positions[self.size + node])

    def last_second(self) -> int:
        """Find the instant at which the last node finishes."""
        network, fixed = self.network, self.fixed
        if not fixed and len(network.calendars) == 1:
            return network.calendars[0].closing_second(max(self.positions[self.size :]))
        lasts: dict[int, int] = {}
        for node, (position, axis) in enumerate(zip(self.positions[self.size :], network.axis, strict=True)):
            if node not in fixed and position > lasts.get(axis, position - 1):
                lasts[axis] = position
        seconds = [network.calendars[axis].closing_second(position) for axis, position in lasts.items()]
        return max([*seconds, *[finish for _, finish in fixed.values()]])

    def touching(self, calendar: int, second: int, *, back: bool = False) -> int:
        """Give the instant itself where it touches working time, else the next start (or the last end) of work."""
        subject = self.network.calendars[calendar]
        position = subject.position(second)
        opening = subject.opening_second(position)
        if opening == second:
            return second
        closing = subject.closing_second(position)
        return second if closing == second else (closing if back else opening)

    def pushed(self, edge: int) -> int:
        """Find the earliest position that an edge leaves the end it binds, on the successor's axis."""
        network, after = self.network, self.network.after[edge]
        lag, instant = network.lag[edge], self._leaving(edge)
        axis = network.calendars[network.axis[after]]
        if network.is_elapsed[edge]:
            return axis.position(instant + lag)
        if network.axis[after] == network.calendar[after]:
            return axis.position(instant) + lag
        if lag:
            calendar = network.calendars[network.calendar[after]]
            position = calendar.position(instant) + lag
            finishes = network.from_finish(edge)
            instant = calendar.closing_second(position) if finishes else calendar.opening_second(position)
        return axis.position(instant)

    def pushed_instant(self, edge: int) -> int:
        """Find the earliest instant that an edge leaves a successor without duration.

        Driven by a finish it closes an interval, else it opens one.
        """
        network, after = self.network, self.network.after[edge]
        lag, instant = network.lag[edge], self._leaving(edge)
        if network.is_elapsed[edge]:
            return self.touching(network.calendar[after], instant + lag)
        finishes = network.from_finish(edge)
        if finishes and not lag:
            return instant
        calendar = network.calendars[network.calendar[after]]
        position = calendar.position(instant) + lag
        return calendar.closing_second(position) if finishes else calendar.opening_second(position)

    def pulled(self, edge: int, axis: int) -> int:
        """Find the latest position that an edge leaves the end it counts from, on the given axis."""
        network, after = self.network, self.network.after[edge]
        lag, number = network.lag[edge], network.calendar[after]
        if network.is_elapsed[edge]:
            return network.calendars[axis].position(self._arriving(edge) - lag)
        calendar = network.calendars[number]
        if network.axis[after] == number:
            position = self.positions[network.target[edge]] - lag
        else:
            position = calendar.position(self._arriving(edge)) - lag
        if axis == number:
            return position
        instant = calendar.opening_second(position) if lag else self._arriving(edge)
        return network.calendars[axis].position(instant)

    def pulled_instant(self, edge: int) -> int:
        """Find the latest instant that an edge leaves a predecessor without duration."""
        network, lag, arriving = self.network, self.network.lag[edge], self._arriving(edge)
        if network.is_elapsed[edge] or not lag:
            return arriving - lag
        calendar = network.calendars[network.calendar[network.after[edge]]]
        return calendar.opening_second(calendar.position(arriving) - lag)

    def _leaving(self, edge: int) -> int:
        before = self.network.before[edge]
        return self.finish_second(before) if self.network.from_finish(edge) else self.start_second(before)

    def _arriving(self, edge: int) -> int:
        """Find the last instant that still means the successor's position, so that nothing is lost off work."""
        network, node = self.network, self.network.after[edge]
        fixed = self.fixed.get(node)
        if fixed is not None:
            return fixed[1] if network.to_finish(edge) else fixed[0]
        return network.calendars[network.axis[node]].opening_second(self.positions[network.target[edge]])
