"""Which fact each kind of resource becomes: its table, and where in the representation each column is found."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table

from chassis.working_time import WorkingCalendar
from kpi_engine.facts import tables

Representation = Mapping[str, Any]
Pick = Callable[[Representation, datetime | None], Any]

_OVER = frozenset({"closed", "cancelled"})


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """How a resource becomes a fact: `columns` give what is kept, from the representation and its event's time.

    What is missing or of the wrong kind raises LookupError, TypeError or ValueError: the event cannot be applied.
    """

    table: Table
    columns: Mapping[str, Pick]


def _fields(*names: str) -> dict[str, Pick]:
    """Take fields that every representation has."""
    return {name: lambda data, _, name=name: data[name] for name in names}  # type: ignore[misc]


def _perhaps(*names: str) -> dict[str, Pick]:
    """Take fields that may be missing."""
    return {name: lambda data, _, name=name: data.get(name) for name in names}  # type: ignore[misc]


def _amounts(*names: str) -> dict[str, Pick]:
    """Take the amounts of money fields; none is nothing."""
    return {name: lambda data, _, name=name: _amount(data.get(name)) for name in names}  # type: ignore[misc]


def _amount(money: Mapping[str, str] | None) -> str:
    return "0" if money is None else money["amount"]


def _calendar(document: Representation | None) -> Representation | None:
    """Take a calendar's document, having made sure that it can be computed with."""
    if document is not None:
        WorkingCalendar.from_document(document)
    return document


def _ended_at(data: Representation, happened_at: datetime | None) -> str | None:
    """Take when a project was over: when its last state was reached."""
    if data["state"] not in _OVER:
        return None
    return data["updated_at"] if happened_at is None else happened_at.isoformat()


CALENDARS = Projection(tables.calendar_fact, {"document": lambda data, _: _calendar(data)})

OF_SERVICES: Mapping[str, Projection] = {
    "calendar": CALENDARS,
    "service": Projection(
        tables.service_fact,
        _fields("key", "name", "state") | _perhaps("calendar_id", "live_from", "retired_at"),
    ),
    "outage": Projection(
        tables.outage_fact,
        _fields("service_id", "severity", "started_at") | _perhaps("incident_id", "ended_at", "state"),
    ),
    "maintenance_window": Projection(
        tables.maintenance_window_fact,
        _fields("service_ids", "planned_start", "planned_end", "state")
        | _perhaps("actual_start", "actual_end", "announced_at"),
    ),
    "incident": Projection(
        tables.incident_fact,
        _fields("service_id", "state", "occurred_at")
        | _perhaps("priority", "major", "factor", "cancel_reason", "acknowledged_at", "resolved_at", "closed_at")
        | _perhaps("reopened_count", "resolved_before_reopening_seconds"),
    ),
}
"""What is kept of service-catalog's resources, by their nouns."""

OF_PROJECTS: Mapping[str, Projection] = {
    "calendar": CALENDARS,
    "project": Projection(
        tables.project_fact,
        _fields("key", "name", "currency", "state")
        | _perhaps("calendar_id", "start_at", "deadline_at", "outcome")
        | {"ended_at": _ended_at},
    ),
    "baseline": Projection(
        tables.baseline_fact,
        _fields("project_id", "task_count")
        | _perhaps("number", "approved_at")
        | _amounts("management_reserve")
        | {"calendar": lambda data, _: _calendar(data.get("calendar"))},
    ),
    "baseline_task": Projection(
        tables.baseline_task_fact,
        _fields("baseline_id", "task_id", "wbs", "kind", "start", "finish", "fixed_accrual", "earning_rule")
        | _perhaps("name", "milestone_weights")
        | _amounts("budget", "fixed_budget"),
    ),
    "task": Projection(
        tables.task_fact,
        _fields("project_id", "wbs", "name", "kind") | _perhaps("actual_start_at", "actual_finish_at"),
    ),
    "progress_report": Projection(
        tables.progress_report_fact, _fields("project_id", "task_id", "status_at", "percent_complete")
    ),
    "cost": Projection(
        tables.project_cost_fact,
        _fields("project_id", "incurred_at")
        | _perhaps("task_id", "category")
        | _amounts("amount")
        | {"currency": lambda data, _: data["amount"]["currency"]},
    ),
    "budget_line": Projection(
        tables.budget_line_fact,
        _fields("project_id", "period_start", "period_end") | _perhaps("task_id") | _amounts("amount"),
    ),
}
"""What is kept of project-tracker's resources, by their nouns."""
