import gzip
import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis.durations import parse_duration, parse_lag
from chassis.working_time import WorkingCalendar
from project_tracker.schedules.engine import compute_schedule
from project_tracker.schedules.plan import Constraint, ConstraintType, Link, LinkType, Plan, PlannedTask

PREDECESSOR = re.compile(r"(\d+)(FS|SS|FF|SF)(.*)")


@pytest.fixture(scope="module")
def projects(shared_data: Path) -> list[dict[str, Any]]:
    path = shared_data / "dslib" / "projects.jsonl.gz"
    if not path.is_file():
        pytest.skip(f"no DSLIB projects in {path}")
    with gzip.open(path, "rt") as file:
        return [json.loads(line) for line in file]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def agenda_calendar(agenda: list[list[Any]]) -> WorkingCalendar:
    """Read hours and days marked with Yes, and the holidays, given as dates or spans of dates."""
    rows = [[*row, *[None] * (8 - len(row))] for row in agenda[1:]]
    hours = [[f"{int(clock.split(':')[0]):02}:00" for clock in row[0].split(" - ")] for row in rows if row[1] == "Yes"]
    intervals = [[start, "24:00" if end == "00:00" else end] for start, end in hours]
    days = [str(row[3]).lower() for row in rows if row[4] == "Yes"]
    holidays = [day for row in rows for day in holiday(row[6], row[7])]
    weekly = [{"weekday": day, "intervals": intervals} for day in days]
    return WorkingCalendar.from_document({"timezone": "UTC", "weekly": weekly, "holidays": holidays})


def holiday(first: str | None, last: str | None) -> list[dict[str, str]]:
    if not first:
        return []
    start = date.fromisoformat(first[:10])
    end = date.fromisoformat((last or first)[:10])
    return [{"date": (start + timedelta(n)).isoformat(), "name": "off"} for n in range((end - start).days + 1)]


def plan_of(project: dict[str, Any]) -> Plan:
    calendar = agenda_calendar(project["agenda"])
    hours = {"hours_per_day": calendar.hours_per_day, "hours_per_week": calendar.hours_per_week}
    rows = project["baseline"]
    ids = {row["WBS"]: str(row["ID"]) for row in rows}
    parents = {wbs.rpartition(".")[0] for wbs in ids}
    start = instant(rows[0]["Baseline Start"])
    tasks, links = [], []
    for row in rows:
        begins, is_leaf = instant(row["Baseline Start"]), row["WBS"] not in parents
        is_loose = is_leaf and not row.get("Predecessors") and begins > start
        tasks.append(
            PlannedTask(
                id=str(row["ID"]),
                wbs=row["WBS"],
                parent_id=ids.get(row["WBS"].rpartition(".")[0]),
                duration=parse_duration(row["Duration"], **hours),
                constraint=Constraint(ConstraintType.SNET, begins) if is_loose else None,
            )
        )
        for text in filter(None, (row.get("Predecessors") or "").split(";")):
            before, kind, lag = re.fullmatch(PREDECESSOR, text.strip()).groups()  # type: ignore[union-attr]
            links.append(Link(before, str(row["ID"]), LinkType(kind), parse_lag(lag or "0", **hours)))
    return Plan(start, tasks, links, calendar)


def test_every_baseline_date_of_every_project_is_computed(projects: list[dict[str, Any]]) -> None:
    for project in projects:
        schedule = compute_schedule(plan_of(project))
        computed = {str(row.task_id): (row.start, row.finish) for row in schedule.tasks}
        claimed = {
            str(row["ID"]): (instant(row["Baseline Start"]), instant(row["Baseline End"]))
            for row in project["baseline"]
        }
        assert computed == claimed, project["code"]
        assert schedule.project_finish == claimed["0"][1]
