"""What of a change is planned, what makes it a sound plan, and until when it may be planned otherwise."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chassis.rejection import Fault, Rejection

PLANNED = frozenset({"service_ids", "type", "risk", "planned_start", "planned_end", "opens_maintenance_window"})
"""What an approval is about."""
_OPEN = frozenset({"draft", "requested"})


def span_faults(planned_start: datetime | None, planned_end: datetime | None) -> list[Fault]:
    """Return what is wrong with a planned span: it ends after its start."""
    if planned_start is None or planned_end is None or planned_end > planned_start:
        return []
    return [Fault("/planned_end", "before-start", "A change ends after its start.")]


def fixed(row: Mapping[str, Any], changes: Mapping[str, Any]) -> Rejection | None:
    """Refuse to change what an approval is about where that is past; and the requester of what was requested."""
    closed = set[str]() if row["state"] in _OPEN else set(PLANNED)
    if row["state"] != "draft":
        closed.add("requester")
    touched = sorted(name for name in closed & changes.keys() if changes[name] != row[name])
    if not touched:
        return None
    message = f"In the state {row['state']} these stay as they are: {', '.join(touched)}."
    return Rejection("conflict", "change-fixed", message, extra={"fields": touched})
