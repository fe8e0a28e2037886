"""What clients see of events: the log's batch, where one stands, and those put away."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from chassis.schemas import Instant, Output

_ABSENT = ("aggregateversion", "correlationid", "causationid", "traceparent")


def _as_logged(schema: dict[str, Any]) -> None:
    schema["required"] = [name for name in schema["required"] if name not in _ABSENT]


class LoggedEvent(Output):
    """A CloudEvent 1.0 of this service's log."""

    model_config = ConfigDict(json_schema_extra=_as_logged)

    specversion: Literal["1.0"]
    id: UUID
    source: str
    type: str
    """What happened to which kind of resource, with the version of `data`: `tandem.outage.created.v1`."""
    subject: str
    """The resource, as its path below `/v1`."""
    time: Instant
    """When it happened; earlier than `recordedtime` where the past was brought along."""
    datacontenttype: Literal["application/json"]
    orgid: str
    """The organisation it belongs to."""
    partitionkey: str
    """Events of one key are in the order in which they happened."""
    aggregateversion: str = ""
    """The resource's version after it, with leading zeros; missing where it is no change of the resource."""
    sequence: str
    """Its place in the log, `<epoch>.<position>`: what `after` takes."""
    recordedtime: Instant
    correlationid: str = ""
    """What everything that followed from one first request has in common."""
    causationid: str = ""
    """The event that it followed from."""
    traceparent: str = ""
    data: dict[str, Any]
    """The resource as it was then, as its own path shows it, and what belongs to this event alone."""


class Whereabouts(Output):
    """Where an event stands in the log."""

    epoch: Annotated[int, Field(description="The epoch of the log; positions of two epochs do not compare.")]
    position: Annotated[int | None, Field(description="Its position; null until it has been given one.")]
    orgid: Annotated[str, Field(description="The organisation it belongs to.")]


class Received(Output):
    """What came of the events that were delivered."""

    applied: Annotated[int, Field(description="How many took effect.")]
    known: Annotated[int, Field(description="How many had taken effect before, or are older than what is known.")]
    unknown: Annotated[int, Field(description="How many are of a type that this service does not handle.")]
    quarantined: Annotated[int, Field(description="How many will not apply as they are and were put away.")]


class QuarantinedEvent(Output):
    """An event of a sibling that could not be applied, and why."""

    id: UUID
    source: str
    """The service it came from."""
    event_id: str
    """The id it was told with: a UUID, unless another system delivered it."""
    type: str
    subject: str
    code: str
    """Stable, kebab-case."""
    reason: str
    attempts: int
    """How often it was tried."""
    quarantined_at: Instant
    applied_at: Instant | None
    """Null while it waits."""
    event: dict[str, Any]
    """The event as it was read."""


class QuarantinePage(Output):
    """One page of the events put away."""

    items: list[QuarantinedEvent]
    next: str | None
    """The cursor of the next page, as `after`; null on the last."""
