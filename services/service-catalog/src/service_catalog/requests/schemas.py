"""What clients send and see of service requests."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field

from chassis.free_json import FreeObject
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
    Output,
    Patch,
    Text,
    Traceable,
)
from service_catalog.catalogue_items.json_objects import JsonObject
from service_catalog.clocks.schemas import ClockShown, Paused

State = Literal[
    "awaiting_approval", "approved", "rejected", "in_fulfilment", "on_hold", "fulfilled", "closed", "cancelled"
]
HoldReason = Literal["awaiting_requester", "awaiting_vendor", "other"]
FilledIn = Annotated[dict[str, Any], FreeObject(bytes_max=32 * 1024, depth_max=32), AfterValidator(JsonObject)]

EXAMPLE: dict[str, Any] = {
    "catalogue_item_id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "requester": "grace",
    "requested_for": "alan",
    "form": {"size": "15", "cost_centre": "4711", "needed_on": "2026-04-01"},
    "comment": "He starts in April.",
}


class ServiceRequestDescription(Input):
    """What may be said of a service request when it is made."""

    catalogue_item_id: UUID | None = None
    """What is asked for; named by this or by its key, and never changed."""
    catalogue_item_key: Key | None = None
    requester: Name | None = None
    """Who asks for it: the caller, if not said. Never changes."""
    requested_for: Name | None = None
    """Who is to have it, if somebody else. Never changes."""
    comment: Text | None = None
    assigned_team: Name | None = None
    """Who fulfils it: the team of the catalogue item, if not said."""
    assignee: Name | None = None
    labels: Labels = {}


class NewServiceRequest(ExternalIdentity, ServiceRequestDescription):
    """A service request to be submitted."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    form: FilledIn
    """What was filled in; it is held against the form of the catalogue item, and never changes."""


class PastStep(Input):
    """A state a request was in from an instant on, as another tool knew it."""

    state: State
    at: Instant
    hold_reason: HoldReason | None = None
    reason: Text | None = None


class ServiceRequestItem(ExternalIdentity, ServiceRequestDescription):
    """A service request of a batch, found by its external id; a known one changes in what is sent only.

    `state`, `history`, `submitted_at` and `outcome` bring the past of another tool along and need the scope
    `catalog:import`; what tells of the past is held against no form, and its catalogue item need not be published.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                **EXAMPLE,
                "external_source": "desk",
                "external_id": "REQ0000171",
                "submitted_at": "2026-03-02T09:00:00Z",
                "history": [
                    {"state": "awaiting_approval", "at": "2026-03-02T09:00:00Z"},
                    {"state": "approved", "at": "2026-03-02T13:30:00Z"},
                    {"state": "in_fulfilment", "at": "2026-03-03T08:10:00Z"},
                    {"state": "on_hold", "at": "2026-03-03T08:45:00Z", "hold_reason": "awaiting_vendor"},
                    {"state": "in_fulfilment", "at": "2026-03-09T10:00:00Z"},
                    {"state": "fulfilled", "at": "2026-03-09T15:20:00Z"},
                ],
                "outcome": "It stands on his desk.",
            }
        }
    )

    form: FilledIn | None = None
    """Needed for a new request, as the catalogue item is."""
    state: State | None = None
    submitted_at: Instant | None = None
    history: Annotated[list[PastStep], Field(max_length=STEPS_MAX)] | None = None
    """All states it went through, in any order the tool allowed; the last one is its state."""
    outcome: Text | None = None
    """What was delivered; only of what is fulfilled."""


class ServiceRequestPatch(Patch):
    """Changes of a service request (a merge patch); what was asked for never changes, its state by commands."""

    model_config = ConfigDict(json_schema_extra={"example": {"assignee": "ada", "comment": None}})

    comment: Text | None = UNSET
    assigned_team: Name | None = UNSET
    assignee: Name | None = UNSET
    labels: LabelChanges = UNSET


class ServiceRequestTransition(Input):
    """A command to a service request: where it is to go, when it went there, and what belongs to it."""

    model_config = ConfigDict(json_schema_extra={"example": {"to": "cancelled", "reason": "He brings his own."}})

    to: State
    at: Instant | None = None
    """Not in the future and not before the last step; now, if not said."""
    reason: Text | None = None
    """Why; a rejection and a cancellation need one."""
    hold_reason: HoldReason | None = None
    """What it waits for; only with `on_hold`, which needs it."""
    outcome: Text | None = None
    """What was delivered; only with `fulfilled`."""


class ServiceRequest(Traceable):
    """What somebody asked a service for."""

    catalogue_item_id: UUID
    service_id: UUID
    """That of the catalogue item."""
    requester: str
    requested_for: str | None
    submitted_by: str
    """The subject of the token that created it."""
    form: dict[str, Any]
    form_version: int | None
    """The version of the form that it was held against; null where its past was brought along."""
    comment: str | None
    assigned_team: str | None
    assignee: str | None
    state: State
    state_since: Instant
    hold_reason: HoldReason | None
    approval_required: bool
    """Whether the catalogue item asked for an approval when it was made."""
    approver: str | None
    """Who approved or rejected it."""
    approved_at: Instant | None
    """Since when it may be fulfilled; where nobody has to approve it, since its submission."""
    decision_reason: str | None
    cancellation_reason: str | None
    submitted_at: Instant
    fulfilled_at: Instant | None
    outcome: str | None
    """What was delivered."""
    fulfilment_target_minutes: int | None
    """The target of the catalogue item when it was made, in working minutes; null: no clock."""
    calendar_id: UUID | None
    """The calendar these are counted on, likewise; null: around the clock."""


class FulfilmentPause(Paused):
    """A time in which the clock stood still."""

    reason: Literal["awaiting_requester", "awaiting_vendor", "fulfilled", "awaiting_approval", "rejected", "cancelled"]


class FulfilmentDriver(Output):
    """The step since which a clock has been as it is."""

    state: State
    at: Instant
    hold_reason: HoldReason | None


class FulfilmentClock(ClockShown):
    """How much of the time for fulfilling a request is used up."""

    consumed_minutes: int
    """Working minutes counted, the pauses left out."""
    remaining_minutes: int
    """Below zero after the deadline."""
    paused: list[FulfilmentPause]
    driven_by: FulfilmentDriver
    """The step that set it going, paused it or stopped it."""


class RequestFulfilment(Output):
    """The fulfilment of a request at an instant; computed, and without a version."""

    service_request_id: UUID
    catalogue_item_id: UUID
    service_id: UUID
    state: State
    clock: FulfilmentClock | None
    """Null where there is no target, and before it is approved."""
    at: Instant
