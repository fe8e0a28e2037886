"""What clients see of SLA clocks."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from chassis.schemas import Instant, Output
from service_catalog.incidents.priority import Priority
from service_catalog.incidents.schemas import State as IncidentState
from service_catalog.sla.clocks import Metric, State


class PausedSpan(Output):
    """A time in which a clock stood still."""

    since: Instant = Field(alias="from")
    to: Instant | None
    """Null while it lasts."""
    reason: Literal["awaiting_caller", "awaiting_vendor", "resolved"]


class SlaClock(Output):
    """How much of a time agreed is used up."""

    metric: Metric
    priority: Priority
    target_minutes: int
    """Working minutes of the calendar."""
    calendar_id: UUID | None
    """Null counts around the clock."""
    service_level_id: UUID | None
    """The service level that says so; null is what is usual for the priority."""
    state: State
    """`cancelled` where the incident, or its priority, ended before there was a verdict."""
    started_at: Instant
    due_at: Instant | None
    """Exactly on it is met; null while paused."""
    warning_at: Instant | None
    """When three quarters are used up."""
    warned: bool
    breached_at: Instant | None
    stopped_at: Instant | None
    superseded_at: Instant | None
    """When the incident was given another priority."""
    elapsed_minutes: int
    """Working minutes counted, the pauses left out."""
    remaining_minutes: int
    """Below zero after the deadline."""
    paused: list[PausedSpan]


class IncidentSla(Output):
    """The SLA clocks of an incident at an instant; computed, and without a version."""

    incident_id: UUID
    service_id: UUID
    state: IncidentState
    priority: Priority
    clocks: list[SlaClock]
    """Those of the present priority first, then those of earlier ones."""
    at: Instant
