import gzip
import json
import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from chassis import ids
from chassis.schemas import instant_text
from kpi_engine.definitions import schemas as of_kpis
from kpi_engine.earned_value import schemas

MONDAY = datetime(2025, 6, 2, 8, tzinfo=UTC)
WEEK = timedelta(days=7)
FRIDAY_EVENING = MONDAY + timedelta(days=4, hours=9)
PLANNED = ("5", "10", "25", "55", "85", "120", "130", "140", "150", "150", "150")
EARNED = tuple(map(Fraction, ("10/3", "20/3", "10", "45/2", "70", "165/2", "90", "120", "130", "140", "150")))
SPENT = ("10", "20", "30", "75", "120", "155", "170", "195", "200", "200", "210")
_BESIDE = Path(__file__).parents[3].parent / "shared" / "data"
DSLIB = Path(os.environ.get("TANDEM_DATA", str(_BESIDE))) / "dslib" / "projects.jsonl.gz"


def at(week: int, *, end: bool = True) -> str:
    return instant_text((FRIDAY_EVENING if end else MONDAY) + (week - 1) * WEEK)


async def worked_example(siblings: Any) -> tuple[UUID, UUID]:
    """Nine planned weeks of 40 hours, their planned value given by budget lines, finished in week 11."""
    project = await siblings.project(start_at=at(1, end=False))
    task = await siblings.task(project, "1")
    await siblings.baseline(
        project, {"task_id": task, "wbs": "1", "start": at(1, end=False), "finish": at(9), "budget": "150"}
    )
    lines, before = [], Decimal(0)
    for week, planned in enumerate(PLANNED[:9], 1):
        amount = {"amount": str(Decimal(planned) - before), "currency": "EUR"}
        line = {"task_id": str(task), "period_start": at(week, end=False), "period_end": at(week), "amount": amount}
        lines.append({"id": str(ids.new_id()), "project_id": str(project), **line})
        before = Decimal(planned)
    await siblings.tell("project-tracker", "budget-lines", *lines)
    percents = [f"{Decimal(ev.numerator) * 100 / ev.denominator / 150:.12f}" for ev in EARNED]
    await siblings.reports(project, *((task, at(week), percent) for week, percent in enumerate(percents, 1)))
    totals = [Decimal(0), *map(Decimal, SPENT)]
    spent = [str(after - before) for before, after in pairwise(totals)]
    await siblings.costs(project, *((task, at(week), amount) for week, amount in enumerate(spent, 1)))
    return project, task


def values(answer: Any) -> dict[str, str | None]:
    return {code: figure["value"] for code, figure in answer["figures"].items()}


async def earned_value(ask: Any, project: UUID, status_at: str | None = None, **query: Any) -> Any:
    return await ask.get(f"projects/{project}/earned-value", status_at=status_at, **query)


async def test_the_worked_example(siblings: Any, ask: Any) -> None:
    project, task = await worked_example(siblings)
    fourth = await earned_value(ask, project, at(4), include="tasks")
    schemas.EarnedValue.model_validate(fourth, extra="forbid")
    assert (fourth["project_id"], fourth["currency"], fourth["eac_method"]) == (str(project), "EUR", "typical")
    expected = {"bac": "150.0000", "pv": "55.0000", "ev": "22.5000", "ac": "75.0000"}
    expected |= {"sv": "-32.5000", "cv": "-52.5000", "spi": "0.409091", "cpi": "0.300000", "eac": "500.0000"}
    expected |= {"tcpi": "1.700000", "spi_time": "0.708333", "sv_time": "-2800.000000"}
    expected |= {"earned_schedule": "6800.000000", "actual_time": "9600.000000", "planned_duration": "21600.000000"}
    assert {code: values(fourth)[code] for code in expected} == expected
    assert fourth["tasks"] == [{"task_id": str(task), "wbs": "1", "pv": "55.0000", "ev": "22.5000", "ac": "75.0000"}]
    last = await earned_value(ask, project, at(11))
    assert "tasks" not in last
    assert (values(last)["spi"], values(last)["spi_time"]) == ("1.000000", "0.818182")
    assert last["figures"]["tcpi"] == {"value": None, "status": "not_applicable", "reason": "complete"}
    assert values(last)["eac"] == "210.0000"


async def test_the_series_of_the_worked_example(siblings: Any, ask: Any) -> None:
    project, _ = await worked_example(siblings)
    answer = await ask.get(f"projects/{project}/earned-value/series")
    schemas.EarnedValueSeries.model_validate(answer, extra="forbid")
    assert [Decimal(values(item)["pv"] or "0") for item in answer["items"]] == [Decimal(one) for one in PLANNED]
    spent = [Decimal(values(item)["ac"] or "0") for item in answer["items"]]
    assert spent == [Decimal(one) for one in SPENT]
    days = await ask.get(f"projects/{project}/earned-value/series", grain="day", from_="2025-06-02", to="2025-06-04")
    assert [item["status_at"] for item in days["items"]] == [
        "2025-06-03T00:00:00Z",
        "2025-06-04T00:00:00Z",
        "2025-06-05T00:00:00Z",
    ]


async def test_the_kpis_of_the_worked_example(siblings: Any, ask: Any) -> None:
    project, _ = await worked_example(siblings)
    expected = {
        "schedule_variance": ("-32.5000", "money"),
        "cost_variance": ("-52.5000", "money"),
        "cost_variance_percent": ("-233.333333", "percent"),
        "schedule_variance_time": (f"{Decimal(-2800) / 480:.6f}", "days"),
        "budget_deviation": ("233.333333", "percent"),
    }
    for code, (value, unit) in expected.items():
        found = await ask.value(code, subject_type="project", subject_id=str(project), status_at=at(4))
        of_kpis.Value.model_validate(found, extra="forbid")
        assert (found["value"], found["unit"], found["status"]) == (value, unit, "ok"), code
        assert found["currency"] == ("EUR" if unit == "money" else None)
    over = await ask.value("budget_deviation", subject_id=str(project), status_at=at(11))
    assert (over["value"], over["provisional"]) == ("40.000000", False)
    late = await ask.value("finish_variance", subject_id=str(project), status_at=at(11))
    assert (late["value"], late["provisional"]) == ("10.000000", False)
    series = await ask.get(
        "kpis/cost_variance/values", subject_id=str(project), from_="2025-06-02", to="2025-06-30", grain="week"
    )
    assert [item["value"] for item in series["items"]] == ["-6.6667", "-13.3333", "-20.0000", "-52.5000"]
    to_come = await ask.value("cost_variance", subject_id=str(project), status_at="2190-01-01T00:00:00Z")
    assert (to_come["status"], to_come["reason"], to_come["provisional"]) == ("partial", "period_open", True)


async def test_the_facts_behind_a_figure(siblings: Any, ask: Any) -> None:
    project, task = await worked_example(siblings)
    value = await ask.value("cost_variance", subject_id=str(project), status_at=at(4))
    path = value["evidence"].removeprefix("/v1/")
    facts = await ask.get(path)
    of_kpis.EvidencePage.model_validate(facts, extra="forbid")
    assert [item["kind"] for item in facts["items"]] == ["baseline_task", *["progress_report"] * 4, *["cost"] * 4]
    assert (facts["items"][0]["task_id"], facts["items"][0]["ev"]) == (str(task), "22.5000")
    assert sum(Decimal(item["amount"]["amount"]) for item in facts["items"][5:]) == 75


async def a_project(siblings: Any, *, budget: str = "100", days: int = 5, **baseline: Any) -> tuple[UUID, UUID]:
    """One task over a week of 40 hours, from Monday 2 June 2025."""
    project = await siblings.project()
    task = await siblings.task(project, "1")
    finish = instant_text(MONDAY + timedelta(days=days - 1, hours=9))
    span = {"start": at(1, end=False), "finish": finish}
    await siblings.baseline(project, {"task_id": task, "wbs": "1", "budget": budget, **span}, **baseline)
    return project, task


def answered(answer: Any, *codes: str) -> set[tuple[str | None, str, str | None]]:
    return {tuple(answer["figures"][code].values()) for code in codes}


async def test_no_approved_baseline(siblings: Any, ask: Any) -> None:
    for baseline in ({"approved_at": None}, {"missing": 1}, {"task_count": 2}):
        project, task = await a_project(siblings, **baseline)
        await siblings.costs(project, (task, at(1), "70"))
        answer = await earned_value(ask, project, at(1))
        assert (values(answer)["ac"], answer["baseline_id"]) == ("70.0000", None)
        others = set(answer["figures"]) - {"ac"}
        assert answered(answer, *others) == {(None, "no_data", "no_baseline")}, baseline
        missed = await ask.value("milestones_missed", subject_id=str(project), status_at=at(1))
        assert missed["reason"] == "no_baseline"


async def test_a_budget_of_zero(siblings: Any, ask: Any) -> None:
    project, _ = await a_project(siblings, budget="0")
    answer = await earned_value(ask, project, at(1))
    assert answered(answer, "spi", "cpi", "sv_percent", "cv_percent", "tcpi", "eac", "spi_time") == {
        (None, "no_data", "zero_budget")
    }


async def test_before_the_start_and_without_planned_value(siblings: Any, ask: Any) -> None:
    project, _ = await a_project(siblings)
    before = await earned_value(ask, project, "2025-06-01")
    assert values(before)["pv"] == "0.0000"
    assert answered(before, "spi", "sv_percent") == {(None, "no_data", "before_start")}
    starting = await earned_value(ask, project, at(1, end=False))
    assert answered(starting, "spi", "sv_percent") == {(None, "no_data", "no_planned_value")}


async def test_spending_without_earning_and_earning_without_spending(siblings: Any, ask: Any) -> None:
    project, task = await a_project(siblings)
    await siblings.costs(project, (None, at(1), "30"))
    answer = await earned_value(ask, project, at(1))
    assert (values(answer)["spi"], values(answer)["cpi"]) == ("0.000000", "0.000000")
    assert answered(answer, "eac", "etc", "vac") == {(None, "no_data", "no_earned_value")}
    assert values(answer)["ac_outside_baseline_percent"] == "100.000000"
    other, task = await a_project(siblings)
    await siblings.reports(other, (task, at(1), "50"))
    answer = await earned_value(ask, other, at(1))
    assert answered(answer, "cpi", "eac") == {(None, "no_data", "no_actual_cost")}
    atypical = await earned_value(ask, other, at(1), eac_method="atypical")
    assert (values(atypical)["eac"], atypical["eac_method"]) == ("50.0000", "atypical")


async def test_an_exhausted_budget(siblings: Any, ask: Any) -> None:
    project, task = await a_project(siblings)
    await siblings.reports(project, (task, at(1), "50"))
    await siblings.costs(project, (task, at(1), "100"))
    answer = await earned_value(ask, project, at(1))
    assert answered(answer, "tcpi") == {(None, "no_data", "budget_exhausted")}


async def test_past_the_planned_finish_and_unfinished(siblings: Any, ask: Any) -> None:
    project, task = await a_project(siblings)
    await siblings.reports(project, (task, at(1), "50"))
    answer = await earned_value(ask, project, at(3))
    assert (values(answer)["pv"], values(answer)["spi"]) == ("100.0000", "0.500000")
    assert values(answer)["spi_time"] == f"{Decimal(1) / 6:.6f}"


async def test_a_project_that_was_rebaselined(siblings: Any, ask: Any) -> None:
    project, task = await a_project(siblings, approved_at="2025-05-01T00:00:00Z")
    second = {"task_id": task, "wbs": "1", "start": at(1, end=False), "finish": at(2), "budget": "120"}
    new = await siblings.baseline(project, second, number=2, approved_at="2025-06-04T00:00:00Z")
    before = await earned_value(ask, project, "2025-06-03T23:59:59Z")
    after = await earned_value(ask, project, "2025-06-04T00:00:00Z")
    original = await earned_value(ask, project, "2025-06-04T00:00:00Z", against="original")
    assert [values(one)["bac"] for one in (before, after, original)] == ["100.0000", "120.0000", "100.0000"]
    assert after["baseline_id"] == str(new)
    asked = {"subject_id": str(project), "status_at": "2025-06-02"}
    for baseline, bac in (("original", "100.0000"), ("current", "100.0000"), (str(new), "120.0000")):
        value = await ask.value("budget_at_completion", baseline=baseline, **asked)
        assert value["value"] == bac, baseline
    for wrong in (str(ids.new_id()), "latest"):
        await ask.get("kpis/budget_at_completion/values", baseline=wrong, status=422, **asked)
    await ask.get("kpis/budget_at_completion/values", baseline=str(new), status=422)


async def test_a_report_taken_back_and_a_cost_corrected(siblings: Any, ask: Any) -> None:
    project, task = await a_project(siblings)
    report = {
        "id": str(ids.new_id()),
        "project_id": str(project),
        "task_id": str(task),
        "status_at": at(1),
        "percent_complete": "80",
    }
    await siblings.tell("project-tracker", "progress-reports", report)
    assert values(await earned_value(ask, project, at(1)))["ev"] == "80.0000"
    await siblings.tell("project-tracker", "progress-reports", report, verb="deleted")
    assert values(await earned_value(ask, project, at(1)))["ev"] == "0.0000"
    await siblings.costs(project, (task, at(1), "70"), (task, at(1), "-70"))
    assert values(await earned_value(ask, project, at(1)))["ac"] == "0.0000"


async def test_milestones(siblings: Any, ask: Any, engine: Any, signer: Any, org: str) -> None:
    project = await siblings.project()
    known = (
        ("05-01", "05-01"),
        ("05-15", "05-20"),
        ("06-20", None),
        ("06-30", "06-30"),
        ("07-10", "06-25"),
        (None, None),
    )
    frozen = []
    for number, (planned, done) in enumerate(known):
        achieved = None if done is None else f"2025-{done}T12:00:00Z"
        task = await siblings.task(project, str(number), kind="milestone", actual_finish_at=achieved)
        if planned is not None:
            instant = f"2025-{planned}T12:00:00Z"
            frozen.append(
                {"task_id": task, "wbs": str(number), "kind": "milestone", "start": instant, "finish": instant}
            )
    await siblings.baseline(project, *frozen, approved_at="2025-01-01T00:00:00Z")
    asked = {"subject_id": str(project), "status_at": "2025-06-30"}
    value = await ask.value("milestones_missed", **asked)
    assert (value["value"], value["numerator"], value["denominator"]) == ("50.000000", "2", "4")
    early = await ask.value("milestones_missed", subject_id=str(project), status_at="2025-04-01")
    assert (early["status"], early["reason"]) == ("not_applicable", "none_due")
    token = signer.token("kpi:write", org=org, aud="kpi-engine")
    policy = {"milestone_tolerance_days": 3}
    made = await engine.put("/v1/policies", json=policy, headers={"Authorization": f"Bearer {token}"})
    assert made.status_code == 201, made.text
    assert (await ask.value("milestones_missed", **asked))["value"] == "25.000000"


async def test_a_closed_project_cost_what_was_spent(siblings: Any, ask: Any) -> None:
    project, task = await a_project(siblings)
    await siblings.reports(project, (task, at(1), "50"))
    await siblings.costs(project, (task, at(1), "80"))
    asked = {"subject_id": str(project), "status_at": "2190-01-01"}
    assert (await ask.value("budget_deviation", **asked))["value"] == "60.000000"
    closed = {"id": str(project), "key": "k", "name": "n", "currency": "EUR", "state": "closed"}
    await siblings.tell("project-tracker", "projects", closed, verb="closed")
    assert (await ask.value("budget_deviation", **asked))["value"] == "-20.000000"
    assert (await ask.value("budget_deviation", subject_id=str(project), status_at=at(1)))["value"] == "60.000000"


async def test_days_are_days_of_the_project(siblings: Any, ask: Any) -> None:
    calendar_id = str(ids.new_id())
    weekly = [{"weekday": "monday", "intervals": [["08:00", "16:00"]]}]
    calendar = {"id": calendar_id, "timezone": "Asia/Tokyo", "weekly": weekly, "holidays": [], "exceptions": []}
    await siblings.tell("project-tracker", "calendars", calendar)
    project = await siblings.project(calendar_id=calendar_id)
    assert (await earned_value(ask, project, "2025-06-02"))["status_at"] == "2025-06-02T15:00:00Z"
    asked = {"subject_id": str(project), "grain": "day", "from_": "2025-06-02", "to": "2025-06-04"}
    items = (await ask.get("kpis/actual_cost/values", **asked))["items"]
    assert [item["period"]["end"] for item in items] == ["2025-06-02T15:00:00Z", "2025-06-03T15:00:00Z"]
    assert {item["period"]["timezone"] for item in items} == {"Asia/Tokyo"}
    by_status = await ask.value("actual_cost", subject_id=str(project), to="2025-06-02")
    assert by_status["period"]["end"] == "2025-06-02T15:00:00Z"


async def test_pages_of_projects(siblings: Any, ask: Any) -> None:
    projects = sorted([str((await a_project(siblings))[0]) for _ in range(3)])
    first = await ask.get("kpis/budget_at_completion/values", limit=2, status_at=at(1))
    last = await ask.get("kpis/budget_at_completion/values", limit=2, status_at=at(1), after=first["next"])
    assert [item["subject"]["id"] for item in first["items"] + last["items"]] == projects
    assert {item["value"] for item in first["items"]} == {"100.0000"}
    assert last["next"] is None


async def test_another_organisation_sees_nothing(siblings: Any, ask: Any, org: str) -> None:
    project, _ = await a_project(siblings)
    await earned_value(ask, project, at(1), org=f"{org}-x", status=404)
    await ask.get(f"projects/{project}/earned-value/series", org=f"{org}-x", status=404)
    await ask.get("kpis/eac/values", subject_id=str(project), org=f"{org}-x", status=404)
    await ask.get("kpis/eac/evidence", subject_id=str(project), org=f"{org}-x", status=404)
    assert (await ask.get("kpis/eac/values", org=f"{org}-x"))["items"] == []


@pytest.mark.parametrize(
    "query",
    [
        {"status_at": "soon"},
        {"status_at": "2025-06-31"},
        {"against": "latest"},
        {"eac_method": "hope"},
        {"include": "everything"},
        {"widget": "1"},
        {"status_at": "1900-06-01T00:00:00Z"},
    ],
)
async def test_questions_that_cannot_be_answered(siblings: Any, ask: Any, query: dict[str, str]) -> None:
    project = await siblings.project()
    await earned_value(ask, project, query.pop("status_at", None), status=422, **query)


@pytest.mark.parametrize(
    "query",
    [
        {"subject_type": "organisation"},
        {"subject_type": "service"},
        {"known_at": "2025-06-01T00:00:00Z"},
        {"status_at": "2025-06-01", "to": "2025-06-01"},
        {"grain": "week"},
        {"from_": "2025-06-02", "to": "2025-06-01T00:00:00Z"},
    ],
)
async def test_kpi_questions_that_cannot_be_answered(siblings: Any, ask: Any, query: dict[str, str]) -> None:
    project = await siblings.project()
    await ask.get("kpis/eac/values", subject_id=str(project), status=422, **query)


async def test_evidence_is_about_one_subject(ask: Any) -> None:
    await ask.get("kpis/eac/evidence", status=422)


@pytest.mark.skipif(not DSLIB.exists(), reason=f"the DSLIB projects are not at {DSLIB}")
async def test_a_real_project_told_by_events(siblings: Any, ask: Any) -> None:
    with gzip.open(DSLIB, "rt", encoding="utf-8") as lines:
        documents = {document["code"]: document for document in map(json.loads, lines)}
    document = documents["C2014-07"]
    rows = document["baseline"]
    above = {row["WBS"].rpartition(".")[0] for row in rows}
    project = await siblings.project(start_at=f"{rows[0]['Baseline Start']}Z")
    by_number: dict[int, UUID] = {}
    frozen = []
    for row in rows:
        by_number[row["ID"]] = await siblings.task(project, row["WBS"])
        fixed = Decimal(repr(row.get("Fixed Cost") or 0))
        frozen.append(
            {
                "task_id": by_number[row["ID"]],
                "wbs": row["WBS"],
                "kind": "summary" if row["WBS"] in above else "task",
                "start": f"{row['Baseline Start']}Z",
                "finish": f"{row['Baseline End']}Z",
                "budget": str(Decimal(repr(row["Total Cost"])) - fixed),
                "fixed_budget": {"amount": str(fixed), "currency": "EUR"},
            }
        )
    await siblings.baseline(project, *frozen, approved_at="2010-01-01T00:00:00Z")
    leaves = {row["ID"] for row in rows if row["WBS"] not in above}
    spent: dict[int, Decimal] = {}
    for period in document["tp"]:
        status = f"{period['status_date']}Z"
        for row in period["rows"]:
            if row["ID"] in leaves:
                percent = Decimal(repr(row["Percentage Completed"])) * 100
                await siblings.reports(project, (by_number[row["ID"]], status, f"{percent:.12f}"))
                total = Decimal(repr(row["Actual Cost"]))
                more = total - spent.get(row["ID"], Decimal(0))
                spent[row["ID"]] = total
                await siblings.costs(project, (by_number[row["ID"]], status, str(more)))
    for tracking in document["tracking"]:
        answer = await earned_value(ask, project, f"{tracking['Status date']}Z")
        for code, column in (("pv", "Planned Value (PV)"), ("ev", "Earned Value (EV)"), ("ac", "Actual Cost (AC)")):
            assert float(values(answer)[code] or "nan") == pytest.approx(tracking[column], abs=1e-3), code
        spi = float(values(answer)["spi"] or "nan")
        assert spi == pytest.approx(tracking["Schedule Performance Index (SPI)"], abs=1e-6)
