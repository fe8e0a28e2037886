"""How a service is right now, told from what is open around it."""

from collections.abc import Iterable, Mapping
from uuid import UUID

_WORST_FIRST = ("major", "partial", "degraded")
_STATUS_OF = {"major": "major_outage", "partial": "partial_outage", "degraded": "degraded"}


def operational_status(severities: Iterable[str], *, in_maintenance: bool) -> str:
    """Return the worst of what is open: outages by their severity, then maintenance, else `operational`."""
    present = set(severities)
    for severity in _WORST_FIRST:
        if severity in present:
            return _STATUS_OF[severity]
    return "maintenance" if in_maintenance else "operational"


def worst_status(statuses: Iterable[str]) -> str:
    """Return the worst of several operational statuses, `operational` where there is none."""
    order = ["operational", "maintenance", *(_STATUS_OF[severity] for severity in reversed(_WORST_FIRST))]
    return max(statuses, key=order.index, default="operational")


def distances(start: UUID, links: Mapping[UUID, Iterable[UUID]]) -> dict[UUID, int]:
    """Return what the links lead to from a service, the nearest first, each with how many links away it is; it too."""
    found = {start: 0}
    following = [start]
    while following:
        met = dict.fromkeys(end for one in following for end in links.get(one, ()) if end not in found)
        found |= dict.fromkeys(met, found[following[0]] + 1)
        following = [*met]
    return found
