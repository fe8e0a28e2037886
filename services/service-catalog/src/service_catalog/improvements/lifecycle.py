"""The states of an improvement, the ways between them, and what each state brings with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chassis.lifecycle import Guard, Lifecycle, Transition, is_said
from chassis.rejection import Fault

OPEN = ("proposed", "approved", "in_progress", "on_hold")
OVER = frozenset({"closed", "cancelled"})
STARTED = frozenset({"in_progress", "on_hold", "closed"})
APPROVED = STARTED | {"approved"}
_NO_PLANNED_END = "What is approved has a planned_end."


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An improvement that is to change its state, with what the command says."""

    improvement: Mapping[str, Any]
    reason: str | None = None
    outcome: str | None = None


def _planned_end_set(candidate: Candidate) -> str | None:
    return None if candidate.improvement["planned_end"] else _NO_PLANNED_END


def _outcome_given(candidate: Candidate) -> str | None:
    return None if candidate.outcome else "What is closed was successful, partial or unsuccessful."


def _reason_given(candidate: Candidate) -> str | None:
    return None if is_said(candidate.reason) else "A cancellation needs a reason."


_APPROVED = (Guard("planned_end_set", _planned_end_set),)
_CLOSED = (Guard("outcome_given", _outcome_given),)
_CANCELLED = (Guard("reason_given", _reason_given),)

LIFECYCLE: Lifecycle[Candidate] = Lifecycle(
    name="The improvement",
    initial="proposed",
    transitions=(
        Transition("proposed", "approved", "approved", _APPROVED),
        Transition("approved", "in_progress", "started"),
        Transition("in_progress", "on_hold", "held"),
        Transition("on_hold", "in_progress", "resumed"),
        Transition("in_progress", "closed", "closed", _CLOSED),
        Transition("on_hold", "closed", "closed", _CLOSED),
        *(Transition(state, "cancelled", "cancelled", _CANCELLED) for state in OPEN),
    ),
)


def emptied(improvement: Mapping[str, Any], changes: Mapping[str, Any]) -> list[Fault]:
    """Return which changes take away what the state of an improvement rests on."""
    if improvement["state"] not in APPROVED - OVER or improvement["planned_end"] is None:
        return []
    return [] if changes.get("planned_end", True) else [Fault("/planned_end", "missing", _NO_PLANNED_END)]


def begun(at: datetime) -> dict[str, Any]:
    """Return what a new improvement's course looks like."""
    return {
        "state": LIFECYCLE.initial,
        "state_since": at,
        "first_planned_end": None,
        "approved_at": None,
        "started_at": None,
        "closed_at": None,
        "outcome": None,
        "cancellation_reason": None,
    }


def entered(course: Mapping[str, Any], to: str, at: datetime, planned_end: datetime | None) -> dict[str, Any]:
    """Return how the course of an improvement changes when it enters a state, from whichever it comes.

    The end that was planned when it was first approved stays, however often it is planned anew. What was approved or
    started nobody knows when stays so, whatever becomes of it.
    """
    before = course["state"]
    changes: dict[str, Any] = {"state": to, "state_since": at, "closed_at": at if to == "closed" else None}
    if to in APPROVED:
        changes["first_planned_end"] = course["first_planned_end"] or planned_end
    if to in APPROVED and before not in APPROVED:
        changes["approved_at"] = course["approved_at"] or at
    if to in STARTED and before not in STARTED:
        changes["started_at"] = course["started_at"] or at
    return changes
