"""What clients send and see of acceptance criteria."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from chassis.schemas import (
    UNSET,
    VISIBLE,
    ExternalIdentity,
    Input,
    Instant,
    LabelChanges,
    Labels,
    Name,
    Patch,
    Text,
    Traceable,
)

Dimension = Literal["process", "technology", "people"]
Status = Literal["open", "passed", "failed", "waived"]
Decision = Literal["passed", "failed", "waived"]
NeededFor = Literal["acceptance", "early_life_support_exit"]
EVIDENCE_MAX = 100
Demand = Annotated[Text, VISIBLE]

EXAMPLE: dict[str, Any] = {
    "dimension": "people",
    "text": "Two members of the support team have restored the service from its backup.",
    "mandatory": True,
    "evidence": [{"title": "Minutes of the exercise", "reference": "https://wiki.example.com/restore"}],
}


class Evidence(Input):
    """Something that shows whether a criterion is met."""

    title: Name
    reference: Text | None = None
    """Where it is found."""


EvidenceList = Annotated[list[Evidence], Field(max_length=EVIDENCE_MAX)]


class NewCriterion(ExternalIdentity):
    """A criterion to be met; it begins as `open`."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    dimension: Dimension
    text: Demand
    mandatory: bool = True
    """Whether the service is supported only once it is passed or waived."""
    needed_for: NeededFor = "acceptance"
    """`early_life_support_exit`: it is met when early-life support ends, so a handover is accepted without it."""
    evidence: EvidenceList = []
    labels: Labels = {}


class CriterionItem(ExternalIdentity):
    """A criterion of a batch; one with an external id that is known changes in what is sent only, any other is added.

    A decided one takes only evidence and labels. `status` and what belongs to a decision bring one along that was made
    in another tool, and need the scope `catalog:import`.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "external_source": "checklists",
                "external_id": "ops-14",
                **EXAMPLE,
                "status": "passed",
                "decided_at": "2025-03-03T14:00:00Z",
                "approver": "ada",
            }
        }
    )

    dimension: Dimension | None = None
    """Needed for a new criterion, as the text is."""
    text: Demand | None = None
    mandatory: bool | None = None
    """Whether the service is supported only once it is passed or waived; it is, if not said."""
    needed_for: NeededFor | None = None
    """`acceptance`, if not said."""
    evidence: EvidenceList = []
    status: Status | None = None
    """How it was decided; what is decided is never open again."""
    decided_at: Instant | None = None
    """Not in the future; now, if not said."""
    decision_reason: Text | None = None
    """Needed for `failed` and `waived`."""
    approver: Name | None = None
    """Who stands for the decision; whoever sends it, if not said."""
    labels: Labels = {}


class CriterionPatch(Patch):
    """Changes of a criterion (a merge patch); a decided one takes only evidence and labels."""

    model_config = ConfigDict(json_schema_extra={"example": {"mandatory": False}})

    dimension: Dimension = UNSET
    text: Demand = UNSET
    mandatory: bool = UNSET
    needed_for: NeededFor = UNSET
    evidence: EvidenceList = UNSET
    labels: LabelChanges = UNSET


class CriterionDecision(Input):
    """What is decided on a criterion, why, and by whose approval."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"decision": "waived", "reason": "On call from May on.", "approver": "ada"}}
    )

    decision: Decision
    reason: Text | None = None
    """Needed for `failed` and `waived`."""
    approver: Name | None = None
    """Who stands for the decision; the caller, if not said."""


class Criterion(Traceable):
    """What processes, technology or people have to be, and whether they are."""

    service_id: UUID
    dimension: Dimension
    text: str
    mandatory: bool
    needed_for: NeededFor
    status: Status
    evidence: list[Evidence]
    decided_at: Instant | None
    decision_reason: str | None
    approver: str | None
