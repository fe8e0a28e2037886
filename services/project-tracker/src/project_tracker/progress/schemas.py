"""What clients send and see of progress reports."""

from typing import Any
from uuid import UUID

from pydantic import ConfigDict

from chassis.schemas import UNSET, ExternalIdentity, Instant, LabelChanges, Labels, Patch, Percent, Text, Traceable
from project_tracker.plans.notation import DurationText, Wbs

EXAMPLE: dict[str, Any] = {"wbs": "1.1.2", "status_at": "2014-02-24T22:00:00Z", "percent_complete": "25.8977"}


class NewProgressReport(ExternalIdentity):
    """How much of a task was done at a status time; the task is named by its wbs or its id."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    wbs: Wbs | None = None
    task_id: UUID | None = None
    status_at: Instant
    percent_complete: Percent
    remaining_duration: DurationText | None = None
    note: Text | None = None
    labels: Labels = {}


class ProgressReportPatch(Patch):
    """Corrections of a report; its task and status time stay."""

    model_config = ConfigDict(json_schema_extra={"example": {"percent_complete": "30", "remaining_duration": "4d"}})

    percent_complete: Percent = UNSET
    remaining_duration: DurationText | None = UNSET
    note: Text | None = UNSET
    labels: LabelChanges = UNSET


class ProgressReport(Traceable):
    """How much of a task was done at a status time."""

    project_id: UUID
    task_id: UUID
    status_at: Instant
    percent_complete: Percent
    remaining_duration: str | None
    note: str | None
