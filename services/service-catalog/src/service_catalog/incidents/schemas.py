"""What clients send and see of incidents."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from chassis.past import STEPS_MAX
from chassis.schemas import (
    UNSET,
    ExternalIdentity,
    Input,
    Instant,
    Key,
    LabelChanges,
    Labels,
    Name,
    Patch,
    Text,
    Traceable,
)
from service_catalog.incidents.priority import Level, Priority

State = Literal["new", "acknowledged", "in_progress", "on_hold", "resolved", "closed", "cancelled"]
HoldReason = Literal["awaiting_caller", "awaiting_vendor", "awaiting_change", "scheduled", "other"]
CancelReason = Literal["duplicate", "not_an_incident", "other"]
Factor = Literal[
    "planning_and_design",
    "resources",
    "communication",
    "team_building",
    "scheduling",
    "risk_materialised",
    "procurement",
    "scope",
    "quality",
    "technical",
    "supplier",
    "external",
    "unknown",
]

EXAMPLE: dict[str, Any] = {
    "service_id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "title": "Orders cannot be paid",
    "description": "The payment page answers with an error since a quarter past nine.",
    "impact": "high",
    "urgency": "medium",
    "major": False,
    "caller": "shop floor",
    "assigned_team": "payments",
    "occurred_at": "2026-03-02T09:15:00Z",
    "dedup_key": "payment-errors",
}


class IncidentDescription(Input):
    """What may be said of an incident at any time."""

    description: Text | None = None
    impact: Level = "medium"
    urgency: Level = "medium"
    major: bool = False
    """Whether it is handled as a major incident; no priority of its own."""
    caller: Name | None = None
    """Who is affected and told of it."""
    assigned_team: Name | None = None
    assignee: Name | None = None
    parent_id: UUID | None = None
    """The incident this one is part of."""
    dedup_key: Name | None = None
    """No two unresolved incidents carry the same one."""
    factor: Factor | None = None
    """What it came from."""
    labels: Labels = {}


class NewIncident(ExternalIdentity, IncidentDescription):
    """An incident to be created; it begins as `new`."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    service_id: UUID
    title: Name
    occurred_at: Instant | None = None
    """When it began; now, if not said."""


class PastStep(Input):
    """A state an incident was in from an instant on, as another tool knew it."""

    state: State
    at: Instant
    hold_reason: HoldReason | None = None
    reason: Text | None = None


class IncidentItem(ExternalIdentity, IncidentDescription):
    """An incident of a batch, found by its external id; a known one changes in what is sent only.

    Instants, `state` and `history` bring the past of another tool along and need the scope `catalog:import`.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                **{name: value for name, value in EXAMPLE.items() if name not in {"service_id", "dedup_key"}},
                "external_source": "desk",
                "external_id": "INC0000045",
                "service_key": "web-shop",
                "history": [
                    {"state": "acknowledged", "at": "2026-03-02T09:20:00Z"},
                    {"state": "on_hold", "at": "2026-03-02T09:40:00Z", "hold_reason": "awaiting_vendor"},
                    {"state": "resolved", "at": "2026-03-02T11:05:00Z"},
                ],
                "resolution": "The provider renewed its certificate.",
                "factor": "supplier",
            }
        }
    )

    service_id: UUID | None = None
    service_key: Key | None = None
    """The service by its key, instead of by its id."""
    title: Name | None = None
    """Needed for a new incident, as the service is."""
    resolution: Text | None = None
    cancel_reason: CancelReason | None = None
    occurred_at: Instant | None = None
    acknowledged_at: Instant | None = None
    resolved_at: Instant | None = None
    closed_at: Instant | None = None
    state: State | None = None
    """Follows from the history, else from the instants, where it is not told."""
    history: Annotated[list[PastStep], Field(max_length=STEPS_MAX)] | None = None
    """All states it went through, in any order the tool allowed; the last one is its state."""


class IncidentPatch(Patch):
    """Changes of an incident (a merge patch); its state changes by commands, its priority follows."""

    model_config = ConfigDict(json_schema_extra={"example": {"impact": "high", "assignee": "ada", "dedup_key": None}})

    service_id: UUID = UNSET
    title: Name = UNSET
    description: Text | None = UNSET
    impact: Level = UNSET
    urgency: Level = UNSET
    major: bool = UNSET
    caller: Name | None = UNSET
    assigned_team: Name | None = UNSET
    assignee: Name | None = UNSET
    parent_id: UUID | None = UNSET
    problem_id: UUID | None = UNSET
    """The problem it comes from."""
    dedup_key: Name | None = UNSET
    factor: Factor | None = UNSET
    resolution: Text | None = UNSET
    """Of one that is resolved or closed: what it rests on can be corrected, not taken away."""
    occurred_at: Instant = UNSET
    labels: LabelChanges = UNSET


class IncidentTransition(Input):
    """A command to an incident: where it is to go, when it went there, and what belongs to it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"to": "resolved", "resolution": "The certificate was renewed.", "factor": "supplier"}
        }
    )

    to: State
    at: Instant | None = None
    """Not in the future and not before the last step; now, if not said."""
    reason: Text | None = None
    """Why; of a cancellation `duplicate`, `not_an_incident` or `other`."""
    hold_reason: HoldReason | None = None
    """What it waits for; only with `on_hold`."""
    resolution: Text | None = None
    """What ended it; only with `resolved`."""
    factor: Factor | None = None
    """What it came from; only with `resolved`."""


class Incident(Traceable):
    """An unplanned interruption of a service or loss of its quality."""

    service_id: UUID
    title: str
    description: str | None
    state: State
    state_since: Instant
    impact: Level
    urgency: Level
    priority: Priority
    """From impact and urgency."""
    major: bool
    caller: str | None
    reported_by: str
    """The subject of the token that created it."""
    assigned_team: str | None
    assignee: str | None
    parent_id: UUID | None
    problem_id: UUID | None
    """The problem it comes from; an incident belongs to one at most."""
    dedup_key: str | None
    factor: Factor | None
    resolution: str | None
    hold_reason: HoldReason | None
    cancel_reason: CancelReason | None
    occurred_at: Instant
    acknowledged_at: Instant | None
    """When work on it began to be answered for: its first state after `new`."""
    resolved_at: Instant | None
    closed_at: Instant | None
    reopened_count: int
    resolved_before_reopening_seconds: int
    """How long it stood resolved before each reopening, added up."""
