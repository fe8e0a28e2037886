"""How a criterion is decided; a decision may be replaced by another one, never taken back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chassis.lifecycle import Guard, Lifecycle, Transition, is_said
from chassis.rejection import Rejection

OPEN = "open"
DECISIONS = ("passed", "failed", "waived")
DECIDED = Rejection("conflict", "criterion-decided", "What a decided criterion demands does not change any more.")
NEVER_OPEN_AGAIN = Rejection(
    "conflict", "criterion-decided", "A decision is replaced by another one, never taken back."
)
NEED_REASON = frozenset({"failed", "waived"})
_SETTLED = frozenset({"passed", "waived"})


@dataclass(frozen=True, slots=True)
class Candidate:
    """A criterion that is to be decided, for a reason."""

    reason: str | None = None


def _reason_given(candidate: Candidate) -> str | None:
    return None if is_said(candidate.reason) else "This decision needs a reason."


_REASON_GIVEN = Guard("reason_given", _reason_given)

LIFECYCLE: Lifecycle[Candidate] = Lifecycle(
    name="The criterion",
    initial=OPEN,
    transitions=tuple(
        Transition(source, target, target, (_REASON_GIVEN,) if target in NEED_REASON else ())
        for source in (OPEN, *DECISIONS)
        for target in DECISIONS
        if source != target
    ),
)


def unsettled(criteria: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the mandatory criteria that are neither passed nor waived."""
    return [one for one in criteria if one["mandatory"] and one["status"] not in _SETTLED]


def criterion_path(service_id: UUID, criterion: Mapping[str, Any]) -> str:
    """Return the path of a service's criterion below `/v1`."""
    return f"services/{service_id}/acceptance-criteria/{criterion['id']}"
