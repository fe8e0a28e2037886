"""How an incident began: told by the incident itself, unless an import has told a step for it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from chassis.history import Course, Entry
from chassis.schemas import instant_text
from service_catalog.incidents.lifecycle import LIFECYCLE
from service_catalog.incidents.links import LINKED, first_link


def with_beginning(incident: Any, history: str) -> str:
    """Return a history's JSON text with the step an incident begins with, which is told by the incident itself."""
    if history.startswith("[") and history != "[]" and json.loads(history)[0]["from"] is None:
        return history
    beginning = _step(incident, instant_text(incident["occurred_at"]), LIFECYCLE.initial, {})
    rest = history[1:-1]
    return f"[{json.dumps(beginning)}{',' if rest else ''}{rest}]"


def moved(before: Mapping[str, Any], occurred_at: datetime) -> Course:
    """Return what makes the step that an incident began with, where one was told, go along with its occurrence.

    One that was told of a later instant stays as long as it does not lie before; none comes to lie after another step.
    """

    def course(steps: Sequence[Entry]) -> Sequence[Entry]:
        first = next((step for step in steps if step.from_state is None), None)
        if first is None:
            return steps
        rest = [step for step in steps if step is not first]
        at = occurred_at if first.at == before["occurred_at"] else max(first.at, occurred_at)
        return [replace(first, at=min([at, *(step.at for step in rest)])), *rest]

    return course


def first_parent(incident: Any, steps: Sequence[Any]) -> list[Any]:
    """Return the step by which an incident was part of another one from its creation on, given those after it."""
    parent = first_link(incident, "parent_id", steps)
    if parent is None:
        return []
    return [_step(incident, instant_text(incident["created_at"]), LINKED, {"parent_id": str(parent)})]


def _step(incident: Any, at: str, to: str, details: dict[str, Any]) -> dict[str, Any]:
    return {
        "at": at,
        "from": None,
        "to": to,
        "reason": None,
        "actor": incident["reported_by"],
        "recorded_at": instant_text(incident["created_at"]),
        "details": details,
    }
