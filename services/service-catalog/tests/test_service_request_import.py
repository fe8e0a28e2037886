import asyncio
from typing import Any

from catalog_api import FILLED_IN, Catalog

from chassis.testkit.applications import pointers
from chassis.testkit.databases import Pools
from chassis.testkit.telling import told

PAST = {"external_source": "desk", "catalogue_item_key": "laptop", "requester": "grace", "form": {"old": "field"}}
WHOLE = (
    *("awaiting_approval@09:00", "approved@10:00", "in_fulfilment@11:00"),
    *("fulfilled@12:00", "in_fulfilment@13:00", "fulfilled@14:00", "closed@15:00"),
)


def past(number: int, *steps: str, **given: Any) -> dict[str, Any]:
    """Return an item whose history is written `state@HH:MM`."""
    history = [
        {"state": state, "at": f"2025-03-03T{at}:00Z"} for state, _, at in (step.partition("@") for step in steps)
    ]
    return PAST | {"external_id": str(number)} | ({"history": history} if history else {}) | given


async def one(catalog: Catalog, item: Any, **given: Any) -> Any:
    (answered,) = await catalog.batch("service-requests", [item], **given)
    return answered


async def shown(catalog: Catalog, answered: Any) -> Any:
    return await catalog.get(f"service-requests/{answered['id']}")


async def steps_of(catalog: Catalog, answered: Any) -> list[tuple[str | None, str, str]]:
    steps = (await catalog.get(f"service-requests/{answered['id']}/transitions"))["history"]
    return [(step["from"], step["to"], step["at"][11:16]) for step in steps]


async def test_a_history_is_brought_along(catalog: Catalog, pools: Pools) -> None:
    await catalog.item(key="laptop", published=False, approval_required=True)
    made = await one(catalog, past(1, *WHOLE, outcome="On the desk."))
    assert (made["status"], made["version"]) == (201, 1)
    kept = await shown(catalog, made)
    assert (kept["state"], kept["state_since"]) == ("closed", "2025-03-03T15:00:00Z")
    assert (kept["submitted_at"], kept["approved_at"]) == ("2025-03-03T09:00:00Z", "2025-03-03T10:00:00Z")
    assert (kept["fulfilled_at"], kept["outcome"]) == ("2025-03-03T14:00:00Z", "On the desk.")
    assert (kept["form"], kept["form_version"], kept["approver"]) == ({"old": "field"}, None, None)
    assert [to for _, to, _ in await steps_of(catalog, made)] == [step.partition("@")[0] for step in WHOLE]
    assert [name for name, *_ in await told(pools, catalog, f"service-requests/{made['id']}")] == [
        "service_request.created"
    ]


async def test_the_beginning_is_told_where_the_history_leaves_it_out(catalog: Catalog) -> None:
    await catalog.item(key="laptop")
    submitted = {"submitted_at": "2025-03-03T08:00:00Z"}
    begun = {
        ("in_fulfilment@09:00",): [(None, "approved", "08:00"), ("approved", "in_fulfilment", "09:00")],
        ("approved@09:00",): [(None, "awaiting_approval", "08:00"), ("awaiting_approval", "approved", "09:00")],
        ("approved@08:00",): [(None, "approved", "08:00")],
        ("awaiting_approval@08:30",): [(None, "awaiting_approval", "08:00")],
        (): [(None, "approved", "08:00")],
    }
    for number, (steps, expected) in enumerate(begun.items()):
        made = await one(catalog, past(number, *steps, **submitted))
        assert await steps_of(catalog, made) == expected


async def test_the_same_import_again_has_no_effect(catalog: Catalog) -> None:
    item = await catalog.item(key="laptop")
    items = [
        past(1, *WHOLE, outcome="Done."),
        past(2, "on_hold@09:10"),
        past(3, state="rejected"),
        past(4, submitted_at="2025-03-03T09:00:00Z"),
        PAST | {"external_id": "5", "form": FILLED_IN},
    ]
    first = await catalog.batch("service-requests", items)
    assert [answered["status"] for answered in first] == [201] * 5
    await catalog.patch(f"catalogue-items/{item['id']}", {"approval_required": True})
    again = await catalog.batch("service-requests", items)
    assert [(answered["status"], answered["version"]) for answered in again] == [(200, 1)] * 5
    assert [(await shown(catalog, answered))["state"] for answered in first] == [
        *("closed", "on_hold", "rejected", "approved", "approved")
    ]
    assert (await shown(catalog, first[4]))["form_version"] == 1


async def test_a_history_that_has_grown_adds_its_new_steps(catalog: Catalog, pools: Pools) -> None:
    await catalog.item(key="laptop", approval_required=True)
    await one(catalog, past(1, *WHOLE[:3]))
    grown = await one(catalog, past(1, *WHOLE[:4]))
    assert grown["version"] == 2
    assert (await shown(catalog, grown))["fulfilled_at"] == "2025-03-03T12:00:00Z"
    assert (await steps_of(catalog, grown))[2:] == [
        ("approved", "in_fulfilment", "11:00"),
        ("in_fulfilment", "fulfilled", "12:00"),
    ]
    *_, (_, _, _, change) = await told(pools, catalog, f"service-requests/{grown['id']}")
    assert (change["from"], change["to"]) == ("in_fulfilment", "fulfilled")


async def test_a_state_alone_moves_a_known_request(catalog: Catalog) -> None:
    await catalog.item(key="laptop")
    made = await one(catalog, past(1, "in_fulfilment@09:00"))
    await one(catalog, {"external_source": "desk", "external_id": "1", "state": "fulfilled", "outcome": "Done."})
    kept = await shown(catalog, made)
    assert (kept["state"], kept["outcome"], kept["requester"]) == ("fulfilled", "Done.", "grace")
    assert kept["fulfilled_at"] == kept["state_since"] > "2026"
    await one(catalog, {"external_source": "desk", "external_id": "1", "state": "in_fulfilment"})
    assert (await shown(catalog, made))["outcome"] is None
    assert [to for _, to, _ in await steps_of(catalog, made)] == [
        *("approved", "in_fulfilment", "fulfilled", "in_fulfilment")
    ]


async def test_a_known_request_changes_in_what_is_sent_only(catalog: Catalog) -> None:
    await catalog.item(key="laptop", fulfilment_team="desk")
    made = await one(catalog, past(1, *WHOLE[:5], comment="Soon."))
    await one(catalog, {"external_source": "desk", "external_id": "1", "assignee": "bob"})
    kept = await shown(catalog, made)
    assert (kept["assignee"], kept["comment"], kept["assigned_team"]) == ("bob", "Soon.", "desk")
    assert (kept["state"], kept["version"]) == ("in_fulfilment", 2)


async def test_what_was_asked_for_never_changes(catalog: Catalog) -> None:
    await catalog.item(key="laptop")
    await catalog.item(key="phone")
    await one(catalog, past(1, *WHOLE))
    other = {
        "form": {"new": "field"},
        "requester": "ada",
        "requested_for": "ada",
        "submitted_at": "2025-03-03T08:00:00Z",
        "catalogue_item_key": "phone",
    }
    refused = await catalog.batch("service-requests", [past(1) | other], status=422)
    assert sorted(pointers(refused)) == sorted((f"/items/0/{name}", "immutable") for name in other)


async def test_true_is_not_what_was_asked_for_by_1(catalog: Catalog) -> None:
    await catalog.item(key="laptop", published=False)
    await one(catalog, past(1, *WHOLE, form={"screens": 1}))
    assert (await one(catalog, past(1, form={"screens": 1.0})))["version"] == 1
    refused = await catalog.batch("service-requests", [past(1, form={"screens": True})], status=422)
    assert pointers(refused) == [("/items/0/form", "immutable")]


async def test_without_a_past_an_item_is_a_new_request(catalog: Catalog) -> None:
    await catalog.item(key="laptop")
    writer = catalog.limited_to("catalog:write")
    new = {"catalogue_item_key": "laptop", "form": FILLED_IN}
    made = await one(writer, new)
    assert (await shown(catalog, made))["state"] == "approved"
    refused = await writer.batch("service-requests", [new, new | {"form": {"size": "17"}}], status=422)
    assert pointers(refused) == [("/items/1/form/size", "not-one-of")]
    assert (await catalog.get("service-requests", count="true"))["count"] == 1
    submitted = {"submitted_at": "2025-03-03T08:00:00Z"}
    pasts: list[dict[str, Any]] = [{"state": "closed"}, {"outcome": "x"}, submitted, {"history": []}]
    for historical in pasts:
        refused = await writer.batch("service-requests", [new | historical], status=403)
        assert refused["scope"] == "catalog:import"


async def test_wrong_items_are_told_with_their_places(catalog: Catalog) -> None:
    await catalog.item(key="laptop")
    items = [
        past(1, *WHOLE),
        past(2, catalogue_item_key="nowhere"),
        past(3, form=None),
        past(4, "approved@08:00", submitted_at="2025-03-03T09:00:00Z"),
        past(5, *WHOLE, state="fulfilled"),
        past(6, submitted_at="2190-01-01T00:00:00Z"),
        past(7, state="fulfilled"),
        past(8, "in_fulfilment@09:00", outcome="Done."),
        {"external_source": "desk", "external_id": "9", "form": {}},
    ]
    refused = await catalog.batch("service-requests", items, status=422)
    assert pointers(refused) == [
        ("/items/1/catalogue_item_key", "reference-unknown"),
        ("/items/2/form", "missing"),
        ("/items/3/history/0/at", "before-submission"),
        ("/items/4/state", "state-differs"),
        ("/items/5/submitted_at", "in-the-future"),
        ("/items/6/history", "missing"),
        ("/items/7/outcome", "not-allowed"),
        ("/items/8/catalogue_item_id", "missing"),
    ]
    answered = await catalog.batch("service-requests", items, mode="independent")
    assert [item["status"] for item in answered] == [201, *[422] * 8]


async def test_two_equal_imports_at_once_create_each_request_once(catalog: Catalog) -> None:
    await catalog.item(key="laptop")
    items = [past(number, *WHOLE[: number % 7 + 1]) for number in range(20)]
    answers = await asyncio.gather(*(catalog.batch("service-requests", items) for _ in range(3)))
    assert len({tuple(item["id"] for item in answer) for answer in answers}) == 1
    assert await steps_of(catalog, answers[0][6]) == await steps_of(catalog, answers[1][13])
