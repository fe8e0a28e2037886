"""The states of a maintenance window, and the ways between them."""

from dataclasses import dataclass

from chassis.lifecycle import Guard, Lifecycle, Transition, is_said

CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A window that is to change its state, for a reason."""

    reason: str | None = None


def _reason_given(candidate: Candidate) -> str | None:
    return None if is_said(candidate.reason) else "A cancellation needs a reason."


_REASON_GIVEN = Guard("reason_given", _reason_given)

LIFECYCLE: Lifecycle[Candidate] = Lifecycle(
    name="The maintenance window",
    initial="scheduled",
    transitions=(
        Transition("scheduled", "in_progress", "started"),
        Transition("in_progress", "completed", "completed"),
        Transition("scheduled", CANCELLED, "cancelled", (_REASON_GIVEN,)),
        Transition("in_progress", CANCELLED, "cancelled", (_REASON_GIVEN,)),
    ),
)
