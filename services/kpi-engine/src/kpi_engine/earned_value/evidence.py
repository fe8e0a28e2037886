"""The facts behind the figures of a project: the baseline's tasks, progress reports, costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.schemas import instant_text
from kpi_engine.definitions.envelope import Unit, written
from kpi_engine.earned_value.facts import BaselineTask
from kpi_engine.earned_value.measures import TaskValue
from kpi_engine.earned_value.study import ProjectStudy
from kpi_engine.facts.projects import KnownCost, KnownReport


@dataclass(frozen=True, slots=True)
class Item:
    """One fact, in the order in which facts are told."""

    order: str
    id: UUID
    shown: dict[str, Any]

    def document(self) -> dict[str, Any]:
        """Write it as JSON."""
        return self.shown


def evidence(study: ProjectStudy, status_at: datetime) -> Iterator[Item]:
    """Tell the tasks of the baseline first, then the reports, then the costs up to the status time."""
    plan = study.plan(status_at)
    if plan is not None:
        values = {task.task_id: task for task in study.assess(status_at, with_tasks=True).tasks}
        for task in plan.baseline.tasks:
            yield _of_task(task, plan.baseline.id, values[task.task_id])
    for report in study.record.reports:
        if report.fact.status_at <= status_at:
            yield _of_report(report)
    currency = study.record.project.currency
    for cost in study.record.costs:
        if cost.fact.incurred_at <= status_at:
            yield _of_cost(cost, currency)


def _of_task(task: BaselineTask, baseline_id: str, value: TaskValue) -> Item:
    shown = {
        "kind": "baseline_task",
        "baseline_id": baseline_id,
        "task_id": task.task_id,
        "wbs": task.wbs,
        "task_kind": task.kind,
        "start": instant_text(task.start),
        "finish": instant_text(task.finish),
        "budget": f"{task.budget:f}",
        "fixed_budget": f"{task.fixed_budget:f}",
        "fixed_accrual": task.fixed_accrual,
        "earning_rule": task.earning_rule,
        "pv": written(value.pv, Unit.MONEY),
        "ev": written(value.ev, Unit.MONEY),
        "ac": written(value.ac, Unit.MONEY),
    }
    return Item(f"0 {task.wbs}", UUID(task.task_id), shown)


def _of_report(report: KnownReport) -> Item:
    at = instant_text(report.fact.status_at)
    shown = {
        "kind": "progress_report",
        "progress_report_id": str(report.id),
        "task_id": report.fact.task_id,
        "status_at": at,
        "percent_complete": f"{report.fact.percent_complete:f}",
    }
    return Item(f"1 {at}", report.id, shown)


def _of_cost(cost: KnownCost, currency: str) -> Item:
    at = instant_text(cost.fact.incurred_at)
    shown = {
        "kind": "cost",
        "cost_id": str(cost.id),
        "task_id": cost.fact.task_id,
        "incurred_at": at,
        "amount": {"amount": f"{cost.fact.amount:f}", "currency": currency},
        "category": cost.category,
    }
    return Item(f"2 {at}", cost.id, shown)
