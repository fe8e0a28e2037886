"""The course of an incident, from its row and what was written down of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from chassis.schemas import parse_instant
from service_catalog.clocks.reckoning import Step
from service_catalog.sla.clocks import OVER, Course, GivenPriority


def course_of(incident: Mapping[str, Any], steps: Sequence[Any], priorities: Sequence[Any]) -> Course:
    """Return the course; instants that an import told without a history count as steps.

    Where an import told only that an incident was answered or resolved, and not when, its clock has no verdict: it
    counts as given up.
    """
    made = [
        Step(step["to"], parse_instant(step["at"]), step["details"].get("hold_reason"))
        for step in steps
        if step["from"] is not None
    ]
    answered = incident["acknowledged_at"]
    resolved = incident["resolved_at"] if incident["state"] in OVER else None
    if answered is not None and (not made or answered <= made[0].at):
        made.insert(0, Step("acknowledged", answered))
    if resolved is not None and not any((step.state, step.at) == ("resolved", resolved) for step in made):
        made.append(Step("resolved", resolved))
        made.sort(key=lambda step: step.at)
    began, ends = incident["occurred_at"], (incident["resolved_at"], incident["closed_at"])
    if incident["state"] in OVER and ends == (None, None):
        made = _given_up(made)
    if answered is None and made and made[0].at == began and began not in ends:
        made.insert(0, Step("cancelled", began))
    given = [GivenPriority(change["to"], parse_instant(change["at"])) for change in priorities]
    first = priorities[0]["from"] if priorities else incident["priority"]
    return Course(began, made, [GivenPriority(first, began), *given])


def _given_up(steps: Sequence[Step]) -> list[Step]:
    """Return steps with their end, which nobody told the instant of, as a cancellation."""
    last = len(steps)
    while last and steps[last - 1].state in OVER:
        last -= 1
    return [*steps[:last], *(Step("cancelled", step.at) for step in steps[last : last + 1])]
