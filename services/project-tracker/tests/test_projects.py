import asyncio
import json
from typing import Any

import pytest
from tracker_api import Tracker, euros

from chassis import ids
from chassis.testkit.applications import ANY_VERSION, pointers
from project_tracker.projects.schemas import EXAMPLE, Project

MINIMAL = {"key": "crm", "name": "CRM", "currency": "EUR"}


async def test_a_project_is_shown_as_its_schema_says(tracker: Tracker) -> None:
    made = await tracker.post("projects", EXAMPLE)
    assert made["state"] == "proposed"
    assert made["budget_limit"] == euros("250000.0000")
    assert Project.model_validate(made, extra="forbid").key == "crm"
    assert await tracker.get(f"projects/{made['id']}") == made
    assert await tracker.get("projects/by-key/crm") == made
    assert (await tracker.get("projects", key="crm"))["items"] == [made]


async def test_what_is_not_said_has_a_default(tracker: Tracker) -> None:
    made = await tracker.post("projects", MINIMAL)
    assert made["kind"] == "other"
    assert made["start_at"] == made["created_at"]
    assert (made["on_hold"], made["outcome"], made["constraint_policy"]) == (False, None, "logic")


@pytest.mark.parametrize(
    ("wrong", "pointer", "code"),
    [
        ({"key": "Not a slug"}, "/key", "pattern"),
        ({"name": " "}, "/name", "pattern"),
        ({"currency": "euro"}, "/currency", "pattern"),
        ({"kind": "party"}, "/kind", "not-one-of"),
        ({"state": "executing"}, "/state", "unknown-field"),
        ({"start_at": "2026-03-02"}, "/start_at", "instant"),
        ({"budget_limit": {"amount": "1", "currency": "USD"}}, "/budget_limit/currency", "currency-differs"),
        ({"budget_limit": {"amount": 1, "currency": "EUR"}}, "/budget_limit/amount", "decimal"),
        ({"budget_limit": {"amount": "-1", "currency": "EUR"}}, "/budget_limit/amount", "decimal-range"),
        ({"target_service": {"key": "x"}}, "/target_service", "target-service"),
        ({"calendar_id": str(ids.new_id())}, "/calendar_id", "reference-unknown"),
        ({"predecessor_project_id": str(ids.new_id())}, "/predecessor_project_id", "reference-unknown"),
        ({"surprise": 1}, "/surprise", "unknown-field"),
    ],
)
async def test_what_is_wrong_is_pointed_at(tracker: Tracker, wrong: dict[str, Any], pointer: str, code: str) -> None:
    problem = await tracker.post("projects", MINIMAL | wrong, status=422)
    assert pointers(problem) == [(pointer, code)]


async def test_a_key_is_unique_in_its_organisation_only(tracker: Tracker) -> None:
    await tracker.post("projects", MINIMAL)
    assert (await tracker.post("projects", MINIMAL, status=409))["code"] == "key-taken"
    await tracker.of_another_organisation().post("projects", MINIMAL)


async def test_a_patch_changes_what_it_names(tracker: Tracker) -> None:
    made = await tracker.post("projects", EXAMPLE)
    changed = await tracker.patch(f"projects/{made['id']}", {"name": "New", "deadline_at": None})
    assert (changed["name"], changed["deadline_at"], changed["goal"]) == ("New", None, made["goal"])
    assert changed["version"] == 2
    again = await tracker.patch(f"projects/{made['id']}", {"name": "New"})
    assert again["version"] == 2
    for wrong in ({"key": "other"}, {"currency": "USD"}, {"state": "closed"}, {"name": None}):
        await tracker.patch(f"projects/{made['id']}", wrong, status=422)


async def test_a_patch_is_merged_into_what_a_field_holds(tracker: Tracker) -> None:
    made = await tracker.post("projects", EXAMPLE | {"origin": {"type": "demand", "id": "9"}})
    path = f"projects/{made['id']}"
    patch = {"origin": {"type": "follow_on"}, "budget_limit": {"amount": "20"}, "target_service": {"name": "New"}}
    changed = await tracker.patch(path, patch)
    assert changed["origin"] == {"type": "follow_on", "id": "9"}
    assert changed["budget_limit"] == euros("20.0000")
    assert changed["target_service"] == made["target_service"] | {"name": "New"}
    assert (await tracker.patch(path, {"origin": {"id": None}}))["origin"] == {"type": "follow_on", "id": None}
    wrong: dict[str, Any] = {
        "budget_limit": {"currency": "USD"},
        "origin": {"type": "whim", "by": "x"},
        "target_service": {"key": None},
    }
    for name, places in (
        ("budget_limit", {("/budget_limit/currency", "currency-differs")}),
        ("origin", {("/origin/type", "not-one-of"), ("/origin/by", "unknown-field")}),
        ("target_service", {("/target_service", "target-service")}),
    ):
        assert set(pointers(await tracker.patch(path, {name: wrong[name]}, status=422))) == places
    assert (await tracker.patch(path, {"origin": None, "budget_limit": None}))["origin"] is None
    missing = await tracker.patch(path, {"budget_limit": {"amount": "1"}}, status=422)
    assert pointers(missing) == [("/budget_limit/currency", "missing")]
    assert pointers(await tracker.patch(path, {"origin": "demand"}, status=422)) == [("/origin", "model-type")]


async def test_labels_are_merged(tracker: Tracker) -> None:
    made = await tracker.project(labels={"a": "1", "b": "2"})
    changed = await tracker.patch(f"projects/{made['id']}", {"labels": {"a": None, "c": "3"}})
    assert changed["labels"] == {"b": "2", "c": "3"}


async def test_a_change_needs_the_version_it_is_of(tracker: Tracker) -> None:
    made = await tracker.project()
    path = f"projects/{made['id']}"
    assert (await tracker.send("PATCH", path, json={"name": "x"})).status_code == 428
    first = await tracker.send("PATCH", path, json={"name": "x"}, headers={"If-Match": '"1"'})
    assert (first.status_code, first.headers["etag"]) == (200, '"2"')
    stale = await tracker.send("PATCH", path, json={"name": "y"}, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["current"]["name"]) == (412, "x")


async def test_of_two_changes_of_one_version_one_wins(tracker: Tracker) -> None:
    made = await tracker.project()
    headers = {"If-Match": '"1"'}
    answers = await asyncio.gather(
        *(
            tracker.send("PATCH", f"projects/{made['id']}", json={"name": f"n{number}"}, headers=headers)
            for number in range(4)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]


async def test_put_by_key_creates_replaces_and_keeps(tracker: Tracker) -> None:
    body = {"name": "CRM", "currency": "EUR", "goal": "g", "start_at": "2026-03-02T08:00:00Z"}
    made = await tracker.send("PUT", "projects/by-key/crm", json=body)
    assert made.status_code == 201
    assert made.headers["location"] == f"/v1/projects/{made.json()['id']}"
    same = await tracker.send("PUT", "projects/by-key/crm", json=body)
    assert (same.status_code, same.json()) == (200, made.json())
    changed = await tracker.send("PUT", "projects/by-key/crm", json={"name": "N", "currency": "EUR"})
    assert (changed.json()["goal"], changed.json()["start_at"]) == (None, "2026-03-02T08:00:00Z")
    refused = await tracker.send("PUT", "projects/by-key/crm", json=body | {"currency": "USD"})
    assert (refused.status_code, pointers(refused.json())) == (422, [("/currency", "immutable")])
    only_new = await tracker.send("PUT", "projects/by-key/crm", json=body, headers={"If-None-Match": "*"})
    assert only_new.status_code == 412
    only_known = await tracker.send("PUT", "projects/by-key/none", json=body, headers=ANY_VERSION)
    assert only_known.status_code == 412


async def test_puts_at_once_create_one_project(tracker: Tracker) -> None:
    body = {"name": "CRM", "currency": "EUR", "start_at": "2026-03-02T08:00:00Z"}
    answers = await asyncio.gather(*(tracker.send("PUT", "projects/by-key/crm", json=body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]


async def test_a_project_does_not_follow_itself(tracker: Tracker) -> None:
    made = await tracker.project()
    problem = await tracker.patch(f"projects/{made['id']}", {"predecessor_project_id": made["id"]}, status=422)
    assert pointers(problem) == [("/predecessor_project_id", "own-predecessor")]


async def test_a_project_is_deleted_only_before_it_begins(tracker: Tracker) -> None:
    made = await tracker.project()
    await tracker.delete(f"projects/{made['id']}")
    await tracker.get(f"projects/{made['id']}", status=404)
    begun = await tracker.batch("projects", [{**MINIMAL, "key": "begun", "state": "planning"}])
    assert (await tracker.delete(f"projects/{begun[0]['id']}", status=409))["code"] == "project-begun"
    used = await tracker.project()
    await tracker.batch(f"projects/{used['id']}/tasks", [{"wbs": "1", "name": "a"}])
    assert (await tracker.delete(f"projects/{used['id']}", status=409))["code"] == "project-in-use"
    followed = await tracker.project()
    await tracker.project(predecessor_project_id=followed["id"])
    assert (await tracker.delete(f"projects/{followed['id']}", status=409))["code"] == "project-in-use"


async def test_a_batch_adds_changes_and_leaves(tracker: Tracker) -> None:
    item = {**MINIMAL, "external_source": "pmo", "external_id": "42", "state": "executing", "outcome": None}
    first = await tracker.batch("projects", [item, {**MINIMAL, "key": "second"}])
    assert [one["status"] for one in first] == [201, 201]
    same = await tracker.batch("projects", [item, {**MINIMAL, "key": "second"}])
    assert [(one["status"], one["version"]) for one in same] == [(200, 1), (200, 1)]
    await tracker.batch("projects", [{"key": "crm", "state": "closed", "outcome": "completed"}])
    closed = await tracker.get("projects/by-key/crm")
    assert (closed["state"], closed["outcome"], closed["name"]) == ("closed", "completed", "CRM")


async def test_a_batch_judges_each_item(tracker: Tracker) -> None:
    items = [{"key": "no-name"}, MINIMAL, {**MINIMAL, "key": "k2", "currency": "?"}]
    told = await tracker.batch("projects", items, mode="independent")
    assert [one["status"] for one in told] == [422, 201, 422]
    assert pointers(told[0]["problem"]) == [("/name", "missing"), ("/currency", "missing")]
    problem = await tracker.batch("projects", [{"key": "no-name"}], status=422)
    assert pointers(problem) == [("/items/0/name", "missing"), ("/items/0/currency", "missing")]


async def test_the_past_is_brought_along_only_with_the_scope_for_it(tracker: Tracker) -> None:
    writer = tracker.limited_to("projects:read", "projects:write")
    problem = await writer.batch("projects", [{**MINIMAL, "state": "executing"}], status=403)
    assert problem["scope"] == "projects:import"
    await writer.batch("projects", [MINIMAL])


async def test_each_path_needs_its_scope(tracker: Tracker) -> None:
    made = await tracker.project()
    reader, nobody = tracker.limited_to("projects:read"), tracker.limited_to("kpi:read")
    await reader.get(f"projects/{made['id']}")
    await reader.post("projects", MINIMAL, status=403)
    await nobody.get("projects", status=403)


async def test_another_organisation_sees_nothing(tracker: Tracker) -> None:
    made = await tracker.project()
    other = tracker.of_another_organisation()
    assert (await other.get("projects"))["items"] == []
    for part in ("", "/tasks", "/dependencies", "/schedule", "/baselines", "/progress-reports", "/costs"):
        await other.get(f"projects/{made['id']}{part}", status=404)
    await other.patch(f"projects/{made['id']}", {"name": "stolen"}, status=404)
    await other.batch(f"projects/{made['id']}/tasks", [{"wbs": "1", "name": "a"}], status=404)


async def test_a_list_is_filtered_sorted_and_paged(tracker: Tracker) -> None:
    for number in range(5):
        await tracker.project(key=f"k{number}", kind="process" if number % 2 else "other")
    assert [one["key"] for one in await tracker.every("projects", kind="process")] == ["k1", "k3"]
    page = await tracker.get("projects", limit=2, sort="-key", count="true")
    assert ([one["key"] for one in page["items"]], page["count"]) == (["k4", "k3"], 5)
    rest = await tracker.get("projects", limit=2, sort="-key", after=page["next"])
    assert [one["key"] for one in rest["items"]] == ["k2", "k1"]
    await tracker.get("projects", colour="red", status=422)


async def test_a_request_with_a_key_takes_effect_once(tracker: Tracker) -> None:
    headers = {"Idempotency-Key": "once"}
    first = await tracker.send("POST", "projects", json=MINIMAL, headers=headers)
    again = await tracker.send("POST", "projects", json=MINIMAL, headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["event-id"] == first.headers["event-id"]
    other = await tracker.send("POST", "projects", json={**MINIMAL, "key": "b"}, headers=headers)
    assert other.status_code == 422


async def test_of_two_equal_creations_one_wins(tracker: Tracker) -> None:
    answers = await asyncio.gather(*(tracker.send("POST", "projects", json=MINIMAL) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


async def test_the_example_of_a_batch_is_accepted(tracker: Tracker) -> None:
    item = {**EXAMPLE, "external_source": "pmo", "external_id": "1", "state": "executing"}
    (told,) = await tracker.batch("projects", json.loads(json.dumps([item])))
    assert told["status"] == 201
