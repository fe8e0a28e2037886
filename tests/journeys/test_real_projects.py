"""Eight real projects through the gateway: every date, and every figure at every status time."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import dslib
import httpx
import pytest

from chassis.working_time import WorkingCalendar

BATCH = 1000
ROUNDING = Decimal("0.0001")  # money is written to four places
FIGURES = {
    "pv": "Planned Value (PV)",
    "ev": "Earned Value (EV)",
    "ac": "Actual Cost (AC)",
    "sv": "Schedule Variance (SV)",
    "cv": "Cost Variance (CV)",
}
INDICES = {"spi": "Schedule Performance Index (SPI)", "cpi": "Cost Performance Index (CPI)"}
HOUR_MINUTES = 60

# In this one row the file's SV(t) and SPI(t) are reckoned with an actual time that is eight working hours more than
# its own project row says; `the_file_contradicts_itself` proves it.
SELF_CONTRADICTION = ("C2011-12", "2008-01-11T08:00:00")

pytestmark = pytest.mark.skipif(not dslib.PROJECTS.exists(), reason=f"the DSLIB projects are not at {dslib.PROJECTS}")


def send(client: httpx.Client, path: str, body: dict[str, Any]) -> httpx.Response:
    response = client.post(path, json=body)
    assert response.is_success, (path, response.status_code, response.text[:2000])
    return response


def send_all(client: httpx.Client, path: str, items: list[dict[str, Any]]) -> httpx.Response:
    response = send(client, path, {"items": items[:BATCH]})
    for start in range(BATCH, len(items), BATCH):
        response = send(client, path, {"items": items[start : start + BATCH]})
    return response


@pytest.fixture(scope="module", params=dslib.CODES)
def project(request: pytest.FixtureRequest, client: httpx.Client) -> tuple[Any, str, str]:
    """Load a project; give its document, its id and the last event of what was written."""
    document = dslib.documents()[request.param]
    calendar = send(client, "/project-tracker/v1/calendars", dslib.calendar(document)).json()
    new = {
        "key": request.param.lower(),
        "name": document["baseline"][0]["Name"],
        "goal": "A real project, tracked with a professional tool.",
        "kind": "other",
        "currency": dslib.CURRENCY,
        "calendar_id": calendar["id"],
        "start_at": dslib.start_at(document),
    }
    project_id = send(client, "/project-tracker/v1/projects", new).json()["id"]
    own = f"/project-tracker/v1/projects/{project_id}"
    send_all(client, f"{own}/tasks:batch", dslib.tasks(document))
    send_all(client, f"{own}/dependencies:batch", dslib.dependencies(document))
    send(client, f"{own}/baselines", {"name": "as planned"})
    send_all(client, f"{own}/progress-reports:batch", dslib.progress_reports(document))
    last = send_all(client, f"{own}/costs:batch", dslib.costs(document))
    return document, project_id, last.headers["event-id"]


def test_the_schedule_gives_every_baseline_date(client: httpx.Client, project: tuple[Any, str, str]) -> None:
    document, project_id, _ = project
    schedule = client.get(f"/project-tracker/v1/projects/{project_id}/schedule").json()
    computed = {task["wbs"]: (task["start"], task["finish"]) for task in schedule["tasks"]}
    for row in document["baseline"]:
        assert computed[row["WBS"]] == (dslib.utc(row["Baseline Start"]), dslib.utc(row["Baseline End"])), row["WBS"]
    assert schedule["project_finish"] == dslib.utc(document["baseline"][0]["Baseline End"])


def test_every_figure_at_every_status_time(client: httpx.Client, project: tuple[Any, str, str]) -> None:
    document, project_id, last_event = project
    working = WorkingCalendar.from_document(dslib.calendar(document))
    wbs, above = dslib.wbs_by_id(document), dslib.parents(document)
    for period, tracking in zip(document["tp"], document["tracking"], strict=True):
        status = period["status_date"]
        response = client.get(
            f"/kpi-engine/v1/projects/{project_id}/earned-value",
            params={"status_at": dslib.utc(status), "include": "tasks"},
            headers={"After-Event": f"project-tracker/{last_event}", "Prefer": "wait=30"},
        )
        assert response.status_code == httpx.codes.OK, response.text
        answer = response.json()
        values = {name: figure["value"] for name, figure in answer["figures"].items()}
        for name, column in FIGURES.items():
            assert abs(Decimal(values[name]) - Decimal(tracking[column])) <= ROUNDING, (status, name)
        for name, column in INDICES.items():
            assert float(values[name]) == pytest.approx(tracking[column], abs=1e-6), (status, name)
        running = {task["wbs"]: task for task in answer["tasks"]}
        for row in period["rows"]:
            code = wbs[str(row["ID"])]
            if code not in above:
                planned = Decimal(repr(row["Planned Value (PV)"]))
                assert abs(Decimal(running[code]["pv"]) - planned) <= ROUNDING, (status, code)
        earned_at = dslib.instant(values["earned_schedule_at"].removesuffix("Z")).astimezone(UTC)
        claimed_at = dslib.instant(tracking["Earned Schedule (ES)"])
        assert abs(working.working_seconds(claimed_at, earned_at)) <= timedelta(hours=1).total_seconds(), status
        if (document["code"], status) == SELF_CONTRADICTION:
            the_file_contradicts_itself(period, tracking, values)
            continue
        claimed = minutes(tracking["Schedule Variance (SV(t))"])
        assert abs(Decimal(values["sv_time"]) - claimed) <= HOUR_MINUTES, status
        off = abs(float(values["spi_time"]) - tracking["Schedule Performance Index (SPI(t))"])
        assert off <= HOUR_MINUTES / float(values["actual_time"]) + 1e-6, status


def the_file_contradicts_itself(period: Any, tracking: Any, values: dict[str, str]) -> None:
    of_the_project_row = minutes(period["rows"][0]["Actual Duration"])
    assert Decimal(values["actual_time"]) == of_the_project_row
    implied = Decimal(values["earned_schedule"]) - minutes(tracking["Schedule Variance (SV(t))"])
    assert implied == of_the_project_row + 8 * HOUR_MINUTES


def minutes(duration: object) -> int:
    """Return the working minutes of `-11d 6h`, at eight hours a day."""
    text = str(duration)
    total = sum(
        int(count) * HOUR_MINUTES * (8 if unit == "d" else 1) for count, unit in re.findall(r"(\d+)([dh])", text)
    )
    return -total if text.startswith("-") else total


def test_what_the_file_says_is_an_instant_of_utc() -> None:
    assert dslib.instant("2014-01-28T08:00:00") == datetime(2014, 1, 28, 8, tzinfo=UTC)
