import asyncio
from typing import Any

import pytest
from tracker_api import Tracker, a_task, euros

from project_tracker.budget_lines.schemas import EXAMPLE as LINE
from project_tracker.budget_lines.schemas import BudgetLine
from project_tracker.costs.schemas import EXAMPLE as COST
from project_tracker.costs.schemas import Cost
from project_tracker.progress.schemas import EXAMPLE as REPORT
from project_tracker.progress.schemas import ProgressReport

AT = "2026-03-06T17:00:00Z"


@pytest.fixture
async def own(tracker: Tracker) -> str:
    return await tracker.plan(await tracker.project(), a_task("1.1.2"), a_task("2"))


async def test_a_report_is_shown_as_its_schema_says(tracker: Tracker, own: str) -> None:
    made = await tracker.post(f"{own}/progress-reports", REPORT)
    shown = ProgressReport.model_validate(made, extra="forbid")
    assert (made["percent_complete"], made["status_at"]) == ("25.8977", REPORT["status_at"])
    (task,) = (await tracker.get(f"{own}/tasks", wbs="1.1.2"))["items"]
    assert str(shown.task_id) == task["id"]
    assert await tracker.get(f"{own}/progress-reports/{made['id']}") == made


async def test_twelve_places_are_kept(tracker: Tracker, own: str) -> None:
    report = {"wbs": "2", "status_at": AT, "percent_complete": "33.333333333333"}
    assert (await tracker.post(f"{own}/progress-reports", report))["percent_complete"] == "33.333333333333"
    await tracker.post(f"{own}/progress-reports", report | {"percent_complete": "33.3333333333333"}, status=422)


async def test_a_task_has_one_report_of_a_status_time(tracker: Tracker, own: str) -> None:
    report = {"wbs": "2", "status_at": AT, "percent_complete": "10"}
    made = await tracker.post(f"{own}/progress-reports", report)
    assert (await tracker.post(f"{own}/progress-reports", report, status=409))["code"] == "progress-reported"
    same = {**report, "status_at": "2026-03-06T18:00:00+01:00"}
    told = await tracker.batch(f"{own}/progress-reports", [same])
    assert (told[0]["id"], told[0]["status"], told[0]["version"]) == (made["id"], 200, 1)
    told = await tracker.batch(f"{own}/progress-reports", [{**same, "percent_complete": "20"}])
    assert told[0]["version"] == 2
    changed = await tracker.patch(f"{own}/progress-reports/{made['id']}", {"percent_complete": "30", "note": "n"})
    assert (changed["percent_complete"], changed["note"]) == ("30", "n")
    await tracker.delete(f"{own}/progress-reports/{made['id']}")


@pytest.mark.parametrize(
    ("path", "body", "pointer", "code"),
    [
        ("progress-reports", {"status_at": AT, "percent_complete": "1"}, "/wbs", "missing"),
        ("progress-reports", {"wbs": "9", "status_at": AT, "percent_complete": "1"}, "/wbs", "reference-unknown"),
        (
            "progress-reports",
            {"wbs": "2", "status_at": AT, "percent_complete": "101"},
            "/percent_complete",
            "decimal-range",
        ),
        ("progress-reports", {"wbs": "2", "status_at": AT, "percent_complete": 1}, "/percent_complete", "decimal"),
        (
            "costs",
            {"incurred_at": AT, "amount": {"amount": "1", "currency": "USD"}},
            "/amount/currency",
            "currency-differs",
        ),
        ("costs", {"incurred_at": AT, "amount": euros("1"), "category": "bribes"}, "/category", "not-one-of"),
        ("costs", {"wbs": "9", "incurred_at": AT, "amount": euros("1")}, "/wbs", "reference-unknown"),
        (
            "budget-lines",
            {"period_start": "2026-03-02", "period_end": "2026-02-28", "amount": euros("1")},
            "/period_end",
            "before-start",
        ),
        (
            "budget-lines",
            {"period_start": AT, "period_end": AT, "amount": euros("-1")},
            "/amount/amount",
            "decimal-range",
        ),
    ],
)
async def test_what_is_wrong_is_pointed_at(
    tracker: Tracker, own: str, path: str, body: dict[str, Any], pointer: str, code: str
) -> None:
    problem = await tracker.post(f"{own}/{path}", body, status=422)
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [(pointer, code)]
    told = await tracker.batch(f"{own}/{path}", [body], mode="independent")
    assert told[0]["problem"]["errors"][0]["code"] == code
    assert await tracker.every(f"{own}/{path}") == []


async def test_a_cost_is_shown_as_its_schema_says(tracker: Tracker, own: str) -> None:
    made = await tracker.post(f"{own}/costs", COST)
    Cost.model_validate(made, extra="forbid")
    assert (made["amount"], made["reversal_of"]) == (euros("1170.0000"), None)
    credit = await tracker.post(f"{own}/costs", {"incurred_at": AT, "amount": euros("-0.0000000001")})
    assert (credit["amount"], credit["task_id"]) == (euros("-0.0000000001"), None)
    assert await tracker.every(f"{own}/costs", incurred_at_from="2020-01-01T00:00:00Z") == [credit]


async def test_costs_add_up_unless_they_carry_an_external_id(tracker: Tracker, own: str) -> None:
    cost = {"incurred_at": AT, "amount": euros("5"), "category": "labour"}
    named = {**cost, "external_source": "erp", "external_id": "1"}
    await tracker.batch(f"{own}/costs", [cost, cost, named])
    told = await tracker.batch(f"{own}/costs", [cost, {**named, "amount": euros("6")}])
    assert [(one["status"], one["version"]) for one in told] == [(201, 1), (200, 2)]
    assert len(await tracker.every(f"{own}/costs")) == 4
    other = await tracker.plan(await tracker.project(), a_task("1"))
    assert (await tracker.batch(f"{other}/costs", [named]))[0]["status"] == 201


async def test_a_cost_is_reversed_once(tracker: Tracker, own: str) -> None:
    made = await tracker.post(f"{own}/costs", COST)
    path = f"{own}/costs/{made['id']}/reversal"
    answers = await asyncio.gather(*(tracker.send("POST", path, json={"reason": "twice"}) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    (reversal,) = (answer.json() for answer in answers if answer.status_code == 201)
    assert (reversal["amount"], reversal["reversal_of"]) == (euros("-1170.0000"), made["id"])
    assert (reversal["task_id"], reversal["incurred_at"]) == (made["task_id"], made["incurred_at"])
    again = await tracker.post(f"{own}/costs/{reversal['id']}/reversal", {"reason": "x"}, status=409)
    assert again["code"] == "cost-is-reversal"
    other = await tracker.post(f"{own}/costs", COST)
    early = {"reason": "x", "incurred_at": "2000-01-01T00:00:00Z"}
    await tracker.post(f"{own}/costs/{other['id']}/reversal", early, status=422)


async def test_a_cost_that_was_reversed_stays_as_it_is(tracker: Tracker, own: str) -> None:
    named = {**COST, "external_source": "erp", "external_id": "1"}
    (made,) = await tracker.batch(f"{own}/costs", [named])
    await tracker.post(f"{own}/costs/{made['id']}/reversal", {"reason": "x"})
    (again,) = await tracker.batch(f"{own}/costs", [named])
    assert (again["status"], again["version"]) == (200, 1)
    (refused,) = await tracker.batch(f"{own}/costs", [{**named, "amount": euros("9")}], mode="independent")
    assert (refused["status"], refused["problem"]["code"]) == (409, "cost-reversed")


async def test_a_date_as_a_period_is_a_day_of_the_projects_zone(tracker: Tracker) -> None:
    weekly = [{"weekday": "monday", "intervals": [["08:00", "16:00"]]}]
    calendar = await tracker.post("calendars", {"name": "c", "timezone": "Europe/Berlin", "weekly": weekly})
    own = await tracker.plan(await tracker.project(calendar_id=calendar["id"]), a_task("1.1.2"))
    made = await tracker.post(f"{own}/budget-lines", LINE | {"period_start": "2026-03-29", "period_end": "2026-03-29"})
    BudgetLine.model_validate(made, extra="forbid")
    assert (made["period_start"], made["period_end"]) == ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z")
    exact = await tracker.post(f"{own}/budget-lines", LINE | {"wbs": None, "period_start": AT, "period_end": AT})
    assert (exact["period_start"], exact["task_id"]) == (AT, None)
    await tracker.delete(f"{own}/budget-lines/{exact['id']}")


async def test_reports_are_independent_of_each_other(tracker: Tracker, own: str) -> None:
    answers = await asyncio.gather(
        *(
            tracker.send("POST", f"{own}/progress-reports", json={"wbs": "2", "status_at": AT, "percent_complete": "1"})
            for _ in range(3)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
