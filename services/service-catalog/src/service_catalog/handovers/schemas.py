"""What a project tells when it hands over, and what clients send and see of handovers."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from chassis.schemas import Day, Input, Instant, Key, Name, Output, Text, Traceable
from service_catalog.acceptance.schemas import Demand, Dimension, Status
from service_catalog.incidents.priority import Priority
from service_catalog.incidents.schemas import Factor
from service_catalog.levels.agreement import Metric
from service_catalog.levels.schemas import Target
from service_catalog.services.schemas import Type

State = Literal["requested", "accepted", "rejected", "superseded"]
PARTS_MAX = 200
Number = Annotated[int, Field(ge=1, le=2**31 - 1)]

EXAMPLE: dict[str, Any] = {
    "id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "version": 1,
    "project_id": "01890a5d-ac96-774b-bcce-b302099a8058",
    "project_key": "web-shop-2",
    "attempt": 1,
    "service": {"key": "web-shop", "name": "Web shop", "type": "business"},
    "deliverables": [
        {
            "id": "01890a5d-ac96-774b-bcce-b302099a8059",
            "name": "Shop in production",
            "acceptance": {
                "status": "accepted",
                "accepted_by": "ada",
                "accepted_at": "2026-03-02T09:00:00Z",
                "conditions": [],
            },
        }
    ],
    "service_levels": [{"metric": "availability", "target": "99.9"}],
    "acceptance_criteria": [
        {"dimension": "process", "text": "Who is called at night is written down.", "mandatory": True},
        {"dimension": "technology", "text": "A backup was restored.", "mandatory": True},
        {"dimension": "people", "text": "Two members of the team can restore it.", "mandatory": True},
    ],
    "support_documents": [{"title": "Runbook", "reference": "https://wiki.example.com/shop"}],
    "known_errors": [{"title": "The search is slow after midnight", "workaround": "Wait until one."}],
    "residual_risks": [{"title": "The supplier may be sold", "factor": "supplier", "owner": "grace"}],
    "early_life_support_end": "2026-04-30",
    "early_life_support_exit_criteria": ["Two weeks without a major incident."],
    "state": "requested",
    "requested_by": "grace",
    "requested_at": "2026-03-02T10:00:00Z",
}


class Told(BaseModel):
    """What a project tells: strict in the fields known here, and what it may add one day is passed over."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, json_schema_serialization_defaults_required=True, use_attribute_docstrings=True
    )


class DeliverableAcceptance(Told):
    """Whether a deliverable was accepted in its project, by whom, and on which conditions."""

    status: Literal["open", "accepted", "accepted_conditionally", "rejected"]
    accepted_by: Name | None = None
    accepted_at: Instant | None = None
    conditions: Annotated[list[Text], Field(max_length=PARTS_MAX)] = []


class HandedDeliverable(Told):
    """What the project has made."""

    id: UUID
    name: Name
    acceptance: DeliverableAcceptance


class ProposedLevel(Told):
    """A service level that the project proposes; agreed when the handover is accepted, where there is none."""

    metric: Metric
    target: Target
    """Of `availability` and `csat` percent, of `response_time` and `resolution_time` working minutes."""
    priority: Priority | None = None
    calendar_id: UUID | None = None
    """A calendar of this service's."""


class DemandedCriterion(Told):
    """A criterion that the service has to meet."""

    dimension: Dimension
    text: Demand
    mandatory: bool = True


class SupportDocument(Told):
    """Something that those who support the service work with."""

    title: Name
    reference: Text | None = None
    """Where it is found."""


class HandedError(Told):
    """An error that is known and handed over as it is."""

    title: Name
    workaround: Text | None = None


class ResidualRisk(Told):
    """A risk that remains when the project ends."""

    title: Name
    factor: Factor
    owner: Name | None = None


class TargetService(Told):
    """The service that is handed over: by its id, or by its key, under which it is made where there is none."""

    service_id: UUID | None = None
    key: Key | None = None
    name: Name | None = None
    type: Type = "business"

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.service_id is None and self.key is None:
            raise PydanticCustomError("service_unnamed", "A service is named by service_id or key.")
        return self


Deliverables = Annotated[list[HandedDeliverable], Field(max_length=PARTS_MAX)]
ProposedLevels = Annotated[list[ProposedLevel], Field(max_length=PARTS_MAX)]
DemandedCriteria = Annotated[list[DemandedCriterion], Field(max_length=PARTS_MAX)]
SupportDocuments = Annotated[list[SupportDocument], Field(max_length=PARTS_MAX)]
HandedErrors = Annotated[list[HandedError], Field(max_length=PARTS_MAX)]
ResidualRisks = Annotated[list[ResidualRisk], Field(max_length=PARTS_MAX)]
ExitCriteria = Annotated[list[Demand], Field(max_length=PARTS_MAX)]


class RequestedHandover(Told):
    """The data of `tandem.handover.requested.v1`: the handover as the project tracker shows it."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    id: UUID
    version: Number
    project_id: UUID
    project_key: Key
    attempt: Number
    """1, 2, 3 … within the project; a newer one takes the place of an undecided older one."""
    service: TargetService
    deliverables: Deliverables = []
    service_levels: ProposedLevels = []
    acceptance_criteria: DemandedCriteria = []
    support_documents: SupportDocuments = []
    known_errors: HandedErrors = []
    residual_risks: ResidualRisks = []
    early_life_support_end: Day | None = None
    """The last day on which the project's people stand by."""
    early_life_support_exit_criteria: ExitCriteria = []
    state: Literal["requested"]
    requested_by: Name
    requested_at: Instant


class HandoverDecision(Input):
    """What the owner of a service decides on a handover, and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "decision": "accept",
                "reason": "The support team has run it for two weeks.",
                "conditions": ["The manual is translated until May."],
            }
        }
    )

    decision: Literal["accept", "reject"]
    reason: Text | None = None
    """Needed to reject."""
    conditions: Annotated[list[Demand], Field(max_length=PARTS_MAX)] = []
    """What the project still owes although the handover is accepted."""


class UnmetCriterion(Output):
    """A mandatory criterion that was neither passed nor waived when the handover was rejected."""

    criterion_id: UUID
    dimension: Dimension
    text: str
    """Its beginning."""
    status: Status


class Handover(Traceable):
    """What a project hands over to a service; its id is the one it has in the project tracker."""

    service_id: UUID
    project_id: UUID
    project_key: str
    attempt: int
    """1, 2, 3 … within the project."""
    state: State
    requested_by: str
    requested_at: Instant
    deliverables: list[HandedDeliverable]
    service_levels: list[ProposedLevel]
    acceptance_criteria: list[DemandedCriterion]
    support_documents: list[SupportDocument]
    known_errors: list[HandedError]
    residual_risks: list[ResidualRisk]
    early_life_support_end: Day | None
    early_life_support_exit_criteria: list[str]
    decided_at: Instant | None
    decided_by: str | None
    decision_reason: str | None
    conditions: list[str]
    """What the project still owes."""
    unmet_criteria: list[UnmetCriterion]
    """Of a rejected one: the mandatory criteria that were not met then."""
