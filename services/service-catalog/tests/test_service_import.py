"""Services bring along which states they went through in another tool."""

import asyncio
from typing import Any

import pytest
from catalog_api import Catalog, ago

from chassis.testkit.applications import pointers
from chassis.testkit.databases import Pools
from chassis.testkit.telling import told

HISTORY = [
    {"state": "proposed", "at": "2018-02-01T09:00:00Z"},
    {"state": "designing", "at": "2018-04-03T08:00:00Z"},
    {"state": "creating", "at": "2018-09-17T08:00:00Z"},
    {"state": "delivering", "at": "2019-01-01T00:00:00Z", "reason": "The first shops are open."},
    {"state": "supporting", "at": "2019-04-01T00:00:00Z"},
]
RETURNED = {"state": "creating", "at": "2019-02-01T00:00:00Z"}
OVER = [
    *HISTORY,
    {"state": "retiring", "at": "2024-01-01T00:00:00Z"},
    {"state": "retired", "at": "2024-06-30T00:00:00Z", "reason": "Replaced."},
]


def imported(key: str = "shop", **given: Any) -> dict[str, Any]:
    return {"external_source": "cmdb", "external_id": key, "key": key, "name": "Shop"} | given


async def steps_of(catalog: Catalog, own: str) -> list[Any]:
    steps: list[Any] = (await catalog.get(f"{own}/history"))["items"]
    assert (await catalog.get(f"{own}/transitions"))["history"] == steps
    return steps


async def test_a_history_is_brought_along(catalog: Catalog, pools: Pools) -> None:
    item = imported(history=HISTORY[::-1])
    (made,) = await catalog.batch("services", [item])
    own = f"services/{made['id']}"
    shown = await catalog.get(own)
    assert (shown["state"], shown["live_from"], shown["retired_at"]) == ("supporting", "2019-01-01T00:00:00Z", None)
    (same,) = await catalog.batch("services", [item])
    assert (same["status"], same["version"]) == (200, 1)
    steps = await steps_of(catalog, own)
    before = [None, *(one["state"] for one in HISTORY[:-1])]
    assert [(step["from"], step["to"], step["at"]) for step in steps] == [
        (source, one["state"], one["at"]) for source, one in zip(before, HISTORY, strict=True)
    ]
    assert (steps[3]["reason"], {step["actor"] for step in steps}) == ("The first shops are open.", {"tester"})
    assert await told(pools, catalog, own) == [("service.created", 1, shown, None)]


async def test_a_longer_history_adds_its_new_steps(catalog: Catalog, pools: Pools) -> None:
    await catalog.batch("services", [imported(history=HISTORY)])
    (moved,) = await catalog.batch("services", [imported(history=OVER)])
    own = f"services/{moved['id']}"
    shown = await catalog.get(own)
    assert (moved["version"], shown["state"]) == (2, "retired")
    assert (shown["live_from"], shown["retired_at"]) == ("2019-01-01T00:00:00Z", "2024-06-30T00:00:00Z")
    assert [step["to"] for step in await steps_of(catalog, own)] == [one["state"] for one in OVER]
    told_last = (await told(pools, catalog, own))[-1]
    assert told_last[3] == {"from": "supporting", "to": "retired", "reason": None, "actor": "tester"}


async def test_a_history_told_otherwise_is_what_holds(catalog: Catalog, pools: Pools) -> None:
    await catalog.batch("services", [imported(history=HISTORY)])
    later = [*HISTORY[:3], {"state": "delivering", "at": "2019-02-01T00:00:00Z"}, HISTORY[4]]
    (moved,) = await catalog.batch("services", [imported(history=later)])
    own = f"services/{moved['id']}"
    shown = await catalog.get(own)
    assert (shown["version"], shown["state"], shown["live_from"]) == (2, "supporting", "2019-02-01T00:00:00Z")
    assert [(step["to"], step["at"]) for step in await steps_of(catalog, own)] == [
        (one["state"], one["at"]) for one in later
    ]
    assert [event[0] for event in await told(pools, catalog, own)] == ["service.created", "service.updated"]


async def test_a_state_told_alone_is_entered_now(catalog: Catalog) -> None:
    await catalog.batch("services", [imported()])
    (moved,) = await catalog.batch("services", [imported(state="supporting", live_from="2019-02-01T00:00:00Z")])
    steps = await steps_of(catalog, f"services/{moved['id']}")
    assert [(step["from"], step["to"]) for step in steps] == [(None, "proposed"), ("proposed", "supporting")]


async def test_a_time_told_as_null_is_not_told(catalog: Catalog) -> None:
    untold = {"live_from": None, "retired_at": None}
    items = [imported("shop", state="delivering", **untold), imported("till", state="retired", **untold)]
    made = await catalog.batch("services", items)
    first = [await catalog.get(f"services/{one['id']}") for one in made]
    assert [one["version"] for one in await catalog.batch("services", items)] == [1, 1]
    assert [await catalog.get(f"services/{one['id']}") for one in made] == first


@pytest.mark.parametrize(
    ("past", "expected"),
    [
        ({"history": HISTORY[:3]}, ("creating", None, None)),
        ({"history": OVER}, ("retired", "2019-01-01T00:00:00Z", "2024-06-30T00:00:00Z")),
        (
            {"history": [*OVER, {"state": "supporting", "at": ago(days=1)}]},
            ("supporting", "2019-01-01T00:00:00Z", None),
        ),
        ({"history": HISTORY, "live_from": "2018-12-24T00:00:00Z"}, ("supporting", "2018-12-24T00:00:00Z", None)),
        ({"history": [*HISTORY[:4], RETURNED]}, ("creating", None, None)),
        (
            {"history": [*HISTORY[:4], RETURNED, {"state": "delivering", "at": "2019-03-01T00:00:00Z"}]},
            ("delivering", "2019-03-01T00:00:00Z", None),
        ),
        (
            {"history": [*HISTORY[:4], RETURNED, {"state": "cancelled", "at": "2019-03-01T00:00:00Z"}]},
            ("cancelled", None, None),
        ),
        (
            {"history": [*HISTORY[:2], {"state": "cancelled", "at": "2018-05-01T00:00:00Z"}]},
            ("cancelled", None, None),
        ),
        (
            {"history": [*HISTORY[:4], {"state": "cancelled", "at": "2019-02-01T00:00:00Z"}]},
            ("cancelled", "2019-01-01T00:00:00Z", "2019-02-01T00:00:00Z"),
        ),
    ],
)
async def test_when_it_was_live_follows_from_the_steps(catalog: Catalog, past: Any, expected: Any) -> None:
    (made,) = await catalog.batch("services", [imported(**past)])
    shown = await catalog.get(f"services/{made['id']}")
    assert (shown["state"], shown["live_from"], shown["retired_at"]) == expected


async def test_what_was_brought_along_goes_on_here(catalog: Catalog) -> None:
    (made,) = await catalog.batch("services", [imported(history=HISTORY)])
    own = f"services/{made['id']}"
    await catalog.patch(own, {"retire_on": "2030-01-01", "retirement_reason": "Nobody asks for it."})
    await catalog.move(own, "retiring")
    steps = await steps_of(catalog, own)
    assert [(step["from"], step["to"]) for step in steps[-2:]] == [
        ("delivering", "supporting"),
        ("supporting", "retiring"),
    ]


async def test_the_past_needs_the_scope_of_imports_and_is_checked(catalog: Catalog) -> None:
    writer = catalog.limited_to("catalog:write")
    assert (await writer.batch("services", [imported(history=HISTORY)], status=403))["scope"] == "catalog:import"
    items = [
        imported("a", history=[*HISTORY, {"state": "retiring", "at": ago(days=-1)}]),
        imported("b", history=HISTORY, state="retired"),
        imported("c", history=HISTORY, retired_at="2024-06-30T00:00:00Z"),
        imported("d", history=OVER, live_from="2025-01-01T00:00:00Z"),
        imported("e", history=HISTORY, live_from=ago(days=-1)),
        imported("f", history=[{"state": "lost", "at": "2018-02-01T09:00:00Z"}]),
    ]
    assert pointers(await catalog.batch("services", items[:5], status=422)) == [
        ("/items/0/history/5/at", "in-the-future"),
        ("/items/1/state", "state-differs"),
        ("/items/2/retired_at", "state-not-reached"),
        ("/items/3/retired_at", "before-start"),
        ("/items/4/live_from", "in-the-future"),
    ]
    assert (await catalog.get("services"))["items"] == []
    answered = await catalog.batch("services", [*items, imported("g", history=HISTORY)], mode="independent")
    assert [one["status"] for one in answered] == [422] * 6 + [201]


async def test_a_project_s_handover_is_decided_first_in_a_history_too(catalog: Catalog) -> None:
    service = await catalog.complete_service(key="shop")
    await catalog.handed_over({"service_id": service["id"]})
    (refused,) = await catalog.batch("services", [{"key": "shop", "history": HISTORY}], mode="independent")
    assert (refused["status"], refused["problem"]["code"]) == (409, "handover-undecided")


async def test_two_equal_batches_create_each_service_once(catalog: Catalog) -> None:
    items = [imported(f"s-{number}", history=HISTORY) for number in range(10)]
    answers = await asyncio.gather(*(catalog.batch("services", items) for _ in range(3)))
    assert len({tuple(item["id"] for item in answer) for answer in answers}) == 1
    assert len(await steps_of(catalog, f"services/{answers[0][0]['id']}")) == len(HISTORY)


async def test_of_batches_at_once_one_history_holds(catalog: Catalog) -> None:
    lengths = (3, 5, 7)
    batches = [[imported(f"s-{number}", history=OVER[:length]) for number in range(5)] for length in lengths]
    answers = await asyncio.gather(*(catalog.batch("services", batch) for batch in batches))
    for made in answers[0]:
        own = f"services/{made['id']}"
        steps = [step["to"] for step in await steps_of(catalog, own)]
        assert steps in [[one["state"] for one in OVER[:length]] for length in lengths]
        assert steps[-1] == (await catalog.get(own))["state"]
