"""A computed schedule as JSON text."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chassis.schemas import instant_text
from project_tracker.schedules.loading import StoredPlan
from project_tracker.schedules.plan import Plan
from project_tracker.schedules.schedule import Schedule, TaskSchedule

_DATES = ("early_start", "early_finish", "late_start", "late_finish", "start", "finish")


def schedule_text(stored: StoredPlan, plan: Plan, schedule: Schedule, status_at: datetime | None) -> str:
    """Write a schedule with what its readers need beside the dates."""
    known: dict[datetime, str] = {}
    tasks = [
        _task(row, known)
        | {
            "name": task["name"],
            "kind": task["kind"],
            "parent_id": _id(task["parent_id"]),
            "deadline_at": _instant(task["deadline_at"]),
            "percent_complete": format(planned.percent_complete.normalize(), "f"),
        }
        for row, task, planned in zip(schedule.tasks, stored.tasks, plan.tasks, strict=True)
    ]
    warnings = [
        {
            "code": found.code.value,
            "message": found.message,
            "task_id": str(found.task_id),
            "wbs": found.wbs,
            "predecessor_id": _id(found.predecessor_id),
        }
        for found in schedule.warnings
    ]
    return json.dumps(
        {
            "project_id": str(stored.project["id"]),
            "status_at": _instant(status_at),
            "project_start": instant_text(schedule.project_start),
            "project_finish": instant_text(schedule.project_finish),
            "deadline_at": _instant(stored.project["deadline_at"]),
            "tasks": tasks,
            "warnings": warnings,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def _task(row: TaskSchedule, known: dict[datetime, str]) -> dict[str, Any]:
    shown: dict[str, Any] = {"task_id": str(row.task_id), "wbs": row.wbs}
    for name in _DATES:
        date = getattr(row, name)
        text = known.get(date)
        if text is None:
            text = known[date] = instant_text(date)
        shown[name] = text
    return shown | {
        "total_float": row.total_float,
        "free_float": row.free_float,
        "critical": row.critical,
        "driven_by": _driver(row),
    }


def _driver(row: TaskSchedule) -> Mapping[str, Any]:
    driver = row.driven_by
    return {
        "kind": driver.kind.value,
        "predecessor_id": _id(driver.predecessor_id),
        "predecessor_wbs": driver.predecessor_wbs,
        "type": driver.type and driver.type.value,
    }


def _id(value: object) -> str | None:
    return None if value is None else str(value)


def _instant(value: datetime | None) -> str | None:
    return None if value is None else instant_text(value)
