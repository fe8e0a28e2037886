"""What clients send and see of tasks."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from chassis.merging import Part, PartOf
from chassis.schemas import (
    UNSET,
    ExternalIdentity,
    Input,
    Instant,
    LabelChanges,
    Labels,
    Money,
    Name,
    Patch,
    Percent,
    Traceable,
)
from project_tracker.plans.notation import DurationText, Wbs
from project_tracker.projects.schemas import Budget

Kind = Literal["task", "milestone", "summary"]
FixedAccrual = Literal["start", "prorated", "end"]
EarningRule = Literal[
    "percent_complete", "zero_hundred", "fifty_fifty", "twenty_eighty", "weighted_milestones", "level_of_effort"
]
ConstraintType = Literal["ASAP", "ALAP", "SNET", "SNLT", "FNET", "FNLT", "MSO", "MFO"]
_UNDATED = frozenset({"ASAP", "ALAP"})

EXAMPLE: dict[str, Any] = {
    "wbs": "1.1.2",
    "name": "Analysis",
    "kind": "task",
    "duration": "32d7h",
    "budget": {"amount": "23670", "currency": "EUR"},
    "fixed_budget": {"amount": "0", "currency": "EUR"},
    "fixed_accrual": "start",
    "earning_rule": "percent_complete",
    "constraint": {"type": "SNET", "at": "2014-02-03T08:00:00Z"},
}


class TaskConstraint(Input):
    """When a task wants to be; all types but ASAP and ALAP name an instant."""

    type: ConstraintType
    at: Instant | None = None

    @model_validator(mode="after")
    def _is_dated(self) -> Self:
        if (self.at is None) != (self.type in _UNDATED):
            message = "ASAP and ALAP take no instant; every other constraint needs one."
            raise PydanticCustomError("constraint", message)
        return self


class Estimate(Input):
    """A three-point estimate of the duration."""

    optimistic: DurationText
    most_likely: DurationText
    pessimistic: DurationText


class TaskPlanning(Input):
    """What may be said of a task at any time."""

    parent_wbs: Wbs | None = None
    """The task it is part of; by default that with the longest dotted prefix of its wbs, else none."""
    kind: Kind = "task"
    """A task with subtasks is a summary, whatever is said here; a summary's own duration and budget do not count."""
    duration: DurationText | None = None
    """In the working time of its calendar: `5d`, `1w2d4h`, `30m`, or elapsed `3ed`; none counts as zero."""
    budget: Budget | None = None
    """The variable part of its budget."""
    fixed_budget: Budget | None = None
    fixed_accrual: FixedAccrual = "start"
    """When the fixed part is planned and earned."""
    earning_rule: EarningRule = "percent_complete"
    constraint: TaskConstraint | None = None
    calendar_id: UUID | None = None
    """By default the project's."""
    deadline_at: Instant | None = None
    actual_start_at: Instant | None = None
    actual_finish_at: Instant | None = None
    percent_complete: Percent | None = None
    estimate: Estimate | None = None
    labels: Labels = {}


class NewTask(ExternalIdentity, TaskPlanning):
    """A task to be added to the plan."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    wbs: Wbs
    """Its code in the work breakdown, unique in the project."""
    name: Name


class TaskItem(ExternalIdentity, TaskPlanning):
    """A task of a batch, found by its external id or else by its wbs; a known one changes in what is sent only."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    wbs: Wbs
    name: Name | None = None
    """Needed for a new task."""


class TaskPatch(Patch):
    """Changes of a task."""

    model_config = ConfigDict(json_schema_extra={"example": {"duration": "28d", "constraint": None}})

    wbs: Wbs = UNSET
    name: Name = UNSET
    parent_wbs: Wbs | None = UNSET
    """Null: the task with the longest dotted prefix again."""
    kind: Kind = UNSET
    duration: DurationText | None = UNSET
    budget: Annotated[Part, PartOf(Budget)] | None = UNSET
    fixed_budget: Annotated[Part, PartOf(Budget)] | None = UNSET
    fixed_accrual: FixedAccrual = UNSET
    earning_rule: EarningRule = UNSET
    constraint: Annotated[Part, PartOf(TaskConstraint)] | None = UNSET
    calendar_id: UUID | None = UNSET
    deadline_at: Instant | None = UNSET
    actual_start_at: Instant | None = UNSET
    actual_finish_at: Instant | None = UNSET
    percent_complete: Percent = UNSET
    estimate: Annotated[Part, PartOf(Estimate)] | None = UNSET
    labels: LabelChanges = UNSET


class Task(Traceable):
    """A task, milestone or summary of a project's work breakdown; its total is budget + fixed_budget."""

    project_id: UUID
    wbs: str
    name: str
    kind: Kind
    parent_id: UUID | None
    duration: str | None
    budget: Money | None
    fixed_budget: Money | None
    fixed_accrual: FixedAccrual
    earning_rule: EarningRule
    constraint: TaskConstraint | None
    calendar_id: UUID | None
    deadline_at: Instant | None
    actual_start_at: Instant | None
    actual_finish_at: Instant | None
    percent_complete: Percent
    estimate: Estimate | None
