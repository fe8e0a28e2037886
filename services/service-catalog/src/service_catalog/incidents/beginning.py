"""The timeline of an incident: how it began, then each step of its history."""

import json
from typing import Any

from chassis.schemas import instant_text
from service_catalog.incidents.lifecycle import LIFECYCLE


def with_beginning(incident: Any, history: str) -> str:
    """Return a history's JSON text with the step an incident begins with, which is told by the incident itself."""
    if history.startswith("[") and history != "[]" and json.loads(history)[0]["from"] is None:
        return history
    beginning = {
        "at": instant_text(incident["occurred_at"]),
        "from": None,
        "to": LIFECYCLE.initial,
        "reason": None,
        "actor": incident["reported_by"],
        "recorded_at": instant_text(incident["created_at"]),
        "details": {},
    }
    rest = history[1:-1]
    return f"[{json.dumps(beginning)}{',' if rest else ''}{rest}]"
