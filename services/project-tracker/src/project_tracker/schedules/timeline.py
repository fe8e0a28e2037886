"""Starts and finishes of all nodes as positions on their calendars, and how an edge carries one to another."""

from project_tracker.schedules.network import Edge, Network


class Timeline:
    """Positions by node; `fixed` holds the instants that no position can tell, as on the edge of a working day."""

    __slots__ = ("finish", "fixed", "network", "start")

    def __init__(self, network: Network) -> None:
        self.network = network
        self.start = [0] * len(network.tasks)
        self.finish = [0] * len(network.tasks)
        self.fixed: dict[int, tuple[int, int]] = {}

    def fix(self, node: int, start: int, finish: int) -> None:
        """Lay a node between two instants, in seconds since 1970."""
        calendar = self.network.calendars[self.network.axis[node]]
        self.start[node] = calendar.position(start)
        self.finish[node] = calendar.position(finish)
        self.fixed[node] = (start, finish)

    def start_second(self, node: int) -> int:
        """Find the instant at which a node starts."""
        fixed = self.fixed.get(node)
        if fixed is not None:
            return fixed[0]
        return self.network.calendars[self.network.axis[node]].opening_second(self.start[node])

    def finish_second(self, node: int) -> int:
        """Find the instant at which a node finishes."""
        fixed = self.fixed.get(node)
        if fixed is not None:
            return fixed[1]
        return self.network.calendars[self.network.axis[node]].closing_second(self.finish[node])

    def touching(self, calendar: int, second: int, *, back: bool = False) -> int:
        """Give the instant itself where it touches working time, else the next start (or the last end) of work."""
        subject = self.network.calendars[calendar]
        position = subject.position(second)
        opening = subject.opening_second(position)
        if opening == second:
            return second
        closing = subject.closing_second(position)
        return second if closing == second else (closing if back else opening)

    def pushed(self, edge: Edge) -> int:
        """Find the earliest position that an edge leaves its successor, on the successor's axis."""
        network, after = self.network, edge.successor
        instant = self._leaving(edge)
        lag = network.lags[edge.number]
        axis = network.calendars[network.axis[after]]
        if network.is_elapsed_lag[edge.number]:
            return axis.position(instant + lag)
        if network.axis[after] == network.calendar[after]:
            return axis.position(instant) + lag
        return axis.position(self._lagged(edge, instant, lag))

    def pushed_instant(self, edge: Edge) -> int:
        """Find the earliest instant that an edge leaves a successor without duration.

        Driven by a finish it closes an interval, else it opens one.
        """
        network, after = self.network, edge.successor
        instant = self._leaving(edge)
        lag = network.lags[edge.number]
        if network.is_elapsed_lag[edge.number]:
            return self.touching(network.calendar[after], instant + lag)
        if edge.from_finish and not lag:
            return instant
        calendar = network.calendars[network.calendar[after]]
        position = calendar.position(instant) + lag
        return calendar.closing_second(position) if edge.from_finish else calendar.opening_second(position)

    def pulled(self, edge: Edge, axis: int) -> int:
        """Find the latest position that an edge leaves its predecessor, on the given axis."""
        network, after = self.network, edge.successor
        lag = network.lags[edge.number]
        if network.is_elapsed_lag[edge.number]:
            return network.calendars[axis].position(self._arriving(edge) - lag)
        calendar = network.calendars[network.calendar[after]]
        if network.axis[after] == network.calendar[after]:
            position = (self.finish if edge.to_finish else self.start)[after] - lag
        else:
            position = calendar.position(self._arriving(edge)) - lag
        if axis == network.calendar[after]:
            return position
        instant = calendar.opening_second(position) if lag else self._arriving(edge)
        return network.calendars[axis].position(instant)

    def pulled_instant(self, edge: Edge, calendar: int) -> int:
        """Find the latest instant that an edge leaves a predecessor without duration."""
        network, after = self.network, edge.successor
        lag = network.lags[edge.number]
        arriving = self.finish_second(after) if edge.to_finish else self.start_second(after)
        if network.is_elapsed_lag[edge.number]:
            return self.touching(calendar, arriving - lag, back=True)
        if not lag:
            return arriving
        subject = network.calendars[network.calendar[after]]
        position = subject.position(arriving) - lag
        return subject.closing_second(position) if edge.to_finish else subject.opening_second(position)

    def _leaving(self, edge: Edge) -> int:
        return self.finish_second(edge.predecessor) if edge.from_finish else self.start_second(edge.predecessor)

    def _lagged(self, edge: Edge, instant: int, lag: int) -> int:
        if not lag:
            return instant
        calendar = self.network.calendars[self.network.calendar[edge.successor]]
        position = calendar.position(instant) + lag
        return calendar.closing_second(position) if edge.from_finish else calendar.opening_second(position)

    def _arriving(self, edge: Edge) -> int:
        """Find the last instant that still means the successor's position, so that nothing is lost off work."""
        node = edge.successor
        fixed = self.fixed.get(node)
        if fixed is not None:
            return fixed[1] if edge.to_finish else fixed[0]
        position = (self.finish if edge.to_finish else self.start)[node]
        return self.network.calendars[self.network.axis[node]].opening_second(position)
