from typing import Any

import pytest
from catalog_api import Catalog

from chassis.testkit.applications import pointers

PAST = {
    "external_source": "desk",
    "service_key": "shop",
    "title": "It was down",
    "occurred_at": "2025-03-02T09:00:00Z",
    "factor": "supplier",
    "resolution": "Back again.",
}


def past(number: int, *steps: str, **given: Any) -> dict[str, Any]:
    """Return an item whose history is written `state@HH:MM`."""
    history = [
        {"state": state, "at": f"2025-03-02T{at}:00Z"} for state, _, at in (step.partition("@") for step in steps)
    ]
    return PAST | {"external_id": str(number)} | ({"history": history} if history else {}) | given


async def one(catalog: Catalog, *items: Any, **given: Any) -> Any:
    (answered,) = await catalog.batch("incidents", list(items), **given)
    return answered


async def shown(catalog: Catalog, answered: Any) -> Any:
    return await catalog.get(f"incidents/{answered['id']}")


async def test_a_history_free_of_the_table_is_brought_along(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    steps = ("new@09:01", "on_hold@09:30", "resolved@10:00", "acknowledged@10:30", "closed@11:00")
    made = await one(catalog, past(1, *steps))
    assert (made["status"], made["version"]) == (201, 1)
    kept = await shown(catalog, made)
    assert (kept["state"], kept["state_since"]) == ("closed", "2025-03-02T11:00:00Z")
    assert kept["acknowledged_at"] == "2025-03-02T09:30:00Z"
    assert kept["resolved_at"] == kept["closed_at"] == "2025-03-02T11:00:00Z"
    assert (kept["reopened_count"], kept["resolved_before_reopening_seconds"]) == (1, 1800)
    timeline = (await catalog.get(f"incidents/{made['id']}/timeline"))["items"]
    assert [(step["from"], step["to"]) for step in timeline] == [
        (None, "new"),
        ("new", "on_hold"),
        ("on_hold", "resolved"),
        ("resolved", "acknowledged"),
        ("acknowledged", "closed"),
    ]


async def test_the_same_import_again_has_no_effect(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    items = [
        past(1, "acknowledged@09:10", "resolved@10:00", "closed@12:00"),
        past(2),
        past(3, state="closed"),
        past(4, state="resolved", resolved_at="2025-03-02T10:00:00Z"),
        past(5, "on_hold@09:10", occurred_at=None),
    ]
    first = await catalog.batch("incidents", items)
    assert [item["status"] for item in first] == [201] * 5
    again = await catalog.batch("incidents", items)
    assert [(item["status"], item["version"]) for item in again] == [(200, 1)] * 5
    assert [(await shown(catalog, item))["state"] for item in first] == [
        "closed",
        "new",
        "closed",
        "resolved",
        "on_hold",
    ]
    assert (await shown(catalog, first[2]))["resolved_at"] is None
    assert (await shown(catalog, first[4]))["occurred_at"] == "2025-03-02T09:10:00Z"


async def test_a_history_that_has_grown_adds_its_new_steps(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    await one(catalog, past(1, "acknowledged@09:10", "in_progress@09:30"))
    grown = await one(catalog, past(1, "acknowledged@09:10", "in_progress@09:30", "resolved@10:00", "closed@11:00"))
    assert grown["version"] == 2
    timeline = (await catalog.get(f"incidents/{grown['id']}/timeline"))["items"]
    assert [step["to"] for step in timeline] == ["new", "acknowledged", "in_progress", "resolved", "closed"]
    assert [step["from"] for step in timeline[3:]] == ["in_progress", "resolved"]


async def test_a_state_alone_moves_a_known_incident(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    made = await one(catalog, past(1))
    moved = await one(catalog, {"external_source": "desk", "external_id": "1", "state": "in_progress"})
    assert (moved["id"], moved["version"]) == (made["id"], 2)
    kept = await shown(catalog, moved)
    assert (kept["state"], kept["title"], kept["acknowledged_at"]) == (
        "in_progress",
        PAST["title"],
        kept["state_since"],
    )


async def test_a_state_that_is_not_told_follows_from_the_instants(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    first = {"acknowledged_at": "2025-03-02T09:10:00Z"}
    ended = first | {"resolved_at": "2025-03-02T10:00:00Z"}
    over = ended | {"closed_at": "2025-03-09T10:00:00Z"}
    made = await catalog.batch("incidents", [past(1, **first), past(2, **ended), past(3, **over), past(4)])
    assert [(await shown(catalog, item))["state"] for item in made] == ["acknowledged", "resolved", "closed", "new"]
    moved = await catalog.batch("incidents", [past(1, **over), past(2, **ended), past(3, **first), past(4, **first)])
    assert [(item["status"], item["version"]) for item in moved] == [(200, 2), (200, 1), (200, 1), (200, 2)]
    kept = await shown(catalog, moved[0])
    assert (kept["state"], kept["closed_at"], kept["state_since"]) == ("closed", over["closed_at"], over["closed_at"])
    assert (await shown(catalog, moved[2]))["state"] == "closed"


async def test_no_end_is_told_of_what_has_not_ended(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    told = {"resolved_at": "2025-03-02T10:00:00Z", "closed_at": "2025-03-02T11:00:00Z"}
    items = [past(1, state="in_progress", **told), past(2, "resolved@10:00", "in_progress@10:30", **told)]
    items += [past(3, state="cancelled", closed_at=told["closed_at"]), past(4, state="new", resolved_at=None)]
    refused = await catalog.batch("incidents", items, status=422)
    assert pointers(refused) == [
        (f"/items/{place}/{name}", "state-not-reached") for place in (0, 1) for name in ("resolved_at", "closed_at")
    ]


async def test_what_is_known_goes_on_from_where_it_is(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    item = past(1, resolved_at="2025-03-02T10:00:00Z")
    own = f"incidents/{(await one(catalog, item))['id']}"
    await catalog.move(own, "in_progress", at="2025-03-02T11:00:00Z")
    refused = await catalog.batch("incidents", [item], status=422)
    assert pointers(refused) == [("/items/0/resolved_at", "before-last")]
    kept = await catalog.get(own)
    assert (kept["state"], kept["version"]) == ("in_progress", 2)
    await one(catalog, item | {"resolved_at": "2025-03-02T12:00:00Z"})
    assert (await catalog.get(own))["resolved_at"] == "2025-03-02T12:00:00Z"
    told = past(1, "resolved@10:00", "in_progress@11:00", "resolved@11:30")
    await one(catalog, told)
    assert (await catalog.get(own))["resolved_at"] == "2025-03-02T11:30:00Z"


async def test_an_incident_did_not_occur_after_what_is_known_of_it(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    made = await catalog.batch("incidents", [past(1, "in_progress@09:30", "resolved@10:00"), past(2)])
    late = {"occurred_at": "2025-03-02T09:31:00Z"}
    items = [{"external_source": "desk", "external_id": str(number), **late} for number in (1, 2)]
    first, second = await catalog.batch("incidents", items, mode="independent")
    assert pointers(first["problem"]) == [("/occurred_at", "after-first")]
    assert second["version"] == 2
    moved = await shown(catalog, made[1])
    assert (moved["occurred_at"], moved["state_since"]) == (late["occurred_at"], late["occurred_at"])


@pytest.mark.parametrize("way", ["patch", "batch"])
async def test_a_beginning_that_was_told_goes_along_with_the_occurrence(catalog: Catalog, way: str) -> None:
    await catalog.service(key="shop")
    made = await catalog.batch("incidents", [past(1, "new@09:00", "acknowledged@09:30"), past(2, "new@09:00")])
    for number, one_made in enumerate(made, 1):
        own, later = f"incidents/{one_made['id']}", {"occurred_at": f"2025-03-02T09:{number}0:00Z"}
        if way == "patch":
            await catalog.patch(own, later)
        else:
            await one(catalog, {"external_source": "desk", "external_id": str(number)} | later)
        kept = await catalog.get(own)
        first, *rest = (await catalog.get(f"{own}/transitions"))["history"]
        assert kept["occurred_at"] == first["at"] == later["occurred_at"]
        assert (first["from"], first["to"], [step["at"] for step in rest]) == (
            *(None, "new"),
            ["2025-03-02T09:30:00Z"] if rest else [],
        )
        assert kept["state_since"] == (rest[0]["at"] if rest else first["at"])


async def test_a_beginning_stays_before_all_that_followed(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    steps = ("new@09:00", "cancelled@10:00", "in_progress@11:00")
    own = f"incidents/{(await one(catalog, past(1, *steps)))['id']}"
    await catalog.patch(own, {"occurred_at": "2025-03-02T10:30:00Z"})
    history = (await catalog.get(f"{own}/transitions"))["history"]
    assert [(step["from"], step["to"]) for step in history] == [
        (None, "new"),
        ("new", "cancelled"),
        ("cancelled", "in_progress"),
    ]


async def test_a_beginning_told_of_later_never_lies_before_the_occurrence(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    own = f"incidents/{(await one(catalog, past(1, 'new@09:10', 'acknowledged@09:30')))['id']}"
    for occurred, begun in (("08:00", "09:10"), ("09:20", "09:20")):
        await catalog.patch(own, {"occurred_at": f"2025-03-02T{occurred}:00Z"})
        assert (await catalog.get(f"{own}/transitions"))["history"][0]["at"] == f"2025-03-02T{begun}:00Z"


async def test_what_was_told_of_the_time_before_comes_after_the_occurrence(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    for number, steps in enumerate((("new@09:10",), ("acknowledged@09:10", "new@09:30"))):
        own = f"incidents/{(await one(catalog, past(number, *steps)))['id']}"
        refused = await catalog.patch(own, {"occurred_at": "2025-03-02T09:20:00Z"}, status=422)
        assert pointers(refused) == [("/occurred_at", "after-first")]


async def test_a_cancellation_is_no_reopening_and_what_goes_on_has_no_end(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    late = await shown(catalog, await one(catalog, past(1, "resolved@10:00", "cancelled@11:00")))
    assert (late["resolved_at"], late["reopened_count"], late["resolved_before_reopening_seconds"]) == (None, 0, 0)
    await one(catalog, past(2, state="cancelled", closed_at="2025-03-02T10:00:00Z"))
    going_on = await shown(catalog, await one(catalog, past(2, state="in_progress")))
    assert (going_on["state"], going_on["closed_at"], going_on["reopened_count"]) == ("in_progress", None, 0)


async def test_instants_agree_with_one_another_and_with_the_history(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    at = {"resolved_at": "2025-03-02T12:00:00Z"}
    items = [
        past(1, closed_at="2025-03-02T09:30:00Z", **at),
        past(2, acknowledged_at="2025-03-02T13:00:00Z", **at),
        past(3, "resolved@12:00", resolved_at="2025-03-02T11:00:00Z"),
        past(4, state="cancelled", **at),
        past(5, "resolved@12:00", **at),
    ]
    answered = await catalog.batch("incidents", items, mode="independent")
    assert [pointers(item["problem"]) if "problem" in item else item["status"] for item in answered] == [
        [("/closed_at", "out-of-order")],
        [("/resolved_at", "out-of-order")],
        [("/resolved_at", "instant-differs")],
        [("/resolved_at", "state-not-reached")],
        201,
    ]


async def test_what_is_resolved_twice_has_been_so_since_the_first_time(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    own = f"incidents/{(await one(catalog, past(1, 'resolved@10:00', 'resolved@11:00', 'closed@12:00')))['id']}"
    resolution = next(
        clock for clock in (await catalog.get(f"{own}/sla"))["clocks"] if clock["metric"] == "resolution_time"
    )
    assert (await catalog.get(own))["resolved_at"] == resolution["stopped_at"] == "2025-03-02T10:00:00Z"


async def test_instants_told_as_null_follow_from_the_history(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    untold = dict.fromkeys(("acknowledged_at", "resolved_at", "closed_at"))
    made = await one(catalog, past(1, "acknowledged@09:10", "resolved@10:00", "closed@11:00", **untold))
    kept = await shown(catalog, made)
    assert [kept[name] for name in untold] == [f"2025-03-02T{at}:00Z" for at in ("09:10", "10:00", "11:00")]


async def test_nothing_is_told_that_the_state_has_not_reached(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    answered = {"acknowledged_at": "2025-03-02T09:10:00Z"}
    items = [
        past(1, state="new", **answered),
        past(2, "acknowledged@09:10", "new@09:20", **answered),
        past(3, "cancelled@09:10", "in_progress@09:20", cancel_reason="other"),
        past(4, "cancelled@09:10", cancel_reason="other"),
    ]
    told = await catalog.batch("incidents", items, mode="independent")
    assert [item["status"] for item in told] == [422, 201, 422, 201]
    assert pointers(told[0]["problem"]) == [("/acknowledged_at", "state-not-reached")]
    assert pointers(told[2]["problem"]) == [("/cancel_reason", "not-allowed")]


async def test_what_is_over_stays_unless_its_past_is_told(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    steps = ("resolved@10:00", "closed@11:00")
    own = f"incidents/{(await one(catalog, past(1, *steps)))['id']}"
    known = {"external_source": "desk", "external_id": "1"}
    (refused,) = await catalog.batch("incidents", [known | {"impact": "high"}], mode="independent")
    assert (refused["problem"]["code"], refused["problem"]["fields"]) == ("incident-over", ["impact"])
    lost = await catalog.batch("incidents", [known | {"factor": None, "resolution": " "}], status=422)
    assert pointers(lost) == [("/items/0/factor", "missing"), ("/items/0/resolution", "missing")]
    assert (await one(catalog, known | {"impact": "medium", "title": "It was slow"}))["version"] == 2
    await one(catalog, past(1, *steps, impact="high"))
    assert (await catalog.get(own))["priority"] == "P2"


async def test_an_item_changes_only_what_it_names(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    made = await one(catalog, past(1, "resolved@10:00", impact="high", urgency="high"))
    await one(catalog, {"external_source": "desk", "external_id": "1", "urgency": "low", "assignee": "bob"})
    kept = await shown(catalog, made)
    assert (kept["priority"], kept["assignee"], kept["state"], kept["version"]) == ("P3", "bob", "resolved", 2)
    assert kept["resolution"] == PAST["resolution"]


async def test_the_past_needs_the_scope_of_imports(catalog: Catalog) -> None:
    service = await catalog.service(key="shop")
    writer = catalog.limited_to("catalog:write")
    plain = {"service_id": service["id"], "title": "It is down"}
    assert (await one(writer, plain))["status"] == 201
    for historical in (
        {"state": "closed"},
        {"occurred_at": "2025-03-02T09:00:00Z"},
        {"history": [{"state": "closed", "at": "2025-03-02T09:00:00Z"}]},
        {"resolved_at": "2025-03-02T09:00:00Z"},
    ):
        refused = await writer.batch("incidents", [plain, plain | historical], status=403)
        assert refused["scope"] == "catalog:import"


async def test_wrong_items_are_told_with_their_places(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    items = [
        past(1),
        past(2, service_key="nowhere"),
        past(3, title=None),
        past(4, "acknowledged@08:00"),
        past(5, "closed@10:00", state="resolved"),
        past(6, occurred_at="2190-01-01T00:00:00Z"),
        {"external_source": "desk", "external_id": "7"},
    ]
    refused = await catalog.batch("incidents", items, status=422)
    assert pointers(refused) == [
        ("/items/1/service_key", "reference-unknown"),
        ("/items/2/title", "missing"),
        ("/items/3/history/0/at", "before-occurrence"),
        ("/items/4/state", "state-differs"),
        ("/items/5/occurred_at", "in-the-future"),
        ("/items/6/service_id", "missing"),
        ("/items/6/title", "missing"),
    ]
    answered = await catalog.batch("incidents", items, mode="independent")
    assert [item["status"] for item in answered] == [201, *[422] * 6]


async def test_a_dedup_key_that_is_taken_refuses_its_item_only(catalog: Catalog) -> None:
    service = await catalog.service(key="shop")
    await catalog.incident(service, dedup_key="disk")
    items = [past(1, dedup_key="disk"), past(2), past(3, dedup_key="disk", state="closed")]
    answered = await catalog.batch("incidents", items, mode="independent")
    assert [item["status"] for item in answered] == [409, 201, 201]
    assert answered[0]["problem"]["code"] == "dedup-key-taken"


async def test_no_batch_makes_an_incident_part_of_itself(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    top, middle, bottom = [item["id"] for item in await catalog.batch("incidents", [past(n) for n in (1, 2, 3)])]
    items = [past(2, parent_id=top), past(3, parent_id=middle), past(1, parent_id=bottom), past(4, parent_id=bottom)]
    refused = await catalog.batch("incidents", items, status=422)
    assert pointers(refused) == [("/items/2/parent_id", "cycle")]
    answered = await catalog.batch("incidents", items, mode="independent")
    assert [item["status"] for item in answered] == [200, 200, 422, 201]
    (itself,) = await catalog.batch("incidents", [past(3, parent_id=bottom)], mode="independent")
    assert itself["problem"]["errors"][0]["code"] == "cycle"
