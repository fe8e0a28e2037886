import asyncio
from typing import Any

import pytest
from tracker_api import Tracker, a_task, euros

from chassis.testkit.applications import pointers
from project_tracker.baselines.schemas import EXAMPLE, Baseline, BaselineTask

MONDAY, TUESDAY = "2026-03-02T08:00:00Z", "2026-03-03T17:00:00Z"


@pytest.fixture
async def own(tracker: Tracker) -> str:
    tasks = [
        a_task("1", budget=euros("999")),
        a_task("1.1", duration="2d", budget=euros("100.50"), fixed_budget=euros("9.50"), fixed_accrual="end"),
        a_task("1.2", kind="milestone", duration="0d"),
    ]
    return await tracker.plan(await tracker.project(), *tasks, links=("1.1>1.2",))


async def frozen(tracker: Tracker, own: str, baseline: Any) -> dict[str, Any]:
    return {task["wbs"]: task for task in await tracker.every(f"{own}/baselines/{baseline['id']}/tasks")}


async def test_a_baseline_freezes_todays_schedule(tracker: Tracker, own: str) -> None:
    made = await tracker.post(f"{own}/baselines", EXAMPLE)
    shown = Baseline.model_validate(made, extra="forbid")
    assert (shown.number, shown.task_count) == (1, 3)
    assert (made["bac"], made["management_reserve"]) == (euros("110.0000"), euros("10000.0000"))
    assert (made["start"], made["finish"]) == (MONDAY, TUESDAY)
    assert (made["approved_by"], made["approved_at"]) == ("tester", made["created_at"])
    assert made["calendar"]["weekly"][0] == {"weekday": "monday", "intervals": [["08:00", "12:00"], ["13:00", "17:00"]]}
    tasks = await frozen(tracker, own, made)
    assert {BaselineTask.model_validate(task, extra="forbid").kind for task in tasks.values()} == {
        "summary",
        "task",
        "milestone",
    }
    assert (tasks["1.2"]["start"], tasks["1.1"]["fixed_accrual"]) == (TUESDAY, "end")
    assert await tracker.get(f"{own}/baselines/{made['id']}") == made


async def test_nothing_needs_to_be_said_of_a_baseline(tracker: Tracker, own: str) -> None:
    assert (await tracker.send("POST", f"{own}/baselines")).json()["number"] == 1


async def test_what_is_frozen_does_not_follow_the_plan(tracker: Tracker, own: str) -> None:
    made = await tracker.post(f"{own}/baselines", {})
    before = await frozen(tracker, own, made)
    await tracker.batch(f"{own}/tasks", [{"wbs": "1.1", "duration": "9d", "name": "other", "budget": euros("1")}])
    assert await frozen(tracker, own, made) == before
    assert (await tracker.send("PATCH", f"{own}/baselines/{made['id']}", json={})).status_code == 405


async def test_the_calendar_is_frozen_without_the_names_of_its_holidays(tracker: Tracker) -> None:
    weekly = [{"weekday": "monday", "intervals": [["09:00", "17:00"]]}]
    body = {"name": "c", "timezone": "Europe/Berlin", "weekly": weekly, "holiday_country": "DE"}
    calendar = await tracker.post("calendars", body)
    own = await tracker.plan(await tracker.project(calendar_id=calendar["id"]), a_task("1"))
    made = await tracker.post(f"{own}/baselines", {})
    Baseline.model_validate(made, extra="forbid")
    assert (made["calendar_id"], made["calendar"]["timezone"]) == (calendar["id"], "Europe/Berlin")
    assert made["calendar"]["hours_per_day"] == "8"
    assert {"date": "2026-12-25"} in made["calendar"]["holidays"]


async def test_freezing_needs_the_scope_to_approve(tracker: Tracker, own: str) -> None:
    writer = tracker.limited_to("projects:read", "projects:write")
    assert (await writer.post(f"{own}/baselines", {}, status=403))["scope"] == "projects:approve"
    approver = tracker.limited_to("projects:write", "projects:approve")
    explicit = {"tasks": [{"wbs": "1.1", "start": MONDAY, "finish": TUESDAY}]}
    assert (await approver.post(f"{own}/baselines", explicit, status=403))["scope"] == "projects:import"
    await approver.post(f"{own}/baselines", {"approved_at": MONDAY}, status=403)
    await approver.post(f"{own}/baselines", {})


async def test_a_second_baseline_needs_a_change_request(tracker: Tracker, own: str) -> None:
    await tracker.post(f"{own}/baselines", {})
    assert (await tracker.post(f"{own}/baselines", {}, status=409))["code"] == "change-request-required"


async def test_a_first_baseline_comes_before_execution(tracker: Tracker, own: str) -> None:
    project = await tracker.get(own)
    await tracker.batch("projects", [{"key": project["key"], "state": "executing"}])
    assert (await tracker.post(f"{own}/baselines", {}, status=409))["code"] == "execution-begun"
    await tracker.post(f"{own}/baselines", {"approved_at": MONDAY})


async def test_what_another_tool_froze_is_brought_along(tracker: Tracker, own: str) -> None:
    await tracker.post(f"{own}/baselines", {})
    tasks = [
        {"wbs": "1.1", "start": MONDAY, "finish": "2026-03-04T12:00:00Z", "budget": euros("70")},
        {"wbs": "1.2", "start": TUESDAY, "finish": TUESDAY, "budget": euros("5"), "fixed_budget": euros("2")},
    ]
    importer = tracker.limited_to("projects:read", "projects:write", "projects:import")
    made = await importer.post(f"{own}/baselines", {"approved_at": "2026-02-01T00:00:00Z", "tasks": tasks})
    assert (made["number"], made["task_count"], made["bac"]) == (2, 2, euros("77.0000"))
    assert (made["approved_at"], made["finish"]) == ("2026-02-01T00:00:00Z", "2026-03-04T12:00:00Z")
    rows = await frozen(tracker, own, made)
    assert (rows["1.1"]["budget"], rows["1.1"]["fixed_budget"]) == (euros("70.0000"), euros("0.0000"))
    as_planned = {"tasks": [{"wbs": "1.1", "start": MONDAY, "finish": TUESDAY}]}
    assert (await tracker.post(f"{own}/baselines", as_planned))["bac"] == euros("110.0000")
    assert [one["number"] for one in await tracker.every(f"{own}/baselines")] == [1, 2, 3]


async def test_what_is_wrong_is_pointed_at_all_at_once(tracker: Tracker, own: str) -> None:
    good = {"wbs": "1.1", "start": MONDAY, "finish": TUESDAY}
    tasks = [
        good,
        good,
        {**good, "wbs": "nowhere"},
        {**good, "wbs": "1", "finish": "2026-01-01T00:00:00Z"},
        {**good, "wbs": "1.2", "budget": {"amount": "1", "currency": "USD"}},
    ]
    problem = await tracker.post(f"{own}/baselines", {"tasks": tasks}, status=422)
    assert pointers(problem) == [
        ("/tasks/1", "repeated"),
        ("/tasks/2/wbs", "reference-unknown"),
        ("/tasks/3/finish", "before-start"),
        ("/tasks/4/budget/currency", "currency-differs"),
    ]
    problem = await tracker.post(f"{own}/baselines", {"approved_at": "2199-01-01T00:00:00Z"}, status=422)
    assert problem["errors"][0]["code"] == "in-the-future"


async def test_an_empty_plan_is_not_frozen(tracker: Tracker) -> None:
    project = await tracker.project()
    problem = await tracker.post(f"projects/{project['id']}/baselines", {}, status=409)
    assert problem["code"] == "plan-empty"


async def test_of_two_first_baselines_one_wins(tracker: Tracker, own: str) -> None:
    answers = await asyncio.gather(*(tracker.send("POST", f"{own}/baselines", json={}) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]


async def test_a_task_leaves_the_plan_but_not_its_baseline(tracker: Tracker) -> None:
    own = await tracker.plan(await tracker.project(), a_task("1"))
    made = await tracker.post(f"{own}/baselines", {})
    (task,) = await tracker.every(f"{own}/tasks")
    await tracker.delete(f"{own}/tasks/{task['id']}")
    assert (await frozen(tracker, own, made))["1"]["task_id"] == task["id"]


async def test_the_tasks_of_another_projects_baseline_are_not_found(tracker: Tracker, own: str) -> None:
    made = await tracker.post(f"{own}/baselines", {})
    other = await tracker.project()
    await tracker.get(f"projects/{other['id']}/baselines/{made['id']}/tasks", status=404)
    await tracker.get(f"projects/{other['id']}/baselines/{made['id']}", status=404)
