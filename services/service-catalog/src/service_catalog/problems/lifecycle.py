"""The states of a problem, the ways between them, and what each state brings with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chassis.lifecycle import Guard, Lifecycle, Transition, is_said
from chassis.rejection import Fault

UNRESOLVED = ("open", "investigating", "known_error")
OVER = frozenset({"closed", "cancelled"})
TOLD = OVER | {"known_error"}
"""The states whose beginning the incidents of a problem are told of."""
_SOLVED = frozenset({"resolved", "closed"})
_MESSAGES = {
    "root_cause": "The root cause of the problem is not said.",
    "workaround": "A known error has a workaround.",
    "resolution": "What ended the problem is not said.",
    "factor": "The factor of the problem is not said.",
}
_OF_SOLUTION = ("resolution", "root_cause", "factor")
_NEEDED = {"known_error": ("root_cause", "workaround"), "resolved": _OF_SOLUTION, "closed": _OF_SOLUTION}


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A problem that is to change its state, with what the command says."""

    problem: Mapping[str, Any]
    reason: str | None = None
    said: Mapping[str, str] = field(default_factory=dict)
    """The fields that the command carries."""


def _said(name: str) -> Guard[Candidate]:
    def refuse(candidate: Candidate) -> str | None:
        return None if is_said(candidate.said.get(name, candidate.problem[name])) else _MESSAGES[name]

    return Guard(f"{name}_given", refuse)


def _reason_given(candidate: Candidate) -> str | None:
    return None if is_said(candidate.reason) else "A cancellation needs a reason."


_KNOWN = tuple(_said(name) for name in _NEEDED["known_error"])
_SOLUTION = tuple(_said(name) for name in _OF_SOLUTION)
_CANCELLED = (Guard("reason_given", _reason_given),)

LIFECYCLE: Lifecycle[Candidate] = Lifecycle(
    name="The problem",
    initial="open",
    transitions=(
        Transition("open", "investigating", "investigation_started"),
        Transition("open", "known_error", "known_error_declared", _KNOWN),
        Transition("investigating", "known_error", "known_error_declared", _KNOWN),
        Transition("investigating", "resolved", "resolved", _SOLUTION),
        Transition("known_error", "resolved", "resolved", _SOLUTION),
        Transition("resolved", "closed", "closed", _SOLUTION),
        Transition("resolved", "investigating", "reopened"),
        *(Transition(state, "cancelled", "cancelled", _CANCELLED) for state in UNRESOLVED),
    ),
)


def emptied(state: str, changes: Mapping[str, Any]) -> list[Fault]:
    """Return which changes take away what the state of a problem rests on."""
    return [
        Fault(f"/{name}", "missing", _MESSAGES[name])
        for name in _NEEDED.get(state, ())
        if name in changes and not is_said(changes[name])
    ]


def begun(at: datetime) -> dict[str, Any]:
    """Return what a new problem's course looks like."""
    return {
        "state": LIFECYCLE.initial,
        "state_since": at,
        "known_error_at": None,
        "resolved_at": None,
        "closed_at": None,
        "cancellation_reason": None,
    }


def entered(course: Mapping[str, Any], to: str, at: datetime) -> dict[str, Any]:
    """Return how the course of a problem changes when it enters a state, from whichever it comes.

    What once was a known error stays one. Leaving `resolved` or `closed` for work is a reopening.
    """
    changes: dict[str, Any] = {"state": to, "state_since": at}
    if to == "known_error":
        changes["known_error_at"] = course["known_error_at"] or at
    if to == "resolved":
        changes |= {"resolved_at": at, "closed_at": None}
    elif to == "closed":
        changes |= {"closed_at": at, "resolved_at": course["resolved_at"] or at}
    elif is_reopened(course, to):
        changes |= {"resolved_at": None, "closed_at": None}
    return changes


def is_reopened(course: Mapping[str, Any], to: str) -> bool:
    """Tell whether a step takes up what was solved already; what had solved it no longer does."""
    return course["state"] in _SOLVED and to not in _SOLVED
