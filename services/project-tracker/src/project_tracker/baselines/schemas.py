"""What clients send and see of baselines."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field

from chassis.calendars.schemas import DatedException, DayOfWeek
from chassis.schemas import Day, ExternalIdentity, Input, Instant, Money, Name, Output, Text, Traceable, Versioned
from project_tracker.plans.notation import Wbs
from project_tracker.plans.tasks.schemas import EarningRule, FixedAccrual, Kind
from project_tracker.projects.schemas import Budget

TASKS_MAX = 10_000
EXAMPLE: dict[str, Any] = {
    "name": "As approved in March",
    "management_reserve": {"amount": "10000", "currency": "EUR"},
}


class FrozenTask(Input):
    """The dates and budgets of one task of the plan as another tool froze them."""

    wbs: Wbs
    start: Instant
    finish: Instant
    budget: Budget | None = None
    """Without budget and fixed_budget both are the task's; with only one of them the other is zero."""
    fixed_budget: Budget | None = None


class NewBaseline(ExternalIdentity):
    """A baseline to be frozen: today's schedule, or what another tool froze."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    name: Name | None = None
    reason: Text | None = None
    management_reserve: Budget | None = None
    """Money set aside beside the plan; in no figure."""
    approved_at: Instant | None = None
    """Since when it holds, by default now; an earlier instant needs the scope `projects:import`."""
    tasks: Annotated[list[FrozenTask], Field(min_length=1, max_length=TASKS_MAX)] | None = None
    """The tasks that were baselined, with their dates; needs the scope `projects:import`."""


class FrozenHoliday(Output):
    """A day without working time."""

    date: Day


class FrozenCalendar(Output):
    """The project's calendar as it was when the baseline was frozen."""

    timezone: str
    weekly: list[DayOfWeek]
    holidays: list[FrozenHoliday]
    exceptions: list[DatedException]
    hours_per_day: str
    hours_per_week: str


class Baseline(Traceable):
    """An immutable snapshot of a plan; its tasks are a list of their own."""

    project_id: UUID
    number: int
    """1, 2, 3 … in the order of their freezing."""
    name: str | None
    reason: str | None
    bac: Money
    """The budget at completion: the totals of all tasks that are no summaries."""
    management_reserve: Money
    task_count: int
    start: Instant
    finish: Instant
    calendar_id: UUID | None
    calendar: FrozenCalendar
    approved_at: Instant | None
    approved_by: str | None


class BaselineTask(Versioned):
    """A task as it was frozen; its total is budget + fixed_budget."""

    project_id: UUID
    baseline_id: UUID
    task_id: UUID
    parent_id: UUID | None
    wbs: str
    name: str
    kind: Kind
    start: Instant
    finish: Instant
    duration: str | None
    budget: Money
    fixed_budget: Money
    fixed_accrual: FixedAccrual
    earning_rule: EarningRule
