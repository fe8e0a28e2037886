"""A whole graph is brought along in batches."""

import asyncio
import random
from typing import Any

from catalog_api import Catalog, codes

from chassis.testkit.applications import pointers
from chassis.testkit.databases import Pools
from chassis.testkit.telling import told

NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"


def item(upper: str, lower: str, **given: Any) -> dict[str, Any]:
    return {"service_key": upper, "depends_on_key": lower, "type": "hard"} | given


def imported(number: int, **given: Any) -> dict[str, Any]:
    return {"external_source": "cmdb", "external_id": str(number), **given}


async def some(catalog: Catalog, *keys: str) -> dict[str, Any]:
    answered = await catalog.batch("services", [{"key": key, "name": key.upper()} for key in keys])
    return {key: one["id"] for key, one in zip(keys, answered, strict=True)}


async def count(catalog: Catalog, service_id: str) -> int:
    number: int = (await catalog.get(f"services/{service_id}/dependencies", count="true"))["count"]
    return number


async def test_a_graph_is_brought_along_once(catalog: Catalog, pools: Pools) -> None:
    ids = await some(catalog, "shop", "pay", "bank")
    items = [
        imported(1, **item("shop", "pay", description="Orders are paid there.")),
        {"service_id": ids["pay"], "depends_on_id": ids["bank"], "type": "soft"},
    ]
    first = await catalog.batch("dependencies", items)
    again = await catalog.batch("dependencies", items)
    assert [(one["status"], one["version"]) for one in first + again] == [(201, 1)] * 2 + [(200, 1)] * 2
    own = f"services/{ids['shop']}/dependencies/{first[0]['id']}"
    shown = await catalog.get(own)
    assert (shown["depends_on_id"], shown["external_id"]) == (ids["pay"], "1")
    subject = f"dependencies/{first[0]['id']}"
    assert await told(pools, catalog, subject) == [("service_dependency.created", 1, shown, None)]
    changes = [imported(1, type="soft"), item("pay", "bank", labels={"a": "b"})]
    changed = await catalog.batch("dependencies", changes)
    assert [(one["id"], one["status"], one["version"]) for one in changed] == [
        (first[0]["id"], 200, 2),
        (first[1]["id"], 200, 2),
    ]
    shown = await catalog.get(own)
    assert (shown["type"], shown["description"]) == ("soft", "Orders are paid there.")


async def test_what_makes_no_dependency_is_pointed_at(catalog: Catalog) -> None:
    ids = await some(catalog, "shop", "pay", "gone")
    await catalog.move(f"services/{ids['gone']}", "cancelled", reason="No.")
    await catalog.batch("dependencies", [imported(1, **item("shop", "pay"))])
    wrong: list[tuple[dict[str, Any], int, list[tuple[str, str]]]] = [
        ({"type": "hard"}, 422, [("/service_id", "missing"), ("/depends_on_id", "missing")]),
        (imported(2, service_key="shop"), 422, [("/depends_on_id", "missing"), ("/type", "missing")]),
        (item("none", "nil"), 422, [("/service_key", "reference-unknown"), ("/depends_on_key", "reference-unknown")]),
        (item("shop", "shop"), 422, [("/depends_on_key", "reference-to-itself")]),
        (item("shop", "pay", depends_on_id=ids["pay"]), 422, [("", "service-named-once")]),
        (imported(1, service_key="pay"), 422, [("/service_id", "immutable")]),
        (item("pay", "shop", type="firm"), 422, [("/type", "not-one-of")]),
        (
            {**item("shop", "pay"), "service_key": None, "service_id": NOBODY},
            422,
            [("/service_id", "reference-unknown")],
        ),
    ]
    answered = await catalog.batch("dependencies", [one for one, *_ in wrong], mode="independent")
    assert [(one["status"], pointers(one["problem"])) for one in answered] == [(status, at) for _, status, at in wrong]
    (past, taken) = await catalog.batch(
        "dependencies", [item("shop", "gone"), imported(9, **item("shop", "pay"))], mode="independent"
    )
    assert (past["status"], codes(past["problem"])) == (409, ["depends_on_existing"])
    assert (taken["status"], taken["problem"]["code"]) == (409, "dependency-exists")
    assert await count(catalog, ids["shop"]) == 1


async def test_links_of_one_batch_close_no_cycle(catalog: Catalog) -> None:
    ids = await some(catalog, "a", "b", "c", "d")
    await catalog.batch("dependencies", [item("c", "d")])
    ring = [item("a", "b"), item("b", "c", type="soft"), item("d", "a"), item("a", "d")]
    refused = await catalog.batch("dependencies", ring, status=409)
    assert (pointers(refused), codes(refused)) == ([("/items/2", "dependency-cycle")], ["no_cycle"])
    assert refused["unmet_guards"][0]["ref"] == f"services/{ids['a']}"
    assert await count(catalog, ids["a"]) == 0
    answered = await catalog.batch("dependencies", ring, mode="independent")
    assert [one["status"] for one in answered] == [201, 201, 409, 201]
    assert codes(answered[2]["problem"]) == ["no_cycle"]


async def test_batches_and_single_links_at_once_close_no_cycle(catalog: Catalog) -> None:
    ids = await some(catalog, *(f"n{n}" for n in range(12)))
    keys = list(ids)
    chance = random.Random(5)  # noqa: S311  (an order, not a secret)
    pairs = [(upper, lower) for upper in keys for lower in keys if upper != lower]
    chance.shuffle(pairs)
    calls: list[Any] = [
        catalog.batch("dependencies", [item(*pair) for pair in pairs[n::5]], mode="independent") for n in range(4)
    ]
    calls += [
        catalog.send("POST", f"services/{ids[upper]}/dependencies", json={"depends_on_key": lower, "type": "soft"})
        for upper, lower in pairs[4::5]
    ]
    await asyncio.gather(*calls)
    links = [
        (service_id, one["depends_on_id"])
        for service_id in ids.values()
        for one in await catalog.every(f"services/{service_id}/dependencies")
    ]
    above = {service_id: {upper for upper, lower in links if lower == service_id} for service_id in ids.values()}
    left = set(above)
    while free := {one for one in left if not above[one] & left}:
        left -= free
    assert (left, len(links)) == (set(), 66)  # every two are linked, one way


async def test_of_two_equal_batches_one_adds(catalog: Catalog) -> None:
    await some(catalog, *(f"n{n}" for n in range(30)))
    items = [item(f"n{n}", f"n{n + 1}") for n in range(29)]
    answers = await asyncio.gather(*(catalog.batch("dependencies", items) for _ in range(3)))
    assert len({tuple(one["id"] for one in answer) for answer in answers}) == 1


async def test_a_thousand_at_once(catalog: Catalog) -> None:
    await some(catalog, *(f"n{n}" for n in range(1000)))
    items = [item(f"n{n}", f"n{n + 1 + (n * 7) % (999 - n)}") for n in range(999)]
    answered = await catalog.batch("dependencies", [*items, item("n999", "n0")], mode="independent")
    assert [one["status"] for one in answered] == [201] * 999 + [409]


async def test_services_of_others_are_not_there(catalog: Catalog) -> None:
    await some(catalog, "shop", "pay")
    stranger = catalog.of_another_organisation()
    refused = await stranger.batch("dependencies", [item("shop", "pay")], status=422)
    assert pointers(refused) == [
        ("/items/0/service_key", "reference-unknown"),
        ("/items/0/depends_on_key", "reference-unknown"),
    ]
    reader = catalog.limited_to("catalog:read")
    await reader.batch("dependencies", [item("shop", "pay")], status=403)
