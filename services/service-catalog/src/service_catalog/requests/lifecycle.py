"""The states of a service request, the ways between them, and what each state brings with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chassis.lifecycle import Guard, Lifecycle, Transition, is_said

AWAITING, APPROVED = "awaiting_approval", "approved"
OVER = frozenset({"fulfilled", "closed"})
DECISIONS = frozenset({APPROVED, "rejected"})
WENT_ON = OVER | {APPROVED, "in_fulfilment", "on_hold"}
"""What nobody reaches without an approval, or without needing one."""
UNFULFILLED = (AWAITING, APPROVED, "in_fulfilment", "on_hold")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A request that is to change its state, with who wants it and what the command says."""

    request: Mapping[str, Any]
    actor: str
    reason: str | None = None
    hold_reason: str | None = None


def _approver_is_another(candidate: Candidate) -> str | None:
    own = {candidate.request[name] for name in ("requester", "requested_for", "submitted_by")}
    return (
        "Somebody else than who asked for it, submitted it, or whom it is for, decides on it."
        if candidate.actor in own
        else None
    )


def _reason_given(candidate: Candidate) -> str | None:
    return None if is_said(candidate.reason) else "This needs a reason."


def _hold_reason_given(candidate: Candidate) -> str | None:
    return None if candidate.hold_reason else "A hold needs a hold_reason."


_ANOTHER = Guard("approver_is_another", _approver_is_another)
_REASON = Guard("reason_given", _reason_given)

LIFECYCLE: Lifecycle[Candidate] = Lifecycle(
    name="The service request",
    initial=AWAITING,
    transitions=(
        Transition(AWAITING, APPROVED, "approved", (_ANOTHER,)),
        Transition(AWAITING, "rejected", "rejected", (_ANOTHER, _REASON)),
        Transition(APPROVED, "in_fulfilment", "started"),
        Transition("in_fulfilment", "on_hold", "held", (Guard("hold_reason_given", _hold_reason_given),)),
        Transition("on_hold", "in_fulfilment", "resumed"),
        Transition("in_fulfilment", "fulfilled", "fulfilled"),
        Transition("fulfilled", "in_fulfilment", "reopened"),
        Transition("fulfilled", "closed", "closed"),
        *(Transition(state, "cancelled", "cancelled", (_REASON,)) for state in UNFULFILLED),
    ),
)


def begun(at: datetime, *, approval_required: bool) -> dict[str, Any]:
    """Return what a new request's course looks like: one that nobody has to approve is approved at once."""
    return {
        "state": AWAITING if approval_required else APPROVED,
        "state_since": at,
        "hold_reason": None,
        "approver": None,
        "approved_at": None if approval_required else at,
        "decision_reason": None,
        "cancellation_reason": None,
        "fulfilled_at": None,
        "outcome": None,
    }


def entered(
    course: Mapping[str, Any],
    to: str,
    at: datetime,
    *,
    actor: str | None = None,
    reason: str | None = None,
    hold_reason: str | None = None,
) -> dict[str, Any]:
    """Return how the course of a request changes when it enters a state, from whichever it comes.

    Who leaves `fulfilled` or `closed` for work has not got what was asked for: what was delivered is forgotten.
    """
    changes: dict[str, Any] = {
        "state": to,
        "state_since": at,
        "hold_reason": hold_reason if to == "on_hold" else None,
        "cancellation_reason": reason if to == "cancelled" else None,
    }
    if to in DECISIONS:
        changes |= {"approver": actor, "decision_reason": reason}
    if to == APPROVED or (to in WENT_ON and course["approved_at"] is None):
        changes["approved_at"] = at
    if to == "fulfilled":
        changes["fulfilled_at"] = at
    elif to == "closed":
        changes["fulfilled_at"] = course["fulfilled_at"] or at
    elif course["state"] in OVER:
        changes |= {"fulfilled_at": None, "outcome": None}
    return changes
