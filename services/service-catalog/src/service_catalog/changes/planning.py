"""What of a change is planned, soundly and until when otherwise, and for which span it occupies its services."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chassis.rejection import Fault, Rejection

PLANS = frozenset({"implementation_plan", "backout_plan"})
PLANNED = PLANS | {"service_ids", "type", "risk", "planned_start", "planned_end", "opens_maintenance_window"}
"""What an approval is about."""
_OPEN = frozenset({"draft", "requested"})


def span_faults(planned_start: datetime | None, planned_end: datetime | None) -> list[Fault]:
    """Return what is wrong with a planned span: it ends after its start."""
    if planned_start is None or planned_end is None or planned_end > planned_start:
        return []
    return [Fault("/planned_end", "before-start", "A change ends after its start.")]


def occupied(row: Mapping[str, Any], now: datetime) -> tuple[datetime, datetime | None] | None:
    """Return the span for which a change occupies its services; None for one that is neither planned nor begun.

    That is the planned one, and the real one as far as it is known. What is being implemented past its planned end, or
    without one, goes on: its end is None.
    """
    begin = row["actual_start"] or row["planned_start"]
    end = row["actual_end"] or row["planned_end"]
    if begin is None:
        return None
    if row["state"] == "implementing" and (end is None or end <= now):
        return begin, None
    return None if end is None else (begin, end)


def fixed(row: Mapping[str, Any], changes: Mapping[str, Any]) -> Rejection | None:
    """Refuse to change what an approval is about where that is past; and the requester of what was requested.

    An emergency change that began without an approval has its plans written down until it gets one.
    """
    closed = set[str]() if row["state"] in _OPEN else set(PLANNED)
    if row["type"] == "emergency" and row["approved_at"] is None:
        closed -= PLANS
    if row["state"] != "draft":
        closed.add("requester")
    touched = sorted(name for name in closed & changes.keys() if changes[name] != row[name])
    if not touched:
        return None
    message = f"In the state {row['state']} these stay as they are: {', '.join(touched)}."
    return Rejection("conflict", "change-fixed", message, extra={"fields": touched})
