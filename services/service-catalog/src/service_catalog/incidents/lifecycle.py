"""The states of an incident, the ways between them, and what each state brings with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.lifecycle import Guard, Lifecycle, Transition
from chassis.rejection import Fault, Rejection

UNRESOLVED = ("new", "acknowledged", "in_progress", "on_hold")
CANCEL_REASONS = ("duplicate", "not_an_incident", "other")
_OVER = frozenset({"resolved", "closed"})
_ENDED = _OVER | {"cancelled"}
_FINAL = frozenset({"closed", "cancelled"})
_CLOCKED = frozenset({"service_id", "impact", "urgency", "occurred_at"})
_RESPONDED = frozenset({"acknowledged", "in_progress", "on_hold", "resolved", "closed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An incident that is to change its state, with what the command says; which other one has its dedup_key now."""

    incident: Mapping[str, Any]
    reason: str | None = None
    hold_reason: str | None = None
    resolution: str | None = None
    factor: str | None = None
    dedup_key_holder: UUID | None = None


def _hold_reason_given(candidate: Candidate) -> str | None:
    return None if candidate.hold_reason else "A hold needs a hold_reason."


def _resolution_given(candidate: Candidate) -> str | None:
    resolution = candidate.resolution or candidate.incident["resolution"]
    return None if resolution and resolution.strip() else "The incident needs a resolution."


def _factor_given(candidate: Candidate) -> str | None:
    return None if candidate.factor or candidate.incident["factor"] else "The incident needs a factor."


def _cancel_reason_given(candidate: Candidate) -> str | None:
    if candidate.reason in CANCEL_REASONS:
        return None
    return f"A cancellation needs one of the reasons {', '.join(CANCEL_REASONS)}."


def _dedup_key_free(candidate: Candidate) -> str | None:
    return "Another unresolved incident carries its dedup_key." if candidate.dedup_key_holder else None


def _dedup_key_holder(candidate: Candidate) -> str:
    return f"incidents/{candidate.dedup_key_holder}"


_HELD = (Guard("hold_reason_given", _hold_reason_given),)
_RESOLVED = (Guard("resolution_given", _resolution_given), Guard("factor_given", _factor_given))
_REOPENED = (Guard("dedup_key_free", _dedup_key_free, _dedup_key_holder),)
_CANCELLED = (Guard("cancel_reason_given", _cancel_reason_given),)

LIFECYCLE: Lifecycle[Candidate] = Lifecycle(
    name="The incident",
    initial="new",
    transitions=(
        Transition("new", "acknowledged", "acknowledged"),
        Transition("new", "in_progress", "started"),
        Transition("acknowledged", "in_progress", "started"),
        Transition("in_progress", "on_hold", "held", _HELD),
        Transition("on_hold", "in_progress", "resumed"),
        *(Transition(state, "resolved", "resolved", _RESOLVED) for state in UNRESOLVED),
        Transition("resolved", "closed", "closed"),
        Transition("resolved", "in_progress", "reopened", _REOPENED),
        *(Transition(state, "cancelled", "cancelled", _CANCELLED) for state in UNRESOLVED),
    ),
)


def faults_of_changes(state: str, changes: Mapping[str, Any]) -> list[Fault]:
    """Return which changes do not go with a state: what is resolved keeps a factor and a resolution."""
    if state not in _OVER and changes.get("resolution") is not None:
        return [Fault("/resolution", "not-allowed", "Only what is resolved has a resolution.")]
    return faults_of_loss(state, changes)


def faults_of_loss(state: str, changes: Mapping[str, Any]) -> list[Fault]:
    """Return what an incident would lose that one in this state has."""
    if state not in _OVER:
        return []
    return [
        Fault(f"/{name}", "missing", f"What is resolved has a {name}.")
        for name in ("factor", "resolution")
        if name in changes and not (changes[name] or "").strip()
    ]


def once_over(row: Mapping[str, Any], changes: Mapping[str, Any]) -> Rejection | None:
    """Refuse to change what the clocks of an incident ran by once it is closed or cancelled."""
    fixed = sorted(_CLOCKED & changes.keys())
    if not fixed or row["state"] not in _FINAL:
        return None
    detail = f"What is {row['state']} keeps what its clocks ran by: its service, impact, urgency and beginning."
    return Rejection("conflict", "incident-over", detail, extra={"fields": fixed})


def begun(occurred_at: datetime) -> dict[str, Any]:
    """Return what a new incident's course looks like."""
    return {
        "state": LIFECYCLE.initial,
        "state_since": occurred_at,
        "hold_reason": None,
        "cancel_reason": None,
        "acknowledged_at": None,
        "resolved_at": None,
        "closed_at": None,
        "resolution": None,
        "reopened_count": 0,
        "resolved_before_reopening_seconds": 0,
    }


def entered(course: Mapping[str, Any], to: str, at: datetime, hold_reason: str | None = None) -> dict[str, Any]:
    """Return how the course of an incident changes when it enters a state, from whichever it comes.

    The response is the first state after `new` but a cancellation; when an import has not told of that, nobody knows.
    What is resolved again has been so since the first time. Leaving `resolved` or `closed` for work is a reopening: the
    time it stood there is added up, in seconds, and what resolved it no longer does.
    """
    changes: dict[str, Any] = {"state": to, "state_since": at, "hold_reason": hold_reason if to == "on_hold" else None}
    if to in _RESPONDED and course["state"] not in _RESPONDED and course["acknowledged_at"] is None:
        changes["acknowledged_at"] = at
    if to == "resolved":
        since = course["resolved_at"] if course["state"] in _OVER else None
        changes |= {"resolved_at": since or at, "closed_at": None}
    elif to == "closed":
        changes |= {"closed_at": at, "resolved_at": course["resolved_at"] or at}
    elif course["state"] in _ENDED:
        changes |= {"resolved_at": None, "closed_at": None, "resolution": None}
        if course["state"] in _OVER and to != "cancelled":
            stood = (at - (course["resolved_at"] or at)).total_seconds()
            changes |= {
                "reopened_count": course["reopened_count"] + 1,
                "resolved_before_reopening_seconds": course["resolved_before_reopening_seconds"] + max(0, round(stood)),
            }
    return changes
