"""What clients see of SLA clocks."""

from typing import Literal
from uuid import UUID

from chassis.schemas import Instant, Output
from service_catalog.clocks.schemas import ClockShown, Paused
from service_catalog.incidents.priority import Priority
from service_catalog.incidents.schemas import State as IncidentState
from service_catalog.sla.clocks import Metric


class PausedSpan(Paused):
    """A time in which a clock stood still."""

    reason: Literal["awaiting_caller", "awaiting_vendor", "resolved"]


class SlaClock(ClockShown):
    """How much of a time agreed is used up."""

    metric: Metric
    priority: Priority
    service_level_id: UUID | None
    """The service level that says so; null is what is usual for the priority."""
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
