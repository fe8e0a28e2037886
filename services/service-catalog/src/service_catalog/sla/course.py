"""The course of an incident, from its row and what was written down of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from chassis.schemas import parse_instant
from service_catalog.clocks.reckoning import Step
from service_catalog.sla.clocks import OVER, Course, GivenPriority


def course_of(incident: Mapping[str, Any], steps: Sequence[Any], priorities: Sequence[Any]) -> Course:
    """Return the course; instants that an import told without a history count as steps."""
    made = [
        Step(step["to"], parse_instant(step["at"]), step["details"].get("hold_reason"))
        for step in steps
        if step["from"] is not None
    ]
    answered = incident["acknowledged_at"]
    resolved = incident["resolved_at"] if incident["state"] in OVER else None
    if answered is not None and (not made or answered < made[0].at):
        made.insert(0, Step("acknowledged", answered))
    if resolved is not None and not any((step.state, step.at) == ("resolved", resolved) for step in made):
        made.append(Step("resolved", resolved))
        made.sort(key=lambda step: step.at)
    given = [GivenPriority(change["to"], parse_instant(change["at"])) for change in priorities]
    first = priorities[0]["from"] if priorities else incident["priority"]
    return Course(incident["occurred_at"], made, [GivenPriority(first, incident["occurred_at"]), *given])
