"""What earned value is computed from: frozen baselines, progress reports, actual costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from chassis.working_time import WorkingCalendar


class TaskKind(StrEnum):
    """What a row of the work breakdown is; a summary only groups and carries no budget of its own."""

    TASK = "task"
    MILESTONE = "milestone"
    SUMMARY = "summary"


class FixedAccrual(StrEnum):
    """When the fixed part of a budget becomes planned, and earned."""

    START = "start"
    PRORATED = "prorated"
    END = "end"


class EarningRule(StrEnum):
    """How a report of progress becomes an earned fraction of the budget."""

    PERCENT_COMPLETE = "percent_complete"
    ZERO_HUNDRED = "zero_hundred"
    FIFTY_FIFTY = "fifty_fifty"
    TWENTY_EIGHTY = "twenty_eighty"
    WEIGHTED_MILESTONES = "weighted_milestones"
    LEVEL_OF_EFFORT = "level_of_effort"


class Against(StrEnum):
    """Which baseline of a project to compare with."""

    CURRENT = "current"
    ORIGINAL = "original"


@dataclass(frozen=True, slots=True)
class BaselineTask:
    """One row of a baseline; its total is `budget`, the variable part, plus `fixed_budget`.

    `milestone_weights` serve the rule `weighted_milestones`: the weights, in order, of the steps that a
    report completes. Without them the reported percentage is taken as the sum of the weights.
    """

    task_id: str
    wbs: str
    start: datetime
    finish: datetime
    budget: Decimal = Decimal(0)
    fixed_budget: Decimal = Decimal(0)
    fixed_accrual: FixedAccrual = FixedAccrual.START
    earning_rule: EarningRule = EarningRule.PERCENT_COMPLETE
    kind: TaskKind = TaskKind.TASK
    milestone_weights: tuple[Decimal, ...] = ()

    def __post_init__(self) -> None:
        if self.finish < self.start:
            raise ValueError(f"The baseline of {self.wbs} finishes before it starts.")


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """Explicit planned value, even over the working time of its period.

    The lines of a task replace what its budgets would plan. Lines without a task are the plan of all
    tasks that have no lines of their own.
    """

    task_id: str | None
    start: datetime
    end: datetime
    amount: Decimal

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError("A budget line ends before it starts.")


@dataclass(frozen=True, slots=True)
class Baseline:
    """An immutable plan: dates, budgets and the working calendar as they were frozen.

    The management reserve is known but in no figure.
    """

    id: str
    calendar: WorkingCalendar
    tasks: tuple[BaselineTask, ...]
    lines: tuple[BudgetLine, ...] = ()
    approved_at: datetime | None = None
    management_reserve: Decimal = Decimal(0)

    @property
    def leaves(self) -> tuple[BaselineTask, ...]:
        """The rows that carry work: all but the summaries."""
        return tuple(task for task in self.tasks if task.kind is not TaskKind.SUMMARY)


@dataclass(frozen=True, slots=True)
class ProgressReport:
    """How much of a task was done at a status time."""

    task_id: str
    status_at: datetime
    percent_complete: Decimal


@dataclass(frozen=True, slots=True)
class Cost:
    """An actual cost, negative for a credit; it may belong to no task."""

    task_id: str | None
    incurred_at: datetime
    amount: Decimal


def select_baseline(
    baselines: Sequence[Baseline], status_at: datetime, against: Against = Against.CURRENT
) -> Baseline | None:
    """Choose the baseline in force at a status time, or the first one; those not approved do not count.

    A baseline holds from the instant of its approval. The first one also holds for all times before.
    """
    approved = sorted(
        ((baseline.approved_at, index) for index, baseline in enumerate(baselines) if baseline.approved_at),
    )
    if not approved:
        return None
    chosen = approved[0]
    if against is Against.CURRENT:
        chosen = max((entry for entry in approved if entry[0] <= status_at), default=chosen)
    return baselines[chosen[1]]


def end_of_day(on: date, timezone: str) -> datetime:
    """Give the instant that a date stands for as a status time: its end in an IANA zone."""
    return datetime.combine(on + timedelta(days=1), time.min, ZoneInfo(timezone))
