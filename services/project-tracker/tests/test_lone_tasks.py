"""A new task is added by one statement where nothing else moves, and lies where a look at the whole tree puts it."""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from tracker_api import Tracker, a_task, euros

from chassis import ids
from project_tracker.plans.tasks.operations import Tasks
from project_tracker.plans.tasks.outline import Node, Outline
from project_tracker.plans.tasks.placing import Placement, place

CODES = ["1", "1.1", "1.1.1", "1.1.2", "1.2", "2", "2.1", "3"]


def cases() -> Iterator[tuple[list[str], str, str | None, str]]:
    """Yield plans, and a task to be added to each: its wbs, the parent it names, its kind."""
    chosen = Random(11)  # noqa: S311
    for _ in range(80):
        present = sorted(chosen.sample(CODES, chosen.randrange(len(CODES))))
        yield present, chosen.choice(CODES), chosen.choice([None, None, *CODES]), chosen.choice(["task", "summary"])


def as_shown(outline: Outline) -> dict[str, tuple[str | None, str]]:
    nodes = outline.nodes
    return {node.wbs: (nodes[node.parent_id].wbs if node.parent_id else None, node.kind) for node in nodes.values()}


async def tree(tracker: Tracker, own: str) -> dict[str, tuple[str | None, str]]:
    tasks = await tracker.every(f"{own}/tasks")
    names = {task["id"]: task["wbs"] for task in tasks}
    return {task["wbs"]: (names.get(task["parent_id"]), task["kind"]) for task in tasks}


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks that were added with a look at the whole tree."""
    looked: list[str] = []
    whole = Tasks._added_to_tree

    async def looking(self: Tasks, tx: Any, project_id: Any, new: Any) -> Any:
        looked.append(new.wbs)
        return await whole(self, tx, project_id, new)

    monkeypatch.setattr(Tasks, "_added_to_tree", looking)
    return looked


async def test_a_task_lies_where_the_whole_tree_puts_it(tracker: Tracker, looks: list[str]) -> None:
    for present, wbs, parent, kind in cases():
        own = await tracker.plan(await tracker.project(), *(a_task(code) for code in present))
        before = Outline(Node(ids.new_id(), code, "task") for code in present).settled()
        item = Placement(id=ids.new_id(), wbs=wbs, kind=kind, parent_wbs=parent, is_placed=True)
        placed = place(before, [], {0: item})
        looks.clear()
        answer = await tracker.send("POST", f"{own}/tasks", json=a_task(wbs, kind=kind, parent_wbs=parent))
        case = (present, wbs, parent, kind, answer.text)
        assert (answer.status_code == 201) == (not placed.refused), case
        assert await tree(tracker, own) == as_shown(before if placed.refused else placed.outline), case
        if not placed.refused:
            below = any(code.startswith(f"{wbs}.") for code in present)
            assert bool(looks) == bool(below or placed.outline.moved(before)), case


async def test_its_money_is_the_projects(tracker: Tracker, looks: list[str]) -> None:
    own = await tracker.plan(await tracker.project())
    dollars = {"amount": "2", "currency": "USD"}
    for money in ({"budget": dollars}, {"budget": euros("1"), "fixed_budget": dollars}):
        refused = await tracker.post(f"{own}/tasks", a_task("1", **money), status=422)
        assert {error["code"] for error in refused["errors"]} == {"currency-differs"}
    looks.clear()
    task = await tracker.post(f"{own}/tasks", a_task("1", fixed_budget=euros("2.5")))
    assert (task["budget"], task["fixed_budget"], looks) == (None, euros("2.5000"), [])


async def test_one_that_ends_before_it_begins_is_refused(tracker: Tracker) -> None:
    own = await tracker.plan(await tracker.project())
    reversed_ = {"actual_start_at": "2026-03-03T08:00:00Z", "actual_finish_at": "2026-03-02T08:00:00Z"}
    refused = await tracker.post(f"{own}/tasks", a_task("1", **reversed_), status=422)
    assert [error["code"] for error in refused["errors"]] == ["before-start"]
