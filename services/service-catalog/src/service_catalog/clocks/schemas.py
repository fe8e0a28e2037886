"""What clients see of clocks, whatever they measure."""

from uuid import UUID

from pydantic import Field

from chassis.schemas import Instant, Output
from service_catalog.clocks.reckoning import State


class Paused(Output):
    """A time in which a clock stood still."""

    since: Instant = Field(alias="from")
    to: Instant | None
    """Null while it lasts."""


class ClockShown(Output):
    """What every clock tells."""

    target_minutes: int
    """Working minutes of the calendar."""
    calendar_id: UUID | None
    """Null counts around the clock."""
    state: State
    """`cancelled` where what is measured ended before there was a verdict, or nobody told when."""
    started_at: Instant
    due_at: Instant | None
    """Exactly on it is met; null while paused."""
    warning_at: Instant | None
    """When three quarters are used up."""
    warned: bool
    breached_at: Instant | None
    stopped_at: Instant | None
