"""What clients send and see of services."""

from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from pydantic import ConfigDict, Field

from chassis.past import STEPS_MAX
from chassis.schemas import (
    UNSET,
    VISIBLE,
    Day,
    ExternalIdentity,
    Input,
    Instant,
    Key,
    LabelChanges,
    Labels,
    Name,
    Output,
    Patch,
    Text,
    Traceable,
)
from service_catalog.acceptance.schemas import Dimension
from service_catalog.outages.schemas import Severity
from service_catalog.services.lifecycle import Waivable

Type = Literal["business", "technical", "application"]
Days = Annotated[int, Field(ge=1, le=365)]
Criticality = Literal["tier1", "tier2", "tier3", "tier4"]
State = Literal["proposed", "designing", "creating", "delivering", "supporting", "retiring", "retired", "cancelled"]
OperationalStatus = Literal["operational", "maintenance", "degraded", "partial_outage", "major_outage"]
ITEMS_MAX = 200

EXAMPLE: dict[str, Any] = {
    "key": "web-shop",
    "name": "Web shop",
    "description": "Customers find goods, order and pay.",
    "type": "business",
    "criticality": "tier1",
    "owner": "ada",
    "support_team": "shop-support",
    "boundaries": {
        "inputs": [{"name": "Product data", "description": "From the inventory, each night."}],
        "outputs": [{"name": "Orders"}],
        "outcomes": [{"name": "Goods are ordered at any hour", "measure": "share of orders outside office hours"}],
        "in_scope": [{"name": "Ordering and paying"}],
        "out_of_scope": [{"name": "Delivery of goods"}],
    },
}


class Boundary(Input):
    """One thing that goes into a service, comes out of it, or is or is not its business."""

    name: Name
    description: Text | None = None


class OutcomeBoundary(Boundary):
    """What users have from a service, and what tells whether they do."""

    measure: Text | None = None


Items = Annotated[list[Boundary], Field(max_length=ITEMS_MAX)]
OutcomeItems = Annotated[list[OutcomeBoundary], Field(max_length=ITEMS_MAX)]


class Boundaries(Input):
    """The margins of a service: what it takes, what it gives, what its users have from it, and what is not its own."""

    inputs: Items = []
    outputs: Items = []
    outcomes: OutcomeItems = []
    in_scope: Items = []
    out_of_scope: Items = []


class BoundariesPatch(Patch):
    """Changes of the margins: a list that is sent replaces the one there was, null empties it."""

    inputs: Items | None = UNSET
    outputs: Items | None = UNSET
    outcomes: OutcomeItems | None = UNSET
    in_scope: Items | None = UNSET
    out_of_scope: Items | None = UNSET


class ServiceDescription(Input):
    """What may be said of a service at any time."""

    description: Text | None = None
    type: Type = "business"
    criticality: Criticality | None = None
    owner: Name | None = None
    support_team: Name | None = None
    boundaries: Boundaries = Boundaries()
    calendar_id: UUID | None = None
    """The calendar of its agreed service hours; without one it is to be available at all times."""
    incidents_close_after_days: Days = 7
    """How long an incident stays resolved before it closes by itself, unless another tool leads it."""
    project_id: UUID | None = None
    """The project that brings it to life."""
    direct_delivery_reason: Text | None = None
    """Why it goes live without a project's handover."""
    retire_on: Day | None = None
    """The date on which it is to be retired."""
    successor_service_id: UUID | None = None
    retirement_reason: Text | None = None
    """Why it is retired without a successor."""
    early_life_support_ends_on: Day | None = None
    """The last day on which those who built it stand by; null: they do not, or no more."""
    labels: Labels = {}


class ServiceReplacement(ExternalIdentity, ServiceDescription):
    """A whole service as it is to be, found by its key; what is not sent falls back to its default."""

    model_config = ConfigDict(json_schema_extra={"example": {k: v for k, v in EXAMPLE.items() if k != "key"}})

    name: Name


class NewService(ServiceReplacement):
    """A service to be created; it begins as `proposed`."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    key: Key
    """Unique in the organisation; never changes."""


class PastServiceState(Input):
    """A state a service was in from an instant on, as another tool knew it."""

    state: State
    at: Instant
    reason: Text | None = None


class ServiceItem(ExternalIdentity, ServiceDescription):
    """A service of a batch, found by its external id or else by its key; a known one changes in what is sent only.

    `state`, `history`, `live_from` and `retired_at` bring the past of another tool along and need the scope
    `catalog:import`.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                **EXAMPLE,
                "external_source": "cmdb",
                "external_id": "42",
                "history": [
                    {"state": "designing", "at": "2018-04-03T08:00:00Z"},
                    {"state": "creating", "at": "2018-09-17T08:00:00Z"},
                    {"state": "delivering", "at": "2019-01-01T00:00:00Z", "reason": "The first shops are open."},
                    {"state": "supporting", "at": "2019-04-01T00:00:00Z"},
                ],
            }
        }
    )

    key: Key
    name: Name | None = None
    """Needed for a new service."""
    state: State | None = None
    """As another tool knew it."""
    history: Annotated[list[PastServiceState], Field(max_length=STEPS_MAX)] | None = None
    """The states it went through, in any order the tool allowed; the last one is its state."""
    live_from: Instant | None = None
    """Follows from the history where that is told: when it first was delivered or further, and not returned since.

    None in a state before `delivering`.
    """
    retired_at: Instant | None = None
    """Follows from the history where that is told: when it ended, if it did."""


class ServicePatch(Patch):
    """Changes of a service (a merge patch). Its key never changes, its state by commands."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"owner": "grace", "description": None, "labels": {"tier": "front"}}}
    )

    name: Name = UNSET
    description: Text | None = UNSET
    type: Type = UNSET
    criticality: Criticality | None = UNSET
    owner: Name | None = UNSET
    support_team: Name | None = UNSET
    boundaries: BoundariesPatch | None = UNSET
    calendar_id: UUID | None = UNSET
    incidents_close_after_days: Days = UNSET
    project_id: UUID | None = UNSET
    direct_delivery_reason: Text | None = UNSET
    retire_on: Day | None = UNSET
    successor_service_id: UUID | None = UNSET
    retirement_reason: Text | None = UNSET
    early_life_support_ends_on: Day | None = UNSET
    labels: LabelChanges = UNSET


class Waiver(Input):
    """A guard that is let pass although it is not met, and why."""

    guard: Waivable
    """One that is a judgement; the others hold whoever asks."""
    reason: Annotated[Text, VISIBLE]
    approver: Name | None = None
    """Who stands for it; the caller, if not said."""


class ServiceTransition(Input):
    """A command to a service: where it is to go, and why."""

    model_config = ConfigDict(json_schema_extra={"example": {"to": "designing", "reason": "The demand was accepted."}})

    to: State
    reason: Text | None = None
    waivers: Annotated[list[Waiver], Field(max_length=len(get_args(Waivable)))] = []
    """Guards that stand in the way and are let pass; this needs the scope `catalog:approve`."""


class Service(Traceable):
    """A service: what users are given, within which boundaries, and where in its life it is."""

    key: str
    name: str
    description: str | None
    type: Type
    criticality: Criticality | None
    owner: str | None
    support_team: str | None
    boundaries: Boundaries
    calendar_id: UUID | None
    incidents_close_after_days: int
    state: State
    live_from: Instant | None
    """Since when it is live: when it first entered `delivering`, or as an import said; anew after a return."""
    retired_at: Instant | None
    project_id: UUID | None
    direct_delivery_reason: str | None
    retire_on: Day | None
    successor_service_id: UUID | None
    retirement_reason: str | None
    early_life_support_ends_on: Day | None


class OpenOutage(Output):
    """An outage that has not ended."""

    id: UUID
    severity: Severity
    started_at: Instant


class RunningMaintenance(Output):
    """A maintenance window that is in progress."""

    id: UUID
    planned_start: Instant
    planned_end: Instant
    actual_start: Instant | None
    overrun: bool
    """Whether it goes on past its planned end."""


class ImpairedDependency(Output):
    """A service that another cannot work without, and that is not operational."""

    service_id: UUID
    key: str
    name: str
    depth: int
    """How many hard links away it is."""
    operational_status: OperationalStatus


class ServiceStatus(Output):
    """How a service is right now, from what is open; no part of the service and without a version."""

    service_id: UUID
    operational_status: OperationalStatus
    """The worst of what is open: an outage by its severity, then maintenance, else `operational`."""
    open_outages: list[OpenOutage]
    maintenance_windows: list[RunningMaintenance]
    open_incidents: int
    """How many are not resolved."""
    open_major_incidents: int
    """How many of these are major."""
    impaired_dependencies: list[ImpairedDependency]
    """What it cannot work without and what is not operational, the nearest first, a thousand at most.

    Counted in no figure of its own.
    """
    status_with_dependencies: OperationalStatus
    """The worst of its own operational status and those of all that it cannot work without."""
    at: Instant


class ServiceStatusShort(Output):
    """How a service is right now, without what it is told from; no part of the service and without a version."""

    service_id: UUID
    key: str
    name: str
    operational_status: OperationalStatus
    """The worst of what is open: an outage by its severity, then maintenance, else `operational`."""
    status_with_dependencies: OperationalStatus
    """The worst of its own operational status and those of what it cannot work without."""
    open_incidents: int
    """How many are not resolved."""
    open_major_incidents: int
    """How many of these are major."""
    at: Instant


Factor = Literal["planning_and_design", "resources", "communication"]


class MissingThing(Output):
    """One thing that a service lacks."""

    guard: str
    """The guard that it leaves unmet."""
    dimension: Dimension
    factor: Factor
    """The factor, harmful to services, that its absence points to."""
    message: str
    ref: str | None
    """The path of what stands in the way, if it is a resource: a criterion, another service."""


class Ready(Output):
    """Whether nothing is missing for a state, or what is."""

    ready: bool
    missing: list[MissingThing]


class ReadyFor(Ready):
    """Whether a service may enter a state that comes next."""

    to: State


class CriteriaCounts(Output):
    """How many criteria have which status."""

    open: int
    """How many are not decided."""
    passed: int
    """How many are met."""
    failed: int
    """How many are not met."""
    waived: int
    """How many were let pass with a reason."""


class DimensionReadiness(Output):
    """How far one dimension is."""

    ready: bool
    criteria: CriteriaCounts
    missing: list[str]
    """The unmet guards that are about it."""


class Dimensions(Output):
    """Processes, technology and people, each by itself."""

    process: DimensionReadiness
    technology: DimensionReadiness
    people: DimensionReadiness


class Factors(Output):
    """The harmful factors, each with the unmet guards that point to it."""

    planning_and_design: list[str]
    resources: list[str]
    communication: list[str]


class ServiceReadiness(Output):
    """What a service lacks; no part of the service and without a version."""

    service_id: UUID
    state: State
    next: list[ReadyFor]
    """Each state that may come next; the reason that a command needs is told with the command."""
    supporting: Ready | None
    """What is missing on the whole way to `supporting`; null where no way forward leads there."""
    dimensions: Dimensions
    """By dimension what is missing for `supporting`, or for what comes next where that is behind."""
    factors: Factors
