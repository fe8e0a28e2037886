"""What clients send and see of changes."""

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
    Output,
    Patch,
    Text,
    Traceable,
)

State = Literal[
    "draft", "requested", "approved", "scheduled", "implementing", "review", "closed", "rejected", "cancelled"
]
Type = Literal["standard", "normal", "emergency"]
Risk = Literal["low", "medium", "high"]
Outcome = Literal["successful", "successful_with_issues", "failed", "backed_out"]
ConflictKind = Literal["change", "maintenance_window"]
SERVICES_MAX = 100
ServiceIds = Annotated[list[UUID], Field(min_length=1, max_length=SERVICES_MAX)]
ServiceKeys = Annotated[list[Key], Field(min_length=1, max_length=SERVICES_MAX)]

EXAMPLE: dict[str, Any] = {
    "service_ids": ["01890a5d-ac96-774b-bcce-b302099a8057"],
    "title": "Move the database to version 18",
    "type": "normal",
    "risk": "medium",
    "reason": "Version 14 is no longer supported from November on.",
    "implementation_plan": "Replicate, stop the writers, promote, start them again.",
    "backout_plan": "Point the writers to the old database, which was kept.",
    "test_plan": "The checks of the release, then an order from end to end.",
    "requester": "ada",
    "implementer": "grace",
    "planned_start": "2026-04-04T20:00:00Z",
    "planned_end": "2026-04-04T23:00:00Z",
    "opens_maintenance_window": True,
}


class ChangeDescription(Input):
    """What may be said of a change from its beginning."""

    description: Text | None = None
    type: Type = "normal"
    """`standard`: done often, and pre-approved at low risk; `emergency`: cannot wait for its approval."""
    risk: Risk | None = None
    """Needed for an approval."""
    reason: Text | None = None
    """Why it is to be made."""
    implementation_plan: Text | None = None
    backout_plan: Text | None = None
    """How it is undone; a normal change needs it, and any of high risk."""
    test_plan: Text | None = None
    requester: Name | None = None
    """Who asks for it, and so does not approve it; whoever sends it, if not said."""
    implementer: Name | None = None
    planned_start: Instant | None = None
    planned_end: Instant | None = None
    incident_id: UUID | None = None
    """The incident that it is to resolve."""
    opens_maintenance_window: bool = False
    """Whether scheduling it announces a maintenance window over its services and its planned span."""
    labels: Labels = {}


class NewChange(ExternalIdentity, ChangeDescription):
    """A change to be drafted."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    service_ids: ServiceIds
    title: Name


class PastChangeState(Input):
    """A state a change was in from an instant on, as another tool knew it."""

    state: State
    at: Instant
    reason: Text | None = None


class ChangeItem(ExternalIdentity, ChangeDescription):
    """A change of a batch, found by its external id; a known one changes in what is sent only.

    `state`, `history`, `outcome`, the actual span and the approval bring the past of another tool along and need the
    scope `catalog:import`.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                **{name: value for name, value in EXAMPLE.items() if name != "service_ids"},
                "external_source": "itsm",
                "external_id": "CHG0031",
                "service_keys": ["web-shop"],
                "planned_start": "2026-02-07T20:00:00Z",
                "planned_end": "2026-02-07T23:00:00Z",
                "history": [
                    {"state": "requested", "at": "2026-01-20T09:00:00Z"},
                    {"state": "approved", "at": "2026-01-27T09:00:00Z"},
                    {"state": "scheduled", "at": "2026-01-27T09:30:00Z"},
                    {"state": "implementing", "at": "2026-02-07T20:05:00Z"},
                    {"state": "review", "at": "2026-02-07T22:40:00Z"},
                    {"state": "closed", "at": "2026-02-09T08:00:00Z"},
                ],
                "outcome": "successful",
                "approved_by": "joan",
            }
        }
    )

    service_ids: ServiceIds | None = None
    service_keys: ServiceKeys | None = None
    """The services by their keys, instead of or beside their ids."""
    title: Name | None = None
    """Needed for a new change, as the services are."""
    state: State | None = None
    history: Annotated[list[PastChangeState], Field(max_length=STEPS_MAX)] | None = None
    """All states it went through, in any order the tool allowed; the last one is its state."""
    outcome: Outcome | None = None
    """Of one in review, or closed: a closed one has it."""
    actual_start: Instant | None = None
    actual_end: Instant | None = None
    approved_at: Instant | None = None
    approved_by: Name | None = None


class ChangePatch(Patch):
    """Changes of a change (a merge patch); its state changes by commands.

    What an approval is about (services, type, risk, planned span, `implementation_plan`, `backout_plan`,
    `opens_maintenance_window`) stays from `approved` on, the requester from `requested` on. The plans of an emergency
    change that began without an approval stay once it has one.
    """

    model_config = ConfigDict(
        json_schema_extra={"example": {"planned_end": "2026-04-05T00:30:00Z", "implementer": None}}
    )

    service_ids: ServiceIds = UNSET
    title: Name = UNSET
    description: Text | None = UNSET
    type: Type = UNSET
    risk: Risk | None = UNSET
    reason: Text | None = UNSET
    implementation_plan: Text | None = UNSET
    backout_plan: Text | None = UNSET
    test_plan: Text | None = UNSET
    requester: Name = UNSET
    implementer: Name | None = UNSET
    planned_start: Instant | None = UNSET
    planned_end: Instant | None = UNSET
    incident_id: UUID | None = UNSET
    opens_maintenance_window: bool = UNSET
    labels: LabelChanges = UNSET


class ChangeTransition(Input):
    """A command to a change."""

    model_config = ConfigDict(json_schema_extra={"example": {"to": "requested"}})

    to: State
    at: Instant | None = None
    """Not in the future and not before the last step; now, if not said."""
    reason: Text | None = None
    """Why; to reject, to cancel and to accept conflicts need one."""
    outcome: Outcome | None = None
    """What came of it; with `review`, or at the latest with `closed`."""
    accept_conflicts: bool = False
    """With `scheduled`: whether to schedule it beside what it conflicts with; needs the scope `catalog:approve`."""


class ChangeApproval(Input):
    """The approval of an emergency change that did not wait for one."""

    model_config = ConfigDict(json_schema_extra={"example": {"reason": "The shop was down; there was no other way."}})

    reason: Text | None = None
    at: Instant | None = None
    """Not in the future and not before the last step; now, if not said."""


class Conflict(Output):
    """What claims the services of a change, or ones a hard dependency away, at the same time."""

    kind: ConflictKind
    id: UUID
    title: str | None
    state: Literal["approved", "scheduled", "implementing", "in_progress"]
    planned_start: Instant | None
    planned_end: Instant | None
    actual_start: Instant | None
    """When it really began; it occupies the services from then on, until it ends."""
    overrun: bool
    """Whether it goes on past its planned end, and so is in conflict with all that comes later."""
    shared_service_ids: list[UUID]
    """The services of both."""
    linked_service_ids: list[UUID]
    """Services of the other one that a service of this one cannot work without, or the other way round."""
    in_the_way: bool
    """Whether it keeps this change from being scheduled; a change that was approved later, and no more, does not."""


class Conflicts(Output):
    """What a change conflicts with, the earliest first; one neither planned nor begun conflicts with nothing."""

    change_id: UUID
    planned_start: Instant | None
    planned_end: Instant | None
    count: int
    """How many there are in all; at most 200 changes and 200 maintenance windows are shown."""
    items: list[Conflict]


class Change(Traceable):
    """An addition to services, a removal or a modification of them, from its draft to its outcome."""

    service_ids: list[UUID]
    title: str
    description: str | None
    type: Type
    risk: Risk | None
    reason: str | None
    implementation_plan: str | None
    backout_plan: str | None
    test_plan: str | None
    requester: str
    implementer: str | None
    incident_id: UUID | None
    state: State
    state_since: Instant
    planned_start: Instant | None
    planned_end: Instant | None
    actual_start: Instant | None
    actual_end: Instant | None
    approved_at: Instant | None
    approved_by: str | None
    outcome: Outcome | None
    rejection_reason: str | None
    cancellation_reason: str | None
    opens_maintenance_window: bool
    maintenance_window_id: UUID | None
    """The window that was announced when it was last scheduled."""
