"""What clients send and see of maintenance windows."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

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

State = Literal["scheduled", "in_progress", "completed", "cancelled"]
SERVICES_MAX = 200

EXAMPLE: dict[str, Any] = {
    "title": "Database upgrade",
    "service_ids": ["01890a5d-ac96-774b-bcce-b302099a8057"],
    "planned_start": "2022-04-02T22:00:00Z",
    "planned_end": "2022-04-03T02:00:00Z",
    "announced_at": "2022-03-20T09:00:00Z",
}
ServiceIds = Annotated[list[UUID], Field(min_length=1, max_length=SERVICES_MAX)]
ServiceKeys = Annotated[list[Key], Field(min_length=1, max_length=SERVICES_MAX)]


class NewMaintenanceWindow(ExternalIdentity):
    """A maintenance window to be created: `scheduled`, or further where it has begun or ended already."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    title: Name | None = None
    description: Text | None = None
    service_ids: ServiceIds
    planned_start: Instant
    planned_end: Instant
    actual_start: Instant | None = None
    actual_end: Instant | None = None
    announced_at: Instant | None = None
    """When users were told; now, if not said."""
    labels: Labels = {}


class MaintenanceWindowItem(ExternalIdentity):
    """A maintenance window of a batch, found by its external id; a known one changes in what is sent only."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                **{name: value for name, value in EXAMPLE.items() if name != "service_ids"},
                "external_source": "cmdb",
                "external_id": "7120",
                "service_keys": ["web-shop"],
                "state": "completed",
            }
        }
    )

    title: Name | None = None
    description: Text | None = None
    service_ids: ServiceIds | None = None
    service_keys: ServiceKeys | None = None
    """The services by their keys, instead of or beside their ids."""
    planned_start: Instant | None = None
    """Needed for a new window, as planned_end and the services are."""
    planned_end: Instant | None = None
    actual_start: Instant | None = None
    """When it really began; of a completed one as planned, if not said and that is past. So is its end."""
    actual_end: Instant | None = None
    announced_at: Instant | None = None
    state: State | None = None
    """As another tool knew it; needs the scope `catalog:import`."""
    labels: Labels = {}


class MaintenanceWindowPatch(Patch):
    """Changes of a maintenance window (a merge patch); its state changes by commands."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"planned_end": "2022-04-03T04:00:00Z", "description": None}}
    )

    title: Name | None = UNSET
    description: Text | None = UNSET
    service_ids: ServiceIds = UNSET
    planned_start: Instant = UNSET
    planned_end: Instant = UNSET
    actual_start: Instant | None = UNSET
    actual_end: Instant | None = UNSET
    announced_at: Instant = UNSET
    labels: LabelChanges = UNSET


class MaintenanceWindowTransition(Input):
    """A command to a maintenance window."""

    model_config = ConfigDict(json_schema_extra={"example": {"to": "in_progress"}})

    to: State
    at: Instant | None = None
    """When it began, ended or was cancelled; now, if not said."""
    reason: Text | None = None


class MaintenanceWindow(Traceable):
    """An announced span in which services may be down without it counting."""

    title: str | None
    description: str | None
    service_ids: list[UUID]
    state: State
    planned_start: Instant
    planned_end: Instant
    actual_start: Instant | None
    actual_end: Instant | None
    announced_at: Instant
    cancellation_reason: str | None
