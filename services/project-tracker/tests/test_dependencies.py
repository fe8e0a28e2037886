import asyncio
from typing import Any

import pytest
from tracker_api import Tracker, a_link, a_task

from chassis import ids
from chassis.testkit.applications import pointers
from project_tracker.plans.links.schemas import Dependency


@pytest.fixture
async def own(tracker: Tracker) -> str:
    return await tracker.plan(await tracker.project(), *(a_task(wbs) for wbs in ("1", "1.1", "1.2", "2", "3", "4")))


def link(before: str, after: str, **given: Any) -> dict[str, Any]:
    return {"predecessor_wbs": before, "successor_wbs": after} | given


async def test_a_link_is_shown_as_its_schema_says(tracker: Tracker, own: str) -> None:
    made = await tracker.post(f"{own}/dependencies", a_link("2>3:SS-1w2d"))
    shown = Dependency.model_validate(made, extra="forbid")
    assert (shown.type, shown.lag) == ("SS", "-1w2d")
    assert await tracker.get(f"{own}/dependencies/{made['id']}") == made
    by_id = {"predecessor_id": made["successor_id"], "successor_wbs": "4", "lag": "-50%"}
    assert (await tracker.post(f"{own}/dependencies", by_id))["type"] == "FS"


@pytest.mark.parametrize(
    ("wrong", "pointer", "code"),
    [
        ({"lag": "x"}, "/lag", "lag"),
        ({"type": "XX"}, "/type", "not-one-of"),
        ({"predecessor_wbs": "9"}, "/predecessor_wbs", "reference-unknown"),
        ({"predecessor_wbs": None}, "/predecessor_wbs", "missing"),
        ({"successor_id": str(ids.new_id())}, "/successor_id", "reference-unknown"),
    ],
)
async def test_what_is_wrong_is_pointed_at(
    tracker: Tracker, own: str, wrong: dict[str, Any], pointer: str, code: str
) -> None:
    problem = await tracker.post(f"{own}/dependencies", link("2", "3") | wrong, status=422)
    assert pointers(problem) == [(pointer, code)]


async def test_a_task_of_another_project_is_unknown_here(tracker: Tracker, own: str) -> None:
    other = await tracker.plan(await tracker.project(), a_task("1"))
    (stranger,) = await tracker.every(f"{other}/tasks")
    problem = await tracker.post(
        f"{own}/dependencies", {"predecessor_id": stranger["id"], "successor_wbs": "2"}, status=422
    )
    assert problem["errors"][0]["pointer"] == "/predecessor_id"


async def test_a_cycle_is_refused_and_named(tracker: Tracker, own: str) -> None:
    await tracker.batch(f"{own}/dependencies", [link("2", "3"), link("3", "4")])
    problem = await tracker.post(f"{own}/dependencies", link("4", "2", type="SS"), status=409)
    assert problem["code"] == "cycle"
    assert all(f"{step}" in problem["detail"] for step in ("2 → 3", "3 → 4", "4 → 2"))
    assert problem["unmet_guards"][0]["ref"].startswith("tasks/")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (link("1", "1.1"), "link-within-branch"),
        (link("1.1", "1"), "link-within-branch"),
        (link("2", "1", type="FF"), "link-onto-summary"),
        (link("2", "1", type="SF"), "link-onto-summary"),
        (link("2", "2"), "link-to-itself"),
    ],
)
async def test_links_that_cannot_be_are_refused(tracker: Tracker, own: str, body: dict[str, Any], code: str) -> None:
    assert (await tracker.post(f"{own}/dependencies", body, status=409))["code"] == code
    problem = await tracker.batch(f"{own}/dependencies", [link("3", "4"), body], status=409)
    assert pointers(problem) == [("/items/1", code)]
    told = await tracker.batch(f"{own}/dependencies", [link("3", "4"), body], mode="independent")
    assert [one["status"] for one in told] == [201, 409]


async def test_summaries_may_be_linked(tracker: Tracker, own: str) -> None:
    links = [link("1", "2"), link("1.2", "3", type="FF"), link("4", "1", type="SS"), link("1", "2", type="SF")]
    assert [one["status"] for one in await tracker.batch(f"{own}/dependencies", links)] == [201] * 4


async def test_ends_and_type_are_the_key_of_a_link(tracker: Tracker, own: str) -> None:
    await tracker.batch(f"{own}/dependencies", [link("2", "3", lag="1d"), link("2", "3", type="SS")])
    told = await tracker.batch(f"{own}/dependencies", [link("2", "3", lag="2d"), link("2", "3", type="SS")])
    assert [(one["status"], one["version"]) for one in told] == [(200, 2), (200, 1)]
    assert (await tracker.post(f"{own}/dependencies", link("2", "3"), status=409))["code"] == "link-exists"
    problem = await tracker.batch(f"{own}/dependencies", [link("3", "4"), link("3", "4")], status=422)
    assert {error["code"] for error in problem["errors"]} == {"repeated-in-batch"}


async def test_a_link_changes_and_goes(tracker: Tracker, own: str) -> None:
    made = await tracker.post(f"{own}/dependencies", link("2", "1"))
    path = f"{own}/dependencies/{made['id']}"
    assert (await tracker.patch(path, {"type": "SS", "lag": "3ed"}))["lag"] == "3ed"
    assert (await tracker.patch(path, {"type": "FF"}, status=409))["code"] == "link-onto-summary"
    await tracker.delete(path)
    await tracker.get(path, status=404)


async def test_of_two_links_that_close_a_cycle_together_one_wins(tracker: Tracker) -> None:
    for _ in range(3):
        own = await tracker.plan(await tracker.project(), a_task("1"), a_task("2"), a_task("3"))
        bodies = [link("1", "2"), link("2", "3"), link("3", "1")]
        answers = await asyncio.gather(*(tracker.send("POST", f"{own}/dependencies", json=body) for body in bodies))
        assert sorted(answer.status_code for answer in answers) == [201, 201, 409]
        await tracker.get(f"{own}/schedule")
