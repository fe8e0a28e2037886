import asyncio
from typing import Any

import pytest
from tracker_api import Tracker, a_task, euros

from chassis import ids
from chassis.testkit.applications import pointers
from project_tracker.plans.tasks.schemas import EXAMPLE, Task


@pytest.fixture
async def own(tracker: Tracker) -> str:
    return f"projects/{(await tracker.project())['id']}"


async def tree(tracker: Tracker, own: str) -> dict[str, str | None]:
    tasks = await tracker.every(f"{own}/tasks")
    names = {task["id"]: task["wbs"] for task in tasks}
    return {task["wbs"]: names.get(task["parent_id"]) for task in tasks}


async def test_a_task_is_shown_as_its_schema_says(tracker: Tracker, own: str) -> None:
    made = await tracker.post(f"{own}/tasks", EXAMPLE)
    assert Task.model_validate(made, extra="forbid").wbs == "1.1.2"
    assert made["budget"] == euros("23670.0000")
    assert made["constraint"] == {"type": "SNET", "at": "2014-02-03T08:00:00Z"}
    assert (made["percent_complete"], made["parent_id"], made["estimate"]) == ("0", None, None)
    assert await tracker.get(f"{own}/tasks/{made['id']}") == made


@pytest.mark.parametrize(
    ("wrong", "pointer", "code"),
    [
        ({"wbs": "1..2"}, "/wbs", "pattern"),
        ({"wbs": "1 2"}, "/wbs", "pattern"),
        ({"wbs": "1" * 65}, "/wbs", "string-too-long"),
        ({"duration": "soon"}, "/duration", "duration"),
        ({"duration": "-1d"}, "/duration", "duration"),
        ({"duration": "50%"}, "/duration", "duration"),
        ({"budget": euros("-1")}, "/budget/amount", "decimal-range"),
        ({"budget": {"amount": "1", "currency": "USD"}}, "/budget/currency", "currency-differs"),
        ({"constraint": {"type": "SNET"}}, "/constraint", "constraint"),
        ({"constraint": {"type": "ASAP", "at": "2026-01-01T00:00:00Z"}}, "/constraint", "constraint"),
        ({"percent_complete": "100.5"}, "/percent_complete", "decimal-range"),
        ({"percent_complete": "1.1234567890123"}, "/percent_complete", "decimal"),
        ({"parent_wbs": "9"}, "/parent_wbs", "reference-unknown"),
        ({"calendar_id": str(ids.new_id())}, "/calendar_id", "reference-unknown"),
        ({"estimate": {"optimistic": "1d"}}, "/estimate/most_likely", "missing"),
        (
            {"actual_start_at": "2026-03-03T08:00:00Z", "actual_finish_at": "2026-03-02T08:00:00Z"},
            "/actual_finish_at",
            "before-start",
        ),
    ],
)
async def test_what_is_wrong_is_pointed_at(
    tracker: Tracker, own: str, wrong: dict[str, Any], pointer: str, code: str
) -> None:
    for sent, at in (
        (tracker.post(f"{own}/tasks", a_task("1") | wrong, status=422), ""),
        (tracker.batch(f"{own}/tasks", [a_task("7"), a_task("1") | wrong], status=422), "/items/1"),
    ):
        problem = await sent
        assert (at + pointer, code) in pointers(problem)
    assert await tree(tracker, own) == {}


async def test_a_batch_in_any_order_makes_the_tree(tracker: Tracker, own: str) -> None:
    told = await tracker.batch(
        f"{own}/tasks", [a_task("1.1.2"), a_task("1.1"), a_task("2", parent_wbs="1.1"), a_task("1")]
    )
    assert [one["status"] for one in told] == [201] * 4
    assert await tree(tracker, own) == {"1.1.2": "1.1", "1.1": "1", "2": "1.1", "1": None}
    kinds = {task["wbs"]: task["kind"] for task in await tracker.every(f"{own}/tasks")}
    assert kinds == {"1.1.2": "task", "1.1": "summary", "2": "task", "1": "summary"}


async def test_the_same_batch_again_changes_nothing(tracker: Tracker, own: str) -> None:
    items = [a_task("1", kind="task"), a_task("1.1", budget=euros("10.50")), {**EXAMPLE, "wbs": "1.2"}]
    first = await tracker.batch(f"{own}/tasks", items)
    again = await tracker.batch(f"{own}/tasks", items)
    assert [(one["status"], one["id"], one["version"]) for one in again] == [(200, one["id"], 1) for one in first]


async def test_a_second_batch_takes_over_what_belongs_below_it(tracker: Tracker, own: str) -> None:
    await tracker.batch(f"{own}/tasks", [a_task("1"), a_task("1.1.1"), a_task("1.1.2")])
    await tracker.batch(f"{own}/tasks", [a_task("1.1")])
    assert await tree(tracker, own) == {"1": None, "1.1.1": "1.1", "1.1.2": "1.1", "1.1": "1"}
    moved = (await tracker.get(f"{own}/tasks", wbs="1.1.1"))["items"][0]
    assert moved["version"] == 2


async def test_a_known_task_changes_in_what_is_sent_only(tracker: Tracker, own: str) -> None:
    await tracker.batch(f"{own}/tasks", [a_task("1", budget=euros("5"), external_source="msp", external_id="1")])
    told = await tracker.batch(f"{own}/tasks", [{"wbs": "1", "percent_complete": "50"}])
    task = await tracker.get(f"{own}/tasks/{told[0]['id']}")
    assert (task["name"], task["duration"], task["percent_complete"]) == ("Task 1", "1d", "50")
    assert task["budget"] == euros("5.0000")
    renamed = await tracker.batch(f"{own}/tasks", [{"wbs": "7", "external_source": "msp", "external_id": "1"}])
    assert renamed[0]["id"] == told[0]["id"]
    assert await tree(tracker, own) == {"7": None}


async def test_independent_items_stand_for_themselves(tracker: Tracker, own: str) -> None:
    await tracker.batch(f"{own}/tasks", [a_task("1")])
    items = [
        a_task("2", parent_wbs="none"),
        a_task("3", parent_wbs="2"),
        {"wbs": "4"},
        a_task("5", calendar_id=str(ids.new_id())),
        a_task("5.1"),
        a_task("1", external_source="msp", external_id="9"),
        {**a_task("6"), "duration": "x"},
        a_task("1.1"),
    ]
    told = await tracker.batch(f"{own}/tasks", items, mode="independent")
    assert [one["status"] for one in told] == [422, 422, 422, 422, 201, 409, 422, 201]
    assert await tree(tracker, own) == {"1": None, "5.1": None, "1.1": "1"}


async def test_a_task_moves_by_its_wbs_or_its_parent(tracker: Tracker, own: str) -> None:
    await tracker.batch(f"{own}/tasks", [a_task("1"), a_task("2"), a_task("1.1"), a_task("1.1.1")])
    by_wbs = {task["wbs"]: task["id"] for task in await tracker.every(f"{own}/tasks")}
    await tracker.patch(f"{own}/tasks/{by_wbs['1.1.1']}", {"parent_wbs": "2"})
    assert (await tree(tracker, own))["1.1.1"] == "2"
    await tracker.patch(f"{own}/tasks/{by_wbs['1.1.1']}", {"parent_wbs": None})
    assert (await tree(tracker, own))["1.1.1"] == "1.1"
    await tracker.patch(f"{own}/tasks/{by_wbs['1.1']}", {"wbs": "2.1"})
    assert await tree(tracker, own) == {"1": None, "2": None, "2.1": "2", "1.1.1": "1"}
    problem = await tracker.patch(f"{own}/tasks/{by_wbs['1']}", {"parent_wbs": "1.1.1"}, status=409)
    assert problem["code"] == "parent-cycle"
    assert (await tracker.patch(f"{own}/tasks/{by_wbs['2']}", {"kind": "task"}, status=409))[
        "code"
    ] == "task-has-subtasks"
    assert (await tracker.patch(f"{own}/tasks/{by_wbs['1']}", {"wbs": "2"}, status=409))["code"] == "wbs-taken"


async def test_a_task_that_something_hangs_on_stays(tracker: Tracker, own: str) -> None:
    await tracker.batch(f"{own}/tasks", [a_task("1"), a_task("1.1"), a_task("2")])
    by_wbs = {task["wbs"]: task["id"] for task in await tracker.every(f"{own}/tasks")}
    assert (await tracker.delete(f"{own}/tasks/{by_wbs['1']}", status=409))["code"] == "task-in-use"
    await tracker.post(f"{own}/costs", {"wbs": "2", "incurred_at": "2026-03-02T08:00:00Z", "amount": euros("1")})
    assert (await tracker.delete(f"{own}/tasks/{by_wbs['2']}", status=409))["code"] == "task-in-use"
    await tracker.delete(f"{own}/tasks/{by_wbs['1.1']}")
    await tracker.delete(f"{own}/tasks/{by_wbs['1']}")


@pytest.mark.parametrize("state", ["closed", "cancelled"])
async def test_the_plan_of_a_closed_project_stays_as_it_is(tracker: Tracker, state: str) -> None:
    project = await tracker.project()
    own = await tracker.plan(project, a_task("1"), a_task("2"))
    await tracker.batch("projects", [{"key": project["key"], "state": state}])
    when = "2026-03-02T08:00:00Z"
    for path, body in (
        ("tasks", a_task("3")),
        ("dependencies", {"predecessor_wbs": "1", "successor_wbs": "2"}),
        ("progress-reports", {"wbs": "1", "status_at": when, "percent_complete": "1"}),
        ("costs", {"incurred_at": when, "amount": euros("1")}),
        ("budget-lines", {"period_start": when, "period_end": when, "amount": euros("1")}),
        ("baselines", {}),
    ):
        assert (await tracker.post(f"{own}/{path}", body, status=409))["code"] == "project-closed"
    await tracker.get(f"{own}/schedule")


@pytest.mark.parametrize("state", ["proposed", "initiating", "planning", "executing", "delivering", "closing"])
async def test_plan_progress_and_costs_are_taken_in_every_open_state(tracker: Tracker, state: str) -> None:
    project = await tracker.project()
    own = await tracker.plan(project, a_task("1"), a_task("2"))
    await tracker.batch("projects", [{"key": project["key"], "state": state, "on_hold": True}])
    when = "2026-03-02T08:00:00Z"
    await tracker.post(f"{own}/tasks", a_task("3"))
    await tracker.post(f"{own}/dependencies", {"predecessor_wbs": "1", "successor_wbs": "2"})
    await tracker.post(f"{own}/progress-reports", {"wbs": "1", "status_at": when, "percent_complete": "1"})
    await tracker.post(f"{own}/costs", {"incurred_at": when, "amount": euros("1")})
    await tracker.post(f"{own}/budget-lines", {"period_start": when, "period_end": when, "amount": euros("1")})


async def test_two_creations_of_one_code_have_one_winner(tracker: Tracker, own: str) -> None:
    answers = await asyncio.gather(*(tracker.send("POST", f"{own}/tasks", json=a_task("1")) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


async def test_tasks_created_at_once_lie_where_their_codes_say(tracker: Tracker, own: str) -> None:
    codes = ["1", *(f"1.{n}" for n in range(1, 5)), *(f"1.{n}.{m}" for n in range(1, 5) for m in (1, 2))]
    answers = await asyncio.gather(*(tracker.send("POST", f"{own}/tasks", json=a_task(wbs)) for wbs in codes[::-1]))
    assert {answer.status_code for answer in answers} == {201}
    tasks = (await tracker.get(f"{own}/tasks?limit=50"))["items"]
    ids = {task["wbs"]: task["id"] for task in tasks}
    assert {task["wbs"]: task["parent_id"] for task in tasks} == {wbs: ids.get(wbs.rpartition(".")[0]) for wbs in codes}
    assert {task["wbs"] for task in tasks if task["kind"] == "summary"} == {wbs for wbs in codes if len(wbs) < 4}


async def test_a_thousand_tasks_fit_into_one_batch_and_no_more(tracker: Tracker, own: str) -> None:
    items = [a_task(f"{number // 30}.{number % 30}") for number in range(1, 1001)]
    told = await tracker.batch(f"{own}/tasks", items)
    assert {one["status"] for one in told} == {201}
    await tracker.batch(f"{own}/tasks", [*items, a_task("x")], status=422)
