"""The states of a handover, and what stands in the way of its acceptance."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chassis.lifecycle import Guard, Lifecycle, Transition, is_said
from service_catalog.acceptance.lifecycle import criterion_path, unsettled

ACCEPTED_DELIVERABLE = frozenset({"accepted", "accepted_conditionally"})
_IN_DELIVERY = frozenset({"delivering", "supporting"})
STATE_OF = {"accept": "accepted", "reject": "rejected"}
TEXT_TOLD = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A handover that is to be decided: its row, the service's state and criteria, and the reason given."""

    handover: Mapping[str, Any]
    service_state: str = ""
    criteria: Sequence[Mapping[str, Any]] = ()
    reason: str | None = None
    newer_attempt: bool = False

    def unmet_criteria(self) -> list[Mapping[str, Any]]:
        """Return the mandatory criteria that are not settled; those of early-life support's exit are met later."""
        return [one for one in unsettled(self.criteria) if one["needed_for"] == "acceptance"]


def _service_in_delivery(candidate: Candidate) -> str | None:
    state = candidate.service_state
    return None if state in _IN_DELIVERY else f"The service is {state}; what is handed over is delivered first."


def _service_path(candidate: Candidate) -> str:
    return f"services/{candidate.handover['service_id']}"


def _deliverables_accepted(candidate: Candidate) -> str | None:
    number = sum(one["acceptance"]["status"] not in ACCEPTED_DELIVERABLE for one in candidate.handover["deliverables"])
    return f"{number} deliverables are not accepted." if number else None


def _mandatory_criteria_passed(candidate: Candidate) -> str | None:
    number = len(candidate.unmet_criteria())
    return f"{number} mandatory acceptance criteria are neither passed nor waived." if number else None


def _first_unmet(candidate: Candidate) -> str:
    return criterion_path(candidate.handover["service_id"], candidate.unmet_criteria()[0])


def _reason_given(candidate: Candidate) -> str | None:
    return None if is_said(candidate.reason) else "A rejection needs a reason."


def _newer_attempt(candidate: Candidate) -> str | None:
    return None if candidate.newer_attempt else "Only a newer attempt of the project takes its place."


LIFECYCLE: Lifecycle[Candidate] = Lifecycle(
    name="The handover",
    initial="requested",
    transitions=(
        Transition(
            "requested",
            "accepted",
            "accepted",
            (
                Guard("service_in_delivery", _service_in_delivery, _service_path),
                Guard("deliverables_accepted", _deliverables_accepted),
                Guard("mandatory_criteria_passed", _mandatory_criteria_passed, _first_unmet),
            ),
        ),
        Transition("requested", "rejected", "rejected", (Guard("reason_given", _reason_given),)),
        Transition("requested", "superseded", "superseded", (Guard("newer_attempt", _newer_attempt),)),
    ),
)


def told_criteria(candidate: Candidate, bytes_max: int) -> list[dict[str, Any]]:
    """Return the unmet criteria as a rejection tells them: their texts cut short, and as many as there is room for."""
    told: list[dict[str, Any]] = []
    left = bytes_max
    for one in candidate.unmet_criteria():
        document = {
            "criterion_id": str(one["id"]),
            "dimension": one["dimension"],
            "text": one["text"][:TEXT_TOLD],
            "status": one["status"],
        }
        left -= len(json.dumps(document, ensure_ascii=False).encode()) + 2
        if left < 0:
            break
        told.append(document)
    return told
