"""Whose an incident is, and how grave: its service, team, assignee and the major flag, as steps of its timeline."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chassis.history import Entry

FIELDS = ("service_id", "major", "assigned_team", "assignee")
CHANGED = "changed"


def handling_steps(before: Mapping[str, Any], changes: Mapping[str, Any], at: datetime) -> list[Entry]:
    """Return a step for each of these fields that changes, saying from what to what."""
    return [
        Entry(
            resource_id=before["id"],
            at=at,
            to_state=CHANGED,
            details={"field": name, "before": _plain(before[name]), "after": _plain(changes[name])},
        )
        for name in FIELDS
        if name in changes and changes[name] != before[name]
    ]


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool) else str(value)
