"""What clients send and see of projects."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from chassis.merging import Part, PartOf
from chassis.schemas import (
    UNSET,
    Amount,
    CurrencyCode,
    DecimalText,
    ExternalIdentity,
    Input,
    Instant,
    Key,
    LabelChanges,
    Labels,
    Money,
    Name,
    Patch,
    Text,
    Traceable,
)

Kind = Literal["new_service", "service_change", "improvement", "infrastructure", "process", "other"]
State = Literal["proposed", "initiating", "planning", "executing", "delivering", "closing", "closed", "cancelled"]
ProjectOutcome = Literal["completed", "terminated"]
ConstraintPolicy = Literal["logic", "constraint"]
ITEMS_MAX = 100

EXAMPLE: dict[str, Any] = {
    "key": "crm",
    "name": "CRM",
    "goal": "Sales and support see the same customer.",
    "kind": "new_service",
    "currency": "EUR",
    "start_at": "2026-03-02T08:00:00Z",
    "deadline_at": "2026-09-30T16:00:00Z",
    "budget_limit": {"amount": "250000", "currency": "EUR"},
    "constraints": [{"type": "competency", "name": "Two people know the old system"}],
    "success_criteria": [{"name": "Answered in one call", "measure": "share of first-call resolutions ≥ 70 %"}],
    "target_service": {"key": "crm", "name": "Customer relations"},
}


class Budget(Input):
    """An amount of one currency (ISO 4217) that is not negative."""

    amount: Annotated[Amount, DecimalText(places=4, at_least=0)]
    currency: CurrencyCode


class ProjectConstraint(Input):
    """A limit the project works within."""

    type: Literal["deadline", "budget", "resource", "competency", "scope", "quality", "regulation", "other"] = "other"
    name: Name
    description: Text | None = None


class SuccessCriterion(Input):
    """What the project's success is told by."""

    name: Name
    description: Text | None = None
    measure: Text | None = None


class TargetService(Input):
    """The service that the project builds or changes: one that exists, by its id, or one to be, by key and name."""

    service_id: UUID | None = None
    key: Key | None = None
    name: Name | None = None

    @model_validator(mode="after")
    def _is_named(self) -> Self:
        if self.service_id is None and (self.key is None or self.name is None):
            raise PydanticCustomError("target_service", "A service is named by service_id, or by key and name.")
        return self


class Origin(Input):
    """What the project came from."""

    type: Literal["demand", "improvement", "follow_on"]
    id: Name | None = None


Constraints = Annotated[list[ProjectConstraint], Field(max_length=ITEMS_MAX)]
SuccessCriteria = Annotated[list[SuccessCriterion], Field(max_length=ITEMS_MAX)]


class ProjectPlanning(Input):
    """What may be said of a project at any time."""

    goal: Text | None = None
    kind: Kind = "other"
    sponsor: Name | None = None
    manager: Name | None = None
    calendar_id: UUID | None = None
    """The calendar of its working time; without one Monday to Friday, 08:00 to 12:00 and 13:00 to 17:00 UTC."""
    start_at: Instant | None = None
    """Nothing of the plan starts before it; by default the instant of creation."""
    deadline_at: Instant | None = None
    budget_limit: Budget | None = None
    constraints: Constraints = []
    success_criteria: SuccessCriteria = []
    target_service: TargetService | None = None
    origin: Origin | None = None
    predecessor_project_id: UUID | None = None
    programme: Name | None = None
    constraint_policy: ConstraintPolicy = "logic"
    """Who wins where links and a dated constraint contradict each other; the loser is a warning of the schedule."""
    labels: Labels = {}


class ProjectReplacement(ExternalIdentity, ProjectPlanning):
    """A whole project as it is to be, found by its key; what is not sent falls back to its default."""

    model_config = ConfigDict(json_schema_extra={"example": {k: v for k, v in EXAMPLE.items() if k != "key"}})

    name: Name
    currency: CurrencyCode
    """Of all its money; never changes."""


class NewProject(ProjectReplacement):
    """A project to be created; it begins as `proposed`."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    key: Key
    """Unique in the organisation; never changes."""


class ProjectItem(ExternalIdentity, ProjectPlanning):
    """A project of a batch, found by its external id or else by its key; a known one changes in what is sent only."""

    model_config = ConfigDict(
        json_schema_extra={"example": {**EXAMPLE, "external_source": "pmo", "external_id": "42", "state": "executing"}}
    )

    key: Key
    name: Name | None = None
    """Needed for a new project."""
    currency: CurrencyCode | None = None
    """Needed for a new project."""
    state: State | None = None
    """As another tool knew it; needs the scope `projects:import`, as on_hold and outcome do."""
    on_hold: bool | None = None
    outcome: ProjectOutcome | None = None


class ProjectPatch(Patch):
    """Changes of a project; lists are replaced whole. Its state changes by commands."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"deadline_at": None, "sponsor": "ada", "labels": {"region": "north"}}}
    )

    name: Name = UNSET
    goal: Text | None = UNSET
    kind: Kind = UNSET
    sponsor: Name | None = UNSET
    manager: Name | None = UNSET
    calendar_id: UUID | None = UNSET
    start_at: Instant = UNSET
    deadline_at: Instant | None = UNSET
    budget_limit: Annotated[Part, PartOf(Budget)] | None = UNSET
    constraints: Constraints = UNSET
    success_criteria: SuccessCriteria = UNSET
    target_service: Annotated[Part, PartOf(TargetService)] | None = UNSET
    origin: Annotated[Part, PartOf(Origin)] | None = UNSET
    predecessor_project_id: UUID | None = UNSET
    programme: Name | None = UNSET
    constraint_policy: ConstraintPolicy = UNSET
    labels: LabelChanges = UNSET


class Project(Traceable):
    """A project: what is to be reached, by when, at which cost, and how far it has come."""

    key: str
    name: str
    goal: str | None
    kind: Kind
    sponsor: str | None
    manager: str | None
    currency: str
    calendar_id: UUID | None
    start_at: Instant
    deadline_at: Instant | None
    budget_limit: Money | None
    constraints: list[ProjectConstraint]
    success_criteria: list[SuccessCriterion]
    target_service: TargetService | None
    origin: Origin | None
    predecessor_project_id: UUID | None
    programme: str | None
    constraint_policy: ConstraintPolicy
    state: State
    on_hold: bool
    outcome: ProjectOutcome | None
