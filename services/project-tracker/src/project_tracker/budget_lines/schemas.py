"""What clients send and see of budget lines."""

from typing import Any
from uuid import UUID

from pydantic import ConfigDict

from chassis.schemas import ExternalIdentity, Instant, Labels, Money, Text, Traceable
from project_tracker.moments import Moment
from project_tracker.plans.notation import Wbs
from project_tracker.projects.schemas import Budget

EXAMPLE: dict[str, Any] = {
    "wbs": "1.1.2",
    "period_start": "2014-02-01",
    "period_end": "2014-02-28",
    "amount": {"amount": "12000", "currency": "EUR"},
}


class NewBudgetLine(ExternalIdentity):
    """Planned value over a period, even over its working time; it replaces what the task's budgets would plan."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    wbs: Wbs | None = None
    task_id: UUID | None = None
    """Without a task the line is of all tasks that have no lines of their own."""
    period_start: Moment
    """An instant, or a date, which means its beginning in the project's zone."""
    period_end: Moment
    """An instant, or a date, which means its end."""
    amount: Budget
    description: Text | None = None
    labels: Labels = {}


class BudgetLine(Traceable):
    """Planned value over a period."""

    project_id: UUID
    task_id: UUID | None
    period_start: Instant
    period_end: Instant
    amount: Money
    description: str | None
