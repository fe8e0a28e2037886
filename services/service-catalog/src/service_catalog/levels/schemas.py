"""What clients send and see of service levels."""

from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict

from chassis.schemas import (
    UNSET,
    DecimalString,
    DecimalText,
    ExternalIdentity,
    Instant,
    LabelChanges,
    Labels,
    Patch,
    Traceable,
)
from service_catalog.incidents.priority import Priority
from service_catalog.levels.agreement import Metric

Target = Annotated[DecimalString, DecimalText(before=7, after=12, at_least=Decimal(0))]

EXAMPLE: dict[str, Any] = {
    "service_id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "metric": "resolution_time",
    "target": "240",
    "priority": "P3",
    "calendar_id": None,
    "valid_from": "2026-01-01T00:00:00Z",
}


class NewServiceLevel(ExternalIdentity):
    """A service level to be agreed."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    service_id: UUID
    metric: Metric
    target: Target
    """Of `availability` and `csat` percent, of `response_time` and `resolution_time` working minutes."""
    priority: Priority | None = None
    """The incidents whose times it is about; without one all that have no level of their own."""
    calendar_id: UUID | None = None
    """The calendar its minutes are counted on, instead of the usual one."""
    valid_from: Instant | None = None
    """Without one it has always been in force."""
    valid_to: Instant | None = None
    """When it ends, exclusively; without one it has no end."""
    labels: Labels = {}


class ServiceLevelPatch(Patch):
    """Changes of a service level (a merge patch); service and metric never change."""

    model_config = ConfigDict(json_schema_extra={"example": {"valid_to": "2027-01-01T00:00:00Z"}})

    target: Target = UNSET
    priority: Priority | None = UNSET
    calendar_id: UUID | None = UNSET
    valid_from: Instant | None = UNSET
    valid_to: Instant | None = UNSET
    labels: LabelChanges = UNSET


class ServiceLevel(Traceable):
    """What is agreed of a service: a target that holds for a time."""

    service_id: UUID
    metric: Metric
    target: DecimalString
    priority: Priority | None
    calendar_id: UUID | None
    valid_from: Instant | None
    valid_to: Instant | None
