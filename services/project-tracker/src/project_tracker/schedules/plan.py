"""What a schedule is computed from: planned tasks, links between them, calendars, a start."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from chassis.durations import Duration, PercentLag
from chassis.working_time import STANDARD, WorkingCalendar

TaskKey = UUID | str
"""Names a task inside one plan; the engine only compares it."""


class LinkType(StrEnum):
    """Which end of the predecessor holds back which end of the successor."""

    FS = "FS"
    SS = "SS"
    FF = "FF"
    SF = "SF"


class ConstraintType(StrEnum):
    """When a task wants to be: as soon or late as possible, or bound to an instant."""

    ASAP = "ASAP"
    ALAP = "ALAP"
    SNET = "SNET"
    SNLT = "SNLT"
    FNET = "FNET"
    FNLT = "FNLT"
    MSO = "MSO"
    MFO = "MFO"


class ConstraintPolicy(StrEnum):
    """Who wins where links and a constraint contradict each other; the loser is reported."""

    LOGIC = "logic"
    CONSTRAINT = "constraint"


DATED_CONSTRAINTS = frozenset(ConstraintType) - {ConstraintType.ASAP, ConstraintType.ALAP}


@dataclass(frozen=True, slots=True)
class Constraint:
    """A wish for a task's dates; `at` is there for all types but ASAP and ALAP."""

    type: ConstraintType
    at: datetime | None = None

    def __post_init__(self) -> None:
        if (self.at is None) == (self.type in DATED_CONSTRAINTS):
            needed = "needs" if self.at is None else "takes no"
            raise ValueError(f"The constraint {self.type} {needed} instant.")


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """One element of the work breakdown.

    A task that others name as parent is a summary: its dates come from its leaves, its duration and progress are
    not read. `calendar` None means the project's.
    """

    id: TaskKey
    wbs: str
    duration: Duration = Duration(0)  # noqa: RUF009 - immutable
    parent_id: TaskKey | None = None
    is_summary: bool = False
    calendar: WorkingCalendar | None = None
    constraint: Constraint | None = None
    deadline_at: datetime | None = None
    actual_start_at: datetime | None = None
    actual_finish_at: datetime | None = None
    percent_complete: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Link:
    """A dependency; its lag counts on the successor's calendar unless it is elapsed."""

    predecessor_id: TaskKey
    successor_id: TaskKey
    type: LinkType = LinkType.FS
    lag: Duration | PercentLag = Duration(0)  # noqa: RUF009 - immutable


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a schedule depends on, but for the status time."""

    start_at: datetime
    tasks: Sequence[PlannedTask]
    links: Sequence[Link] = ()
    calendar: WorkingCalendar = STANDARD
    constraint_policy: ConstraintPolicy = ConstraintPolicy.LOGIC


@dataclass(frozen=True, slots=True)
class PlanFault:
    """One reason why a plan has no schedule: a code, a sentence, the tasks concerned in order."""

    code: str
    message: str
    task_ids: tuple[TaskKey, ...] = field(default=())


class PlanRefusedError(ValueError):
    """The plan has no schedule; `faults` names every reason found."""

    def __init__(self, faults: Sequence[PlanFault]) -> None:
        super().__init__(" ".join(fault.message for fault in faults))
        self.faults = tuple(faults)
