import gzip
import json
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from tracker_api import Tracker

PREDECESSOR = re.compile(r"(\d+)(FS|SS|FF|SF)(.*)")
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PLACES = 10


@pytest.fixture(scope="module")
def projects(shared_data: Path) -> list[dict[str, Any]]:
    path = shared_data / "dslib" / "projects.jsonl.gz"
    if not path.is_file():
        pytest.skip(f"no DSLIB projects in {path}")
    with gzip.open(path, "rt") as file:
        return [json.loads(line) for line in file]


def a_calendar(project: dict[str, Any]) -> dict[str, Any]:
    rows = [[*row, *[None] * (8 - len(row))] for row in project["agenda"][1:]]
    hours = [[f"{int(clock.split(':')[0]):02}:00" for clock in row[0].split(" - ")] for row in rows if row[1] == "Yes"]
    intervals = [[start, "24:00" if end == "00:00" else end] for start, end in hours]
    days = [str(row[3]).lower() for row in rows if row[4] == "Yes"]
    holidays = [day for row in rows if row[6] for day in holiday(row[6], row[7] or row[6])]
    return {
        "name": project["code"],
        "timezone": "UTC",
        "weekly": [{"weekday": day, "intervals": intervals} for day in WEEK if day in days],
        "holidays": holidays,
    }


def holiday(first: str, last: str) -> list[dict[str, str]]:
    start = date.fromisoformat(first[:10])
    span = (date.fromisoformat(last[:10]) - start).days
    return [{"date": (start + timedelta(n)).isoformat(), "name": "off"} for n in range(span + 1)]


def euros(amount: float) -> dict[str, str]:
    return {"amount": f"{amount:.{PLACES}f}", "currency": "EUR"}


def the_tasks(project: dict[str, Any]) -> list[dict[str, Any]]:
    rows = project["baseline"]
    parents = {row["WBS"].rpartition(".")[0] for row in rows}
    tasks = []
    for row in rows:
        task = {"wbs": row["WBS"], "name": row["Name"], "duration": row["Duration"], "kind": "summary"}
        if row["WBS"] not in parents:
            fixed = row.get("Fixed Cost") or 0
            task |= {"kind": "task", "fixed_budget": euros(fixed), "budget": euros((row["Total Cost"] or 0) - fixed)}
            if not row.get("Predecessors") and row["Baseline Start"] > rows[0]["Baseline Start"]:
                task["constraint"] = {"type": "SNET", "at": f"{row['Baseline Start']}Z"}
        tasks.append(task)
    return tasks


def the_links(project: dict[str, Any]) -> list[dict[str, Any]]:
    wbs = {str(row["ID"]): row["WBS"] for row in project["baseline"]}
    links = []
    for row in project["baseline"]:
        for written in filter(None, (row.get("Predecessors") or "").split(";")):
            before, kind, lag = re.fullmatch(PREDECESSOR, written.strip()).groups()  # type: ignore[union-attr]
            ends = {"predecessor_wbs": wbs[before], "successor_wbs": row["WBS"]}
            links.append({**ends, "type": kind, "lag": lag or "0d"})
    return links


async def load(tracker: Tracker, project: dict[str, Any]) -> str:
    calendar = await tracker.post("calendars", a_calendar(project))
    made = await tracker.project(
        key=project["code"].lower(),
        calendar_id=calendar["id"],
        start_at=f"{project['baseline'][0]['Baseline Start']}Z",
    )
    own = f"projects/{made['id']}"
    tasks, links = the_tasks(project), the_links(project)
    for start in range(0, len(tasks), 1000):
        await tracker.batch(f"{own}/tasks", tasks[::-1][start : start + 1000])
    for start in range(0, len(links), 1000):
        await tracker.batch(f"{own}/dependencies", links[start : start + 1000])
    return own


async def test_the_schedule_of_every_project_gives_every_baseline_date(
    tracker: Tracker, projects: list[dict[str, Any]]
) -> None:
    for project in projects:
        own = await load(tracker, project)
        schedule = await tracker.get(f"{own}/schedule")
        computed = {task["wbs"]: (task["start"], task["finish"]) for task in schedule["tasks"]}
        claimed = {row["WBS"]: (f"{row['Baseline Start']}Z", f"{row['Baseline End']}Z") for row in project["baseline"]}
        assert computed == claimed, project["code"]


async def test_a_baseline_freezes_all_of_it_and_tracking_follows(
    tracker: Tracker, projects: list[dict[str, Any]]
) -> None:
    project = min(projects, key=lambda each: len(each["baseline"]))
    own = await load(tracker, project)
    baseline = await tracker.post(f"{own}/baselines", {})
    frozen = await tracker.every(f"{own}/baselines/{baseline['id']}/tasks")
    assert {task["wbs"]: (task["start"], task["finish"]) for task in frozen} == {
        row["WBS"]: (f"{row['Baseline Start']}Z", f"{row['Baseline End']}Z") for row in project["baseline"]
    }
    assert baseline["task_count"] == len(project["baseline"])
    assert float(baseline["bac"]["amount"]) == pytest.approx(project["baseline"][0]["Total Cost"], abs=1e-4)
    wbs = {row["ID"]: row["WBS"] for row in project["baseline"]}
    for period in project["tp"]:
        at = f"{period['status_date']}Z"
        rows = [row for row in period["rows"] if row["ID"] in wbs]
        done = [
            {"wbs": wbs[row["ID"]], "status_at": at, "percent_complete": f"{100 * row['Percentage Completed']:.12f}"}
            for row in rows
            if row.get("Percentage Completed")
        ]
        spent = [
            {"wbs": wbs[row["ID"]], "incurred_at": at, "amount": euros(row["Actual Cost"]), "category": "labour"}
            for row in rows
            if row.get("Actual Cost")
        ]
        if done:
            await tracker.batch(f"{own}/progress-reports", done)
        if spent:
            await tracker.batch(f"{own}/costs", spent)
    schedule = await tracker.get(f"{own}/schedule", status_at=f"{project['tp'][-1]['status_date']}Z")
    assert len(schedule["tasks"]) == len(project["baseline"])
