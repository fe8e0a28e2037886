"""The states of an outage; its end may also be set as a field, and the state follows."""

from dataclasses import dataclass

from chassis.lifecycle import Guard, Lifecycle, Transition, is_said

WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An outage that is to change its state, for a reason."""

    reason: str | None = None


def _reason_given(candidate: Candidate) -> str | None:
    return None if is_said(candidate.reason) else "A withdrawal needs a reason."


_REASON_GIVEN = Guard("reason_given", _reason_given)

LIFECYCLE: Lifecycle[Candidate] = Lifecycle(
    name="The outage",
    initial="open",
    transitions=(
        Transition("open", "ended", "ended"),
        Transition("ended", "open", "reopened"),
        Transition("open", WITHDRAWN, "withdrawn", (_REASON_GIVEN,)),
        Transition("ended", WITHDRAWN, "withdrawn", (_REASON_GIVEN,)),
    ),
)
