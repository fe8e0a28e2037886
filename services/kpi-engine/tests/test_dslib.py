"""Real projects tracked with a professional tool: DSLIB, Batselier and Vanhoucke,
doi 10.1016/j.ijproman.2014.09.004. The set states no licence, so it is read from beside the repository.
"""

import gzip
import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from chassis.working_time import STANDARD, WorkingCalendar
from kpi_engine.earned_value.earning import ProgressRecord
from kpi_engine.earned_value.facts import Baseline, BaselineTask, Cost, ProgressReport, TaskKind
from kpi_engine.earned_value.figures import EacMethod, EarnedValue, assess
from kpi_engine.earned_value.measures import CostLedger
from kpi_engine.earned_value.planned_value import PlannedValue

_BESIDE = Path(__file__).parents[3].parent / "shared" / "data"
PROJECTS = Path(os.environ.get("TANDEM_DATA", str(_BESIDE))) / "dslib" / "projects.jsonl.gz"
CODES = ("C2011-12", "C2014-07", "C2015-33", "C2016-16", "C2016-19", "C2016-21", "C2016-42", "C2019-03")

EXACT = Fraction(1, 10**6)
"""Money: the file's binary numbers are this close to the decimals that were meant."""
HOUR = 60
"""Minutes: the file's times are whole working hours."""

SELF_CONTRADICTION = ("C2011-12", "2008-01-11T08:00:00")
"""Here the file's actual time exceeds its own status time by eight working hours; proved below."""

EAC_COLUMNS = {
    EacMethod.TYPICAL: "EAC (PF=CPI)",
    EacMethod.ATYPICAL: "EAC (PF=1)",
    EacMethod.COMBINED: "EAC (PF=SCI)",
    EacMethod.TIME_DRIVEN: "EAC (PF=SPI(t))",
    EacMethod.WEIGHTED: "EAC (PF=0.8*CPI+0.2*SPI)",
}

pytestmark = pytest.mark.skipif(not PROJECTS.exists(), reason=f"the DSLIB projects are not at {PROJECTS}")


class Tracked(NamedTuple):
    code: str
    document: Any
    leaves: frozenset[str]
    plan: PlannedValue
    progress: ProgressRecord
    ledger: CostLedger

    def periods(self) -> Iterator[tuple[str, Any, Any]]:
        for period, tracking in zip(self.document["tp"], self.document["tracking"], strict=True):
            assert period["status_date"] == tracking["Status date"]
            yield period["status_date"], period["rows"], tracking

    def assess(self, status: str, method: EacMethod = EacMethod.TYPICAL) -> EarnedValue:
        return assess(self.plan, self.progress, self.ledger, instant(status), method, with_tasks=True)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def decimal(number: float | None) -> Decimal:
    return Decimal(repr(number or 0))


def minutes(duration: object) -> int:
    """Working minutes of `-11d 6h`."""
    text = str(duration)
    total = sum(int(count) * (8 * HOUR if unit == "d" else HOUR) for count, unit in re.findall(r"(\d+)([dh])", text))
    return -total if text.startswith("-") else total


def calendar_of(agenda: list[list[Any]]) -> WorkingCalendar:
    hours = [str(row[0]).split(" - ") for row in agenda if row[1] == "Yes"]
    days = [str(row[3]).lower() for row in agenda if row[4] == "Yes"]
    intervals = [(f"{int(start[:-3]):02}:00", f"{int(end[:-3]):02}:00") for start, end in hours]
    holidays = [{"date": row[6][:10]} for row in agenda[1:] if row[6]]
    return WorkingCalendar.from_document(
        {
            "timezone": "UTC",
            "weekly": [{"weekday": day, "intervals": intervals} for day in days],
            "holidays": holidays,
        }
    )


@cache
def documents() -> dict[str, Any]:
    with gzip.open(PROJECTS, "rt", encoding="utf-8") as lines:
        return {document["code"]: document for document in map(json.loads, lines)}


@cache
def tracked(code: str) -> Tracked:
    document = documents()[code]
    rows = document["baseline"]
    summaries = {r["WBS"] for r in rows if any(o["WBS"].startswith(r["WBS"] + ".") for o in rows)}
    tasks = tuple(
        BaselineTask(
            task_id=str(row["ID"]),
            wbs=row["WBS"],
            start=instant(row["Baseline Start"]),
            finish=instant(row["Baseline End"]),
            budget=decimal(row["Total Cost"]) - decimal(row.get("Fixed Cost")),
            fixed_budget=decimal(row.get("Fixed Cost")),
            kind=TaskKind.SUMMARY if row["WBS"] in summaries else TaskKind.TASK,
        )
        for row in rows
    )
    leaves = frozenset(task.task_id for task in tasks if task.kind is not TaskKind.SUMMARY)
    reports: list[ProgressReport] = []
    costs: list[Cost] = []
    spent: dict[str, Decimal] = {}
    for period in document["tp"]:
        at = instant(period["status_date"])
        for row in period["rows"]:
            task_id = str(row["ID"])
            if task_id in leaves:
                reports.append(ProgressReport(task_id, at, decimal(row["Percentage Completed"]) * 100))
                cost = decimal(row["Actual Cost"])
                costs.append(Cost(task_id, at, cost - spent.get(task_id, Decimal(0))))
                spent[task_id] = cost
    plan = PlannedValue(Baseline(code, calendar_of(document["agenda"]), tasks))
    return Tracked(code, document, leaves, plan, ProgressRecord(reports), CostLedger(costs))


def value(result: EarnedValue, figure: str) -> Fraction:
    exact = result.figures[figure].value
    assert exact is not None
    return exact


@pytest.fixture(params=CODES)
def project(request: pytest.FixtureRequest) -> Tracked:
    return tracked(request.param)


def test_the_agenda_and_the_budget_at_completion(project: Tracked) -> None:
    plan = project.plan
    start, finish = plan.tasks[0].start, max(task.finish for task in plan.tasks)
    assert list(plan.calendar.intervals(start, finish)) == list(STANDARD.intervals(start, finish))
    total = project.document["baseline"][0]["Total Cost"]
    assert abs(plan.budget_at_completion - Fraction(total)) < EXACT


def test_planned_and_earned_value_of_every_task_in_every_period(project: Tracked) -> None:
    for status, rows, _ in project.periods():
        values = {task.task_id: task for task in project.assess(status).tasks}
        for row in rows:
            task = values[str(row["ID"])]
            if task.task_id in project.leaves:
                assert abs(task.pv - Fraction(row["Planned Value (PV)"])) < EXACT, (status, task)
                assert abs(task.ev - Fraction(row["Earned Value (EV)"])) < EXACT, (status, task)
                assert abs(task.ac - Fraction(row["Actual Cost"])) < EXACT, (status, task)


def test_totals_variances_and_indices_in_every_period(project: Tracked) -> None:
    columns = {
        "pv": "Planned Value (PV)",
        "ev": "Earned Value (EV)",
        "ac": "Actual Cost (AC)",
        "sv": "Schedule Variance (SV)",
        "cv": "Cost Variance (CV)",
    }
    for status, _, tracking in project.periods():
        result = project.assess(status)
        for figure, column in columns.items():
            assert abs(value(result, figure) - Fraction(tracking[column])) < EXACT, (status, figure)
        for figure, column in {
            "spi": "Schedule Performance Index (SPI)",
            "cpi": "Cost Performance Index (CPI)",
        }.items():
            assert float(value(result, figure)) == pytest.approx(tracking[column], abs=1e-6), status


def test_estimates_at_completion_by_all_five_methods(project: Tracked) -> None:
    compared = 0
    for status, _, tracking in project.periods():
        for method, column in EAC_COLUMNS.items():
            expected = tracking.get(column)
            if expected is None:
                continue
            result = project.assess(status, method)
            allowed = EXACT
            if method is EacMethod.TIME_DRIVEN:  # the file divides by an index of whole hours
                rounded = Fraction(tracking["Schedule Performance Index (SPI(t))"])
                remaining = value(result, "bac") - value(result, "ev")
                allowed += remaining * abs(1 / value(result, "spi_time") - 1 / rounded)
            assert abs(value(result, "eac") - Fraction(expected)) <= allowed, (status, method)
            compared += 1
    assert compared == len(EAC_COLUMNS) * len(project.document["tracking"])


def test_earned_schedule_within_a_working_hour(project: Tracked) -> None:
    calendar = project.plan.calendar
    for status, _, tracking in project.periods():
        earned_at = project.assess(status).earned_schedule_at
        assert earned_at is not None
        off = calendar.working_seconds(instant(tracking["Earned Schedule (ES)"]), earned_at)
        assert abs(off) <= HOUR * 60, (status, earned_at)


def test_schedule_variance_and_index_in_time_within_a_working_hour(project: Tracked) -> None:
    for status, _, tracking in project.periods():
        if (project.code, status) == SELF_CONTRADICTION:
            continue
        result = project.assess(status)
        assert abs(value(result, "sv_time") - minutes(tracking["Schedule Variance (SV(t))"])) <= HOUR, status
        off = abs(float(value(result, "spi_time")) - tracking["Schedule Performance Index (SPI(t))"])
        assert off <= HOUR / value(result, "actual_time") + Fraction(1, 10**6), status


def test_the_one_period_in_which_the_file_contradicts_itself() -> None:
    code, status = SELF_CONTRADICTION
    project = tracked(code)
    rows, tracking = next((rows, tracking) for at, rows, tracking in project.periods() if at == status)
    result = project.assess(status)
    actual_time = minutes(rows[0]["Actual Duration"])
    assert value(result, "actual_time") == actual_time == 453 * 8 * HOUR
    assert value(result, "earned_schedule") == project.plan.duration // 60
    implied = value(result, "earned_schedule") - minutes(tracking["Schedule Variance (SV(t))"])
    assert implied == actual_time + 8 * HOUR
    index = tracking["Schedule Performance Index (SPI(t))"]
    assert float(value(result, "earned_schedule") / implied) == pytest.approx(index, abs=1e-12)
