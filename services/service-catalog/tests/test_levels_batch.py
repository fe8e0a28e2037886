"""Service levels are brought along in batches."""

import asyncio
from typing import Any

from catalog_api import Catalog, codes

from chassis.testkit.applications import pointers
from chassis.testkit.databases import Pools
from chassis.testkit.telling import told

NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"


def level(number: int | None = None, **given: Any) -> dict[str, Any]:
    named = {} if number is None else {"external_source": "contracts", "external_id": str(number)}
    return named | {"service_key": "shop", "metric": "resolution_time", "target": "240"} | given


async def test_levels_are_brought_along_once(catalog: Catalog, pools: Pools) -> None:
    shop = await catalog.service(key="shop")
    items = [level(n, priority=f"P{n}", target=str(60 * n)) for n in (1, 2, 3)]
    items.append(level(4, service_key=None, service_id=shop["id"], metric="availability", target="99.90"))
    first = await catalog.batch("service-levels", items)
    again = await catalog.batch("service-levels", items)
    assert [(one["status"], one["version"]) for one in first + again] == [(201, 1)] * 4 + [(200, 1)] * 4
    own = f"service-levels/{first[3]['id']}"
    shown = await catalog.get(own)
    assert (shown["service_id"], shown["target"]) == (shop["id"], "99.9")
    assert await told(pools, catalog, own) == [("service_level.created", 1, shown, None)]
    known = {"external_source": "contracts", "external_id": "4", "service_key": "shop"}
    (changed,) = await catalog.batch("service-levels", [known | {"valid_to": "2027-01-01T00:00:00Z"}])
    assert (changed["id"], changed["version"]) == (first[3]["id"], 2)
    assert (await catalog.get(own))["target"] == "99.9"


async def test_what_makes_no_level_is_pointed_at(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    await catalog.service(key="bank")
    await catalog.batch("service-levels", [level(1)])
    wrong: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
        ({"service_key": "shop"}, [("/metric", "missing"), ("/target", "missing")]),
        ({"metric": "csat", "target": "90"}, [("", "service-named-once")]),
        (level(service_id=NOBODY), [("", "service-named-once")]),
        (level(service_key="none"), [("/service_key", "reference-unknown")]),
        (level(1, service_key="bank"), [("/service_id", "immutable")]),
        (level(1, metric="response_time"), [("/metric", "immutable")]),
        (level(target="1.5"), [("/target", "out-of-range")]),
        (level(1, priority="P1", target="0"), [("/target", "out-of-range")]),
        (level(priority="P1", calendar_id=NOBODY), [("/calendar_id", "reference-unknown")]),
        (level(priority="P6"), [("/priority", "not-one-of")]),
    ]
    answered = await catalog.batch("service-levels", [one for one, _ in wrong], mode="independent")
    assert [one["status"] for one in answered] == [422] * len(wrong)
    assert [pointers(one["problem"]) for one in answered[:4]] == [expected for _, expected in wrong[:4]]
    for one, expected in wrong:
        (single,) = await catalog.batch("service-levels", [one], mode="independent")
        assert pointers(single["problem"]) == expected
    assert (await catalog.get("service-levels", count="true"))["count"] == 1


async def test_two_of_a_batch_are_never_in_force_at_once(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    (first,) = await catalog.batch("service-levels", [level(1, valid_from="2026-01-01T00:00:00Z")])
    items = [
        level(2, valid_from="2026-07-01T00:00:00Z"),
        level(3, priority="P1"),
        level(4, priority="P1", valid_from="2027-01-01T00:00:00Z"),
        level(5, priority="P2"),
    ]
    answered = await catalog.batch("service-levels", items, mode="independent")
    assert [one["status"] for one in answered] == [409, 201, 409, 201]
    assert codes(answered[0]["problem"]) == codes(answered[2]["problem"]) == ["no_overlap"]
    assert answered[0]["problem"]["unmet_guards"][0]["ref"] == f"service-levels/{first['id']}"
    ends = level(1, valid_to="2026-07-01T00:00:00Z")
    refused = await catalog.batch("service-levels", [items[0], ends], status=409)
    assert pointers(refused) == [("/items/0", "service-level-overlaps")]
    repeated = await catalog.batch("service-levels", [ends, ends, items[0]], mode="independent")
    assert [one["status"] for one in repeated] == [422, 422, 409]
    made = await catalog.batch("service-levels", [ends, items[0]])
    assert [one["status"] for one in made] == [200, 201]


async def test_batches_and_single_levels_at_once_agree_on_one(catalog: Catalog) -> None:
    shop = await catalog.service(key="shop")
    single = {"service_id": shop["id"], "metric": "resolution_time", "target": "60"}
    calls: list[Any] = [
        catalog.send("POST", "service-levels:batch", json={"mode": "atomic", "items": [level()]}) for _ in range(4)
    ]
    calls += [catalog.send("POST", "service-levels", json=single) for _ in range(4)]
    answers = sorted(answer.status_code for answer in await asyncio.gather(*calls))
    assert answers[1:] == [409] * 7
    assert (await catalog.get("service-levels", count="true"))["count"] == 1


async def test_levels_are_for_those_who_may(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    await catalog.limited_to("catalog:read").batch("service-levels", [level()], status=403)
    refused = await catalog.of_another_organisation().batch("service-levels", [level()], status=422)
    assert pointers(refused) == [("/items/0/service_key", "reference-unknown")]
