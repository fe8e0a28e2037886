"""Which targets an incident has: the usual ones of its priority, unless a service level says otherwise."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from service_catalog.levels.agreement import in_force
from service_catalog.sla.clocks import METRICS, Metric

AROUND_THE_CLOCK = frozenset({"P1", "P2"})
_USUAL: Mapping[Metric, Mapping[str, int]] = {
    "response_time": {"P1": 15, "P2": 60, "P3": 240, "P4": 480},
    "resolution_time": {"P1": 240, "P2": 480, "P3": 1440, "P4": 4320},
}


class Agreed(NamedTuple):
    """A target with the calendar it is counted on; without one it is counted around the clock."""

    metric: Metric
    priority: str
    minutes: int
    calendar_id: UUID | None
    service_level_id: UUID | None = None


def targets_of(
    priority: str, levels: Iterable[Mapping[str, Any]], service_calendar: UUID | None, occurred_at: datetime
) -> list[Agreed]:
    """Return the targets of a priority by the levels in force when the incident occurred; P5 usually has none."""
    levels = list(levels)
    usual_calendar = None if priority in AROUND_THE_CLOCK else service_calendar
    agreed = []
    for metric in METRICS:
        level = in_force(levels, metric, priority, occurred_at)
        if level is not None:
            calendar = level["calendar_id"] or usual_calendar
            agreed.append(Agreed(metric, priority, int(level["target"]), calendar, level["id"]))
        elif priority in _USUAL[metric]:
            agreed.append(Agreed(metric, priority, _USUAL[metric][priority], usual_calendar))
    return agreed
