"""Which of many new dependencies would close a cycle, found in one look at the graph and a few at what is doubtful."""

from collections.abc import Collection, Sequence
from uuid import UUID

Link = tuple[UUID, UUID]
"""Who depends, and on whom."""
_Ends = tuple[int, int]


def closing(known: Sequence[Link], new: Sequence[Link]) -> set[int]:
    """Return which of the new links, by their places, close a cycle; the later ones give way to the earlier.

    The known links close none. Where all together close none, they are looked at once; else only services on cycles,
    and between them, are looked at for each new link.
    """
    numbers: dict[UUID, int] = {}
    links = [
        (numbers.setdefault(upper, len(numbers)), numbers.setdefault(lower, len(numbers)))
        for upper, lower in (*known, *new)
    ]
    core = _core(len(numbers), links)
    if not core:
        return set()
    order = _Order(len(numbers), [ends for ends in links[: len(known)] if core.issuperset(ends)])
    added = enumerate(links[len(known) :])
    return {place for place, ends in added if core.issuperset(ends) and not order.take(*ends)}


def _core(services: int, links: Sequence[_Ends]) -> set[int]:
    """Return the services on cycles, and those on ways from one cycle to another."""
    for _ in ("without what nothing is above", "without what nothing is below"):
        free = set(_sorted(services, links))
        links = [(lower, upper) for upper, lower in links if upper not in free and lower not in free]
    return {end for ends in links for end in ends}


def _sorted(services: int, links: Collection[_Ends]) -> list[int]:
    """Return services so that each comes before what it depends on, but for cycles and all that is below them."""
    below: list[list[int]] = [[] for _ in range(services)]
    waiting = [0] * services
    for upper, lower in links:
        below[upper].append(lower)
        waiting[lower] += 1
    free = [one for one in range(services) if not waiting[one]]
    for one in free:  # it grows
        for lower in below[one]:
            waiting[lower] -= 1
            if not waiting[lower]:
                free.append(lower)
    return free


class _Order:
    """An order in which each service comes before what it depends on, kept as links are added (Pearce and Kelly)."""

    def __init__(self, services: int, links: Collection[_Ends]) -> None:
        self._below: list[list[int]] = [[] for _ in range(services)]
        self._above: list[list[int]] = [[] for _ in range(services)]
        for ends in links:
            self._join(*ends)
        self._places = [0] * services
        for place, one in enumerate(_sorted(services, links)):
            self._places[one] = place

    def take(self, upper: int, lower: int) -> bool:
        """Add a link, or say that it would close a cycle."""
        places = self._places
        first, last = places[lower], places[upper]
        if first == last:
            return False
        if first < last:
            after = self._reached(self._below, lower, first, last)
            if upper in after:
                return False
            before = self._reached(self._above, upper, first, last)
            moved = [*sorted(before, key=places.__getitem__), *sorted(after, key=places.__getitem__)]
            for one, place in zip(moved, sorted(places[one] for one in moved), strict=True):
                places[one] = place
        self._join(upper, lower)
        return True

    def _join(self, upper: int, lower: int) -> None:
        self._below[upper].append(lower)
        self._above[lower].append(upper)

    def _reached(self, ways: Sequence[Sequence[int]], start: int, first: int, last: int) -> set[int]:
        """Return what links lead to from a service, itself among it, between two places of the order."""
        places = self._places
        found, waiting = {start}, [start]
        while waiting:
            for one in ways[waiting.pop()]:
                if one not in found and first <= places[one] <= last:
                    found.add(one)
                    waiting.append(one)
        return found
