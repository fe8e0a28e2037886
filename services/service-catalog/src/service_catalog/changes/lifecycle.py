"""The states of a change, the ways between them, and what each state brings with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chassis.lifecycle import Guard, Lifecycle, Transition, is_said

UNDER_WAY = frozenset({"implementing", "review"})
_PLANNED = ("draft", "requested", "approved", "scheduled")
NAMED_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A change that is to change its state, with what the command says and who gives it.

    `proposers` are its requester and whoever wrote it down or requested it; `in_the_way` names what it conflicts with
    and has to give way to.
    """

    change: Mapping[str, Any]
    actor: str
    proposers: frozenset[str] = frozenset()
    reason: str | None = None
    outcome: str | None = None
    accept_conflicts: bool = False
    in_the_way: Sequence[str] = ()


def is_pre_approved(change: Mapping[str, Any]) -> bool:
    """Tell whether a change needs nobody's approval: a standard one of low risk."""
    return bool(change["type"] == "standard" and change["risk"] == "low")


def _planned_window_set(candidate: Candidate) -> str | None:
    is_set = candidate.change["planned_start"] is not None and candidate.change["planned_end"] is not None
    return None if is_set else "The change needs planned_start and planned_end."


def _risk_assessed(candidate: Candidate) -> str | None:
    return None if candidate.change["risk"] else "The change needs a risk: low, medium or high."


def _backout_plan_set(candidate: Candidate) -> str | None:
    change = candidate.change
    if (change["type"] != "normal" and change["risk"] != "high") or is_said(change["backout_plan"]):
        return None
    return "A normal change, and any of high risk, needs a backout_plan."


def _approver_is_another(candidate: Candidate) -> str | None:
    if candidate.actor not in candidate.proposers:
        return None
    return "A change is approved by somebody else than who wants it, wrote it down or requested it."


def _approved(candidate: Candidate) -> str | None:
    if candidate.change["approved_at"] is not None or is_pre_approved(candidate.change):
        return None
    return "The change has not been approved."


def _pre_approved(candidate: Candidate) -> str | None:
    return None if is_pre_approved(candidate.change) else "Only a standard change of low risk needs no approval."


def _no_conflict(candidate: Candidate) -> str | None:
    names = candidate.in_the_way
    if candidate.accept_conflicts or not names:
        return None
    more = len(names) - NAMED_MAX
    told = ", ".join(names[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
    return f"At that time its services belong to {told}; an approver may accept_conflicts."


def _first_in_the_way(candidate: Candidate) -> str:
    return candidate.in_the_way[0]


def _acceptance_reason_given(candidate: Candidate) -> str | None:
    is_given = not candidate.accept_conflicts or is_said(candidate.reason)
    return None if is_given else "Conflicts are accepted for a reason."


def _is_emergency(candidate: Candidate) -> str | None:
    return (
        None if candidate.change["type"] == "emergency" else "Only an emergency change may begin without an approval."
    )


def _emergency_reason_given(candidate: Candidate) -> str | None:
    is_given = is_said(candidate.reason) or is_said(candidate.change["reason"])
    return None if is_given else "An emergency needs a reason, the change's own or the command's."


def _approved_afterwards(candidate: Candidate) -> str | None:
    if candidate.change["type"] != "emergency" or candidate.change["approved_at"] is not None:
        return None
    return "An emergency change that was not approved before is approved afterwards, before it is closed."


def _outcome_given(candidate: Candidate) -> str | None:
    return None if candidate.outcome or candidate.change["outcome"] else "What is closed has an outcome."


def _reason_given(candidate: Candidate) -> str | None:
    return None if is_said(candidate.reason) else "This needs a reason."


def _under_way(candidate: Candidate) -> str | None:
    if candidate.change["state"] in UNDER_WAY:
        return None
    return "Only what is being implemented or reviewed is approved afterwards."


def _not_approved_yet(candidate: Candidate) -> str | None:
    return None if candidate.change["approved_at"] is None else "The change has been approved already."


_PLANNED_WINDOW_SET = Guard("planned_window_set", _planned_window_set)
_BACKOUT_PLAN_SET = Guard("backout_plan_set", _backout_plan_set)
_APPROVER_IS_ANOTHER = Guard("approver_is_another", _approver_is_another)
_APPROVED = Guard("approved", _approved)
_IS_EMERGENCY = Guard("is_emergency", _is_emergency)
_REASON_GIVEN = Guard("reason_given", _reason_given)
_FREE = (
    Guard("acceptance_reason_given", _acceptance_reason_given),
    Guard("no_conflict", _no_conflict, _first_in_the_way),
)
_AT_ONCE = (_IS_EMERGENCY, Guard("emergency_reason_given", _emergency_reason_given))

LIFECYCLE: Lifecycle[Candidate] = Lifecycle(
    name="The change",
    initial="draft",
    transitions=(
        Transition("draft", "requested", "requested"),
        Transition(
            "requested",
            "approved",
            "approved",
            (_PLANNED_WINDOW_SET, Guard("risk_assessed", _risk_assessed), _BACKOUT_PLAN_SET, _APPROVER_IS_ANOTHER),
        ),
        Transition("requested", "rejected", "rejected", (_REASON_GIVEN,)),
        Transition(
            "draft", "scheduled", "scheduled", (Guard("pre_approved", _pre_approved), _PLANNED_WINDOW_SET, *_FREE)
        ),
        Transition("approved", "scheduled", "scheduled", (_APPROVED, _PLANNED_WINDOW_SET, _BACKOUT_PLAN_SET, *_FREE)),
        Transition("scheduled", "implementing", "started", (_APPROVED,)),
        Transition("draft", "implementing", "started", _AT_ONCE),
        Transition("requested", "implementing", "started", _AT_ONCE),
        Transition("implementing", "review", "implemented"),
        Transition(
            "review",
            "closed",
            "closed",
            (Guard("outcome_given", _outcome_given), Guard("approved_afterwards", _approved_afterwards)),
        ),
        *(Transition(state, "cancelled", "cancelled", (_REASON_GIVEN,)) for state in _PLANNED),
    ),
)

# Not a change of state, but judged in the same way.
APPROVAL_AFTERWARDS: Transition[Candidate] = Transition(
    "review",
    "review",
    "approved_afterwards",
    (
        _IS_EMERGENCY,
        Guard("under_way", _under_way),
        Guard("not_approved_yet", _not_approved_yet),
        _APPROVER_IS_ANOTHER,
    ),
)


def begun(at: datetime) -> dict[str, Any]:
    """Return what a new change's course looks like."""
    return {
        "state": LIFECYCLE.initial,
        "state_since": at,
        "approved_at": None,
        "approved_by": None,
        "actual_start": None,
        "actual_end": None,
        "outcome": None,
        "rejection_reason": None,
        "cancellation_reason": None,
    }


def entered(course: Mapping[str, Any], to: str, at: datetime, reason: str | None = None) -> dict[str, Any]:
    """Return how the course of a change changes when it enters a state, from whichever it comes.

    It begins when it is first implemented, and ends when that is over.
    """
    changes: dict[str, Any] = {"state": to, "state_since": at}
    match to:
        case "approved":
            changes["approved_at"] = at
        case "rejected":
            changes["rejection_reason"] = reason
        case "cancelled":
            changes["cancellation_reason"] = reason
        case "implementing":
            changes |= {"actual_start": course["actual_start"] or at, "actual_end": None}
        case "review" | "closed" if course["actual_start"] is not None:
            changes["actual_end"] = course["actual_end"] or at
        case _:
            pass
    return changes
