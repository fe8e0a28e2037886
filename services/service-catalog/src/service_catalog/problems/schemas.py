"""What clients send and see of problems."""

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
from service_catalog.incidents.schemas import Factor

State = Literal["open", "investigating", "known_error", "resolved", "closed", "cancelled"]

EXAMPLE: dict[str, Any] = {
    "service_id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "title": "Payments fail when a certificate runs out",
    "description": "Three incidents in a quarter, each after the provider's certificate had run out.",
    "impact": "high",
    "urgency": "medium",
    "owner": "ada",
    "identified_at": "2026-03-04T10:00:00Z",
}


class ProblemDescription(Input):
    """What may be said of a problem at any time."""

    description: Text | None = None
    impact: Level = "medium"
    urgency: Level = "medium"
    owner: Name | None = None
    factor: Factor | None = None
    """What it came from."""
    root_cause: Text | None = None
    """Why it happens."""
    workaround: Text | None = None
    """How its incidents are dealt with until it is resolved."""
    resolution: Text | None = None
    """What ends it."""
    labels: Labels = {}


class NewProblem(ExternalIdentity, ProblemDescription):
    """A problem to be recorded; it begins as `open`."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    service_id: UUID
    title: Name
    identified_at: Instant | None = None
    """When it was seen to be one; now, if not said."""


class PastState(Input):
    """A state a problem was in from an instant on, as another tool knew it."""

    state: State
    at: Instant
    reason: Text | None = None


class ProblemItem(ExternalIdentity, ProblemDescription):
    """A problem of a batch, found by its external id; a known one changes in what is sent only.

    `state`, `history` and the instants bring the past of another tool along and need the scope `catalog:import`.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                **{name: value for name, value in EXAMPLE.items() if name != "service_id"},
                "external_source": "desk",
                "external_id": "PRB0000012",
                "service_key": "web-shop",
                "history": [
                    {"state": "investigating", "at": "2026-03-04T13:00:00Z"},
                    {"state": "known_error", "at": "2026-03-05T09:00:00Z"},
                    {"state": "resolved", "at": "2026-03-20T16:00:00Z"},
                ],
                "root_cause": "Nobody is told before the certificate runs out.",
                "workaround": "Renew it by hand.",
                "resolution": "It is renewed by itself, thirty days before.",
                "factor": "supplier",
            }
        }
    )

    service_id: UUID | None = None
    service_key: Key | None = None
    """The service by its key, instead of by its id."""
    title: Name | None = None
    """Needed for a new problem, as the service is."""
    state: State | None = None
    history: Annotated[list[PastState], Field(max_length=STEPS_MAX)] | None = None
    """All states it went through, in any order the tool allowed; the last one is its state."""
    identified_at: Instant | None = None
    """When it was seen to be one; unless a history is told with it, it begins then."""
    known_error_at: Instant | None = None
    """When it first was a known error: before it was resolved, and as the history tells, where it does."""
    resolved_at: Instant | None = None
    """Kept of a resolved or closed one only, as `closed_at` is of a closed one."""
    closed_at: Instant | None = None


class ProblemPatch(Patch):
    """Changes of a problem (a merge patch); its state changes by commands, its priority follows."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"urgency": "high", "workaround": "Renew it by hand.", "owner": None}}
    )

    service_id: UUID = UNSET
    title: Name = UNSET
    description: Text | None = UNSET
    impact: Level = UNSET
    urgency: Level = UNSET
    owner: Name | None = UNSET
    factor: Factor | None = UNSET
    root_cause: Text | None = UNSET
    workaround: Text | None = UNSET
    resolution: Text | None = UNSET
    labels: LabelChanges = UNSET


class ProblemTransition(Input):
    """A command to a problem: where it is to go, when it went there, and what belongs to it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "to": "known_error",
                "root_cause": "Nobody is told before the certificate runs out.",
                "workaround": "Renew it by hand.",
            }
        }
    )

    to: State
    at: Instant | None = None
    """Not in the future and not before the last step; now, if not said."""
    reason: Text | None = None
    """Why; a cancellation needs one."""
    root_cause: Text | None = None
    """Why it happens; only with `known_error`, `resolved` or `closed`, as are the next two."""
    workaround: Text | None = None
    factor: Factor | None = None
    resolution: Text | None = None
    """What ended it; only with `resolved` or `closed`."""


# Named after the record: the API's documents know a Problem already, which is how a refusal is told (RFC 9457).
class ProblemRecord(Traceable):
    """A cause, or a possible cause, of incidents."""

    service_id: UUID
    title: str
    description: str | None
    state: State
    state_since: Instant
    impact: Level
    urgency: Level
    priority: Priority
    """From impact and urgency, as that of an incident."""
    owner: str | None
    factor: Factor | None
    root_cause: str | None
    workaround: str | None
    resolution: str | None
    cancellation_reason: str | None
    identified_at: Instant
    known_error: bool
    """Whether it was ever declared a known error: its root cause and a workaround were found."""
    known_error_at: Instant | None
    resolved_at: Instant | None
    closed_at: Instant | None
