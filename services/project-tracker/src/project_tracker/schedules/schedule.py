"""What a computed schedule says of each task and of the project."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from project_tracker.schedules.plan import ConstraintType, LinkType, TaskKey


class DriverKind(StrEnum):
    """What kind of reason fixes a date."""

    PROJECT_START = "project_start"
    LINK = "link"
    CONSTRAINT = "constraint"
    STATUS_TIME = "status_time"
    ACTUAL = "actual"
    CHILDREN = "children"


class Driver(NamedTuple):
    """Why a task lies where it does: the one reason without which it would lie elsewhere."""

    kind: DriverKind
    predecessor_id: TaskKey | None = None
    predecessor_wbs: str | None = None
    type: LinkType | ConstraintType | None = None


class TaskSchedule(NamedTuple):
    """The dates of one task.

    Floats are whole working minutes of the task's calendar, also where its duration is elapsed. `start` and
    `finish` are actual, else late for ALAP, else early.
    """

    task_id: TaskKey
    wbs: str
    early_start: datetime
    early_finish: datetime
    late_start: datetime
    late_finish: datetime
    start: datetime
    finish: datetime
    total_float: int
    free_float: int
    critical: bool
    driven_by: Driver


class WarningCode(StrEnum):
    """What can be wrong with a plan that still has a schedule."""

    NEGATIVE_FLOAT = "negative_float"
    CONSTRAINT_BROKEN = "constraint_broken"
    CONSTRAINT_IGNORED = "constraint_ignored"
    DEADLINE_MISSED = "deadline_missed"
    LINK_BROKEN = "link_broken"
    OUT_OF_SEQUENCE = "out_of_sequence"
    DANGLING_TASK = "dangling_task"


@dataclass(frozen=True, slots=True)
class ScheduleWarning:
    """A conflict that the schedule shows instead of bending a date."""

    code: WarningCode
    message: str
    task_id: TaskKey
    wbs: str
    predecessor_id: TaskKey | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """The dates of a plan, tasks in the order of the plan; an empty plan finishes when it starts."""

    project_start: datetime
    project_finish: datetime
    tasks: tuple[TaskSchedule, ...]
    warnings: tuple[ScheduleWarning, ...]
