"""What clients see of a schedule."""

from typing import Literal
from uuid import UUID

from chassis.schemas import Instant, Output
from project_tracker.schedules.schedule import DriverKind, WarningCode


class DrivenBy(Output):
    """The one reason without which a task would lie elsewhere."""

    kind: DriverKind
    predecessor_id: UUID | None
    predecessor_wbs: str | None
    type: Literal["FS", "SS", "FF", "SF", "ASAP", "ALAP", "SNET", "SNLT", "FNET", "FNLT", "MSO", "MFO"] | None
    """Of the link or of the constraint."""


class ScheduledTask(Output):
    """The dates of one task; floats are working minutes of its calendar."""

    task_id: UUID
    wbs: str
    name: str
    kind: Literal["task", "milestone", "summary"]
    parent_id: UUID | None
    early_start: Instant
    early_finish: Instant
    late_start: Instant
    late_finish: Instant
    start: Instant
    """Actual, else late for ALAP, else early: what a baseline freezes."""
    finish: Instant
    total_float: int
    """Working minutes it can slip without moving the end of the project, or its deadline."""
    free_float: int
    """Working minutes it can slip without moving any other task."""
    critical: bool
    driven_by: DrivenBy
    deadline_at: Instant | None
    percent_complete: str


class ScheduleFinding(Output):
    """A conflict that the schedule shows instead of bending a date."""

    code: WarningCode
    message: str
    task_id: UUID
    wbs: str
    predecessor_id: UUID | None


class Schedule(Output):
    """A project's schedule, computed when asked for; tasks in the order of the plan."""

    project_id: UUID
    status_at: Instant | None
    project_start: Instant
    project_finish: Instant
    deadline_at: Instant | None
    tasks: list[ScheduledTask]
    warnings: list[ScheduleFinding]
