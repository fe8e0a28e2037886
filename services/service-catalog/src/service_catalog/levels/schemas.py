"""What clients send and see of service levels."""

from decimal import Decimal
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from chassis.schemas import (
    UNSET,
    DecimalString,
    DecimalText,
    ExternalIdentity,
    Instant,
    Key,
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


class ServiceLevelItem(ExternalIdentity):
    """A service level of a batch; one with an external id that is known changes in what is sent only, any other is new.

    Its service is always named, by its id or its key; of which service and metric a level is never changes.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                **{name: value for name, value in EXAMPLE.items() if name != "service_id"},
                "external_source": "contracts",
                "external_id": "sla-12",
                "service_key": "web-shop",
            }
        }
    )

    service_id: UUID | None = None
    service_key: Key | None = None
    """The service by its key, instead of by its id."""
    metric: Metric | None = None
    """Needed for a new level, as the target is."""
    target: Target | None = None
    """Of `availability` and `csat` percent, of `response_time` and `resolution_time` working minutes."""
    priority: Priority | None = None
    calendar_id: UUID | None = None
    valid_from: Instant | None = None
    valid_to: Instant | None = None
    labels: Labels = {}

    @model_validator(mode="after")
    def _one_name(self) -> Self:
        if (self.service_id is None) == (self.service_key is None):
            raise PydanticCustomError("service_named_once", "Either service_id or service_key names the service.")
        return self


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
    target: Target
    priority: Priority | None
    calendar_id: UUID | None
    valid_from: Instant | None
    valid_to: Instant | None
