"""What clients send and see of outages."""

from typing import Any, Literal
from uuid import UUID

from pydantic import ConfigDict

from chassis.schemas import (
    UNSET,
    ExternalIdentity,
    Input,
    Instant,
    Key,
    LabelChanges,
    Labels,
    Patch,
    Text,
    Traceable,
)
from chassis.transitions import HistoryStep, Transitions

Severity = Literal["major", "partial", "degraded"]
State = Literal["open", "ended", "withdrawn"]

EXAMPLE: dict[str, Any] = {
    "service_id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "severity": "major",
    "started_at": "2022-03-26T01:43:00Z",
    "ended_at": "2022-03-26T03:35:00Z",
    "cause": "A certificate had run out.",
}


class NewOutage(ExternalIdentity):
    """An outage to be created."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    service_id: UUID
    severity: Severity
    started_at: Instant
    ended_at: Instant | None = None
    """Null while it goes on."""
    incident_id: UUID | None = None
    cause: Text | None = None
    labels: Labels = {}


class OutageItem(ExternalIdentity):
    """An outage of a batch, found by its external id; a known one changes in what is sent only."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                **{name: value for name, value in EXAMPLE.items() if name != "service_id"},
                "external_source": "cmdb",
                "external_id": "9632825",
                "service_key": "web-shop",
            }
        }
    )

    service_id: UUID | None = None
    service_key: Key | None = None
    """The service by its key, instead of by its id."""
    severity: Severity | None = None
    """Needed for a new outage, as the service and started_at are."""
    started_at: Instant | None = None
    ended_at: Instant | None = None
    incident_id: UUID | None = None
    cause: Text | None = None
    labels: Labels = {}


class OutagePatch(Patch):
    """Changes of an outage (a merge patch); with `ended_at` it ends, or goes on where that is null."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"ended_at": "2022-03-26T04:10:00Z", "cause": "A certificate had run out, and its chain too."}
        }
    )

    severity: Severity = UNSET
    started_at: Instant = UNSET
    ended_at: Instant | None = UNSET
    incident_id: UUID | None = UNSET
    cause: Text | None = UNSET
    labels: LabelChanges = UNSET


class OutageTransition(Input):
    """A command to an outage."""

    model_config = ConfigDict(json_schema_extra={"example": {"to": "withdrawn", "reason": "The probe was at fault."}})

    to: State
    at: Instant | None = None
    """When it ended; now, if not said. Only with `ended`."""
    reason: Text | None = None


class Outage(Traceable):
    """A span in which a service was down, partly down or degraded; a withdrawn one counts in no figure."""

    service_id: UUID
    severity: Severity
    state: State
    started_at: Instant
    ended_at: Instant | None
    incident_id: UUID | None
    cause: str | None
    withdrawal_reason: str | None


class SupersededStep(HistoryStep):
    """A step of an outage as it was told before its span was corrected."""

    superseded_at: Instant
    superseded_by: str | None
    """Who corrected it."""


class OutageTransitions(Transitions):
    """The state of an outage, where it may go from here, how it came here, and what was told of that before."""

    superseded: list[SupersededStep]
    """Steps that were corrected, in the order in which they were."""
