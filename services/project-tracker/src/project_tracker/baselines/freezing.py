"""What a baseline holds: the tasks of a plan with dates and budgets, and what they add up to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from chassis.rejection import Fault, Rejection, invalid
from project_tracker.baselines.schemas import FrozenTask
from project_tracker.plans.tasks.outline import SUMMARY
from project_tracker.projects.drafts import amount_of
from project_tracker.schedules.schedule import TaskSchedule

_KEPT = ("project_id", "parent_id", "wbs", "name", "kind", "duration", "currency", "fixed_accrual", "earning_rule")
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Totals:
    """What the tasks of a baseline add up to."""

    bac: Decimal
    start: datetime
    finish: datetime


def scheduled(tasks: Sequence[Mapping[str, Any]], rows: Sequence[TaskSchedule]) -> list[dict[str, Any]]:
    """Return every task as its schedule has it."""
    dates = {row.task_id: (row.start, row.finish) for row in rows}
    return [_frozen(task, *dates[task["id"]], task["budget"], task["fixed_budget"]) for task in tasks]


def explicit(tasks: Sequence[Mapping[str, Any]], sent: Sequence[FrozenTask], currency: str) -> list[dict[str, Any]]:
    """Return the tasks named, with the dates and budgets given; refuse what the plan does not know, all at once."""
    by_wbs = {task["wbs"]: task for task in tasks}
    faults: list[Fault] = []
    frozen: dict[UUID, dict[str, Any]] = {}
    for index, item in enumerate(sent):
        place, task = f"/tasks/{index}", by_wbs.get(item.wbs)
        if task is None:
            faults.append(Fault(f"{place}/wbs", "reference-unknown", "The project has no such task."))
        elif task["id"] in frozen:
            faults.append(Fault(place, "repeated", "The task is named twice."))
        elif item.finish < item.start:
            faults.append(Fault(f"{place}/finish", "before-start", "A task does not finish before it starts."))
        else:
            frozen[task["id"]] = _frozen(task, item.start, item.finish, *_budgets(item, task, currency, place, faults))
    if faults:
        raise invalid(*faults)
    return list(frozen.values())


def totals(frozen: Sequence[Mapping[str, Any]]) -> Totals:
    """Add up a baseline; summaries only group, so their budgets do not count."""
    counted = [task for task in frozen if task["kind"] != SUMMARY]
    return Totals(
        bac=sum((task["budget"] + task["fixed_budget"] for task in counted), _NOTHING),
        start=min(task["start"] for task in frozen),
        finish=max(task["finish"] for task in frozen),
    )


def _budgets(
    item: FrozenTask, task: Mapping[str, Any], currency: str, place: str, faults: list[Fault]
) -> tuple[Decimal | None, Decimal | None]:
    if item.budget is None and item.fixed_budget is None:
        return task["budget"], task["fixed_budget"]
    try:
        return (
            amount_of(item.budget, currency, f"{place}/budget"),
            amount_of(item.fixed_budget, currency, f"{place}/fixed_budget"),
        )
    except Rejection as refused:
        faults.extend(refused.faults)
        return None, None


def _frozen(
    task: Mapping[str, Any], start: datetime, finish: datetime, budget: Decimal | None, fixed: Decimal | None
) -> dict[str, Any]:
    return {name: task[name] for name in _KEPT} | {
        "task_id": task["id"],
        "start": start,
        "finish": finish,
        "budget": budget or _NOTHING,
        "fixed_budget": fixed or _NOTHING,
    }
