import asyncio
import time
from typing import Any

import asyncpg
import httpx
import pytest
from catalog_api import Catalog, codes

from chassis.database import connect_arguments
from chassis.testkit.applications import pointers
from chassis.testkit.databases import Addresses
from service_catalog.dependencies.schemas import Dependency

SERVICES, LINKS = 10_000, 40_000
FAST_MS = 1000  # a graph that explodes takes minutes; others may be at work beside a test


async def link(catalog: Catalog, upper: Any, lower: Any, kind: str = "hard", *, status: int = 201) -> Any:
    new = {"depends_on_id": lower["id"], "type": kind}
    return await catalog.post(f"services/{upper['id']}/dependencies", new, status=status)


async def some(catalog: Catalog, *keys: str) -> list[Any]:
    return [await catalog.service(key=key, name=key.upper()) for key in keys]


async def reached(catalog: Catalog, service: Any, **asked: Any) -> list[tuple[str, int, str]]:
    told = await catalog.get(f"services/{service['id']}/impact", **asked)
    assert told["count"] == len(told["items"])
    return [(one["key"], one["depth"], one["via"]) for one in told["items"]]


async def test_a_dependency_is_made_shown_changed_and_taken_back(catalog: Catalog) -> None:
    shop, pay = await some(catalog, "shop", "pay")
    path = f"services/{shop['id']}/dependencies"
    made = await catalog.post(path, {"depends_on_key": "pay", "type": "hard", "labels": {"a": "b"}})
    Dependency.model_validate_json(httpx.Response(200, json=made).text, extra="forbid", strict=True)
    assert (made["service_id"], made["depends_on_id"], made["type"]) == (shop["id"], pay["id"], "hard")
    own = f"{path}/{made['id']}"
    assert await catalog.get(own) == made
    assert (await catalog.get(path))["items"] == [made]
    assert (await catalog.get(path, type="soft"))["items"] == []
    assert (await catalog.get(f"services/{pay['id']}/dependencies"))["items"] == []
    await catalog.get(f"services/{pay['id']}/dependencies/{made['id']}", status=404)
    changed = await catalog.patch(own, {"type": "soft", "labels": {"a": None}})
    assert (changed["type"], changed["labels"], changed["version"]) == ("soft", {}, 2)
    await catalog.patch(own, {"depends_on_id": shop["id"]}, status=422)
    assert (await catalog.delete(f"services/{pay['id']}", status=409))["code"] == "service-in-use"
    assert (await catalog.delete(f"services/{shop['id']}", status=409))["code"] == "service-in-use"
    assert (await catalog.delete(own))["id"] == made["id"]
    await catalog.get(own, status=404)
    await catalog.delete(f"services/{pay['id']}")


async def test_wrong_dependencies_are_refused(catalog: Catalog) -> None:
    shop, pay = await some(catalog, "shop", "pay")
    path = f"services/{shop['id']}/dependencies"
    nobody = "01890a5d-ac96-774b-bcce-b302099a8057"
    for wrong, expected in (
        ({"depends_on_id": nobody, "type": "hard"}, [("/depends_on_id", "reference-unknown")]),
        ({"depends_on_key": "none", "type": "hard"}, [("/depends_on_key", "reference-unknown")]),
        ({"depends_on_key": "shop", "type": "hard"}, [("/depends_on_key", "reference-to-itself")]),
        ({"depends_on_id": shop["id"], "type": "hard"}, [("/depends_on_id", "reference-to-itself")]),
        ({"depends_on_key": "pay", "type": "firm"}, [("/type", "not-one-of")]),
    ):
        assert pointers(await catalog.post(path, wrong, status=422)) == expected
    await catalog.post(path, {"type": "hard"}, status=422)
    await catalog.post(path, {"type": "hard", "depends_on_key": "pay", "depends_on_id": pay["id"]}, status=422)
    await link(catalog, shop, pay)
    assert (await link(catalog, shop, pay, "soft", status=409))["code"] == "dependency-exists"
    await catalog.move(f"services/{(await catalog.service(key='gone'))['id']}", "cancelled", reason="No.")
    refused = await catalog.post(path, {"depends_on_key": "gone", "type": "soft"}, status=409)
    assert codes(refused) == ["depends_on_existing"]
    await catalog.post(f"services/{nobody}/dependencies", {"depends_on_key": "pay", "type": "hard"}, status=404)
    for bad in ({"direction": "sideways"}, {"depth": 0}, {"depth": 101}, {"limit": 0}, {"colour": "red"}):
        await catalog.get(f"services/{shop['id']}/impact", status=422, **bad)


async def test_another_organisation_sees_no_link_and_links_to_nothing_of_ours(catalog: Catalog) -> None:
    shop, pay = await some(catalog, "shop", "pay")
    made = await link(catalog, shop, pay)
    stranger = catalog.of_another_organisation()
    own = f"services/{shop['id']}"
    for path in ("dependencies", f"dependencies/{made['id']}", "impact"):
        await stranger.get(f"{own}/{path}", status=404)
    await stranger.patch(f"{own}/dependencies/{made['id']}", {"type": "soft"}, status=404)
    await stranger.delete(f"{own}/dependencies/{made['id']}", status=404)
    theirs = await stranger.service()
    await link(stranger, theirs, pay, status=422)
    reader = catalog.limited_to("catalog:read")
    await link(reader, shop, pay, status=403)


async def test_no_link_closes_a_cycle(catalog: Catalog) -> None:
    a, b, c = await some(catalog, "a", "b", "c")
    await link(catalog, a, b)
    await link(catalog, b, c, "soft")
    for lower in (a, b):
        refused = await link(catalog, c, lower, status=409)
        assert (refused["code"], codes(refused)) == ("dependency-cycle", ["no_cycle"])
    await link(catalog, a, c)


@pytest.mark.parametrize("length", [2, 5])
async def test_of_links_that_together_close_a_cycle_all_but_one_are_made(catalog: Catalog, length: int) -> None:
    for attempt in range(4):
        ring = await some(catalog, *(f"r{attempt}-{n}" for n in range(length)))
        calls = [
            catalog.send(
                "POST",
                f"services/{one['id']}/dependencies",
                json={"depends_on_id": ring[(place + 1) % length]["id"], "type": "hard"},
            )
            for place, one in enumerate(ring)
        ]
        answers = sorted(answer.status_code for answer in await asyncio.gather(*calls))
        assert answers == [201] * (length - 1) + [409]


async def test_the_impact_is_told_both_ways(catalog: Catalog) -> None:
    shop, pay, bank, mail, wiki = await some(catalog, "shop", "pay", "bank", "mail", "wiki")
    await link(catalog, shop, pay)
    await link(catalog, pay, bank)
    await link(catalog, shop, mail, "soft")
    await link(catalog, mail, bank)
    await link(catalog, wiki, mail)
    assert await reached(catalog, shop, direction="down") == [
        ("mail", 1, "soft"),
        ("pay", 1, "hard"),
        ("bank", 2, "hard"),
    ]
    assert await reached(catalog, bank, direction="up") == [
        ("mail", 1, "hard"),
        ("pay", 1, "hard"),
        ("shop", 2, "hard"),
        ("wiki", 2, "hard"),
    ]
    assert await reached(catalog, mail) == [("shop", 1, "soft"), ("wiki", 1, "hard")]
    assert await reached(catalog, bank, depth=1) == [("mail", 1, "hard"), ("pay", 1, "hard")]
    cut = await catalog.get(f"services/{bank['id']}/impact", limit=1)
    assert (cut["count"], len(cut["items"])) == (4, 1)
    assert await reached(catalog, wiki, direction="up") == []


async def test_the_impact_in_a_large_graph_is_told_fast(catalog: Catalog, addresses: Addresses) -> None:
    await filled(addresses, catalog.org)
    top = await catalog.get("services/by-key/n0")
    deepest = await catalog.get(f"services/by-key/n{SERVICES - 1}")
    for service, direction in ((top, "down"), (deepest, "up")):
        best, count = float("inf"), 0
        for _ in range(3):
            begun = time.perf_counter()
            count = (await catalog.get(f"services/{service['id']}/impact", direction=direction))["count"]
            best = min(best, (time.perf_counter() - begun) * 1000)
        assert count > SERVICES / 2
        assert best < FAST_MS


async def filled(addresses: Addresses, org: str) -> None:
    """Fill a graph of layers in which a multitude of ways leads from the top to the bottom."""
    async with addresses.pools() as pools:
        connection = await pools.runtime.connect()
        try:
            await connection.execute(f"SET app.org = '{org}'")
            await connection.execute(FILLING_SERVICES, org, SERVICES)
            await connection.execute(FILLING_LINKS, org, SERVICES, LINKS)
        finally:
            await connection.close()
    owner = await asyncpg.connect(**connect_arguments(addresses.owner))
    try:
        await owner.execute("VACUUM ANALYZE service, service_dependency")  # as it is some minutes after an import
    finally:
        await owner.close()


FILLING_SERVICES = """
    INSERT INTO service (org, id, created_at, updated_at, key, name, type, boundaries, state)
    SELECT $1, uuidv7(), now(), now(), 'n' || n, 'Service ' || n, 'technical',
           '{"inputs": [], "outputs": [], "outcomes": [], "in_scope": [], "out_of_scope": []}', 'supporting'
    FROM generate_series(0, $2::int - 1) AS n
"""
FILLING_LINKS = """
    INSERT INTO service_dependency (org, id, created_at, updated_at, service_id, depends_on_id, type)
    SELECT DISTINCT ON (upper.id, lower.id) $1, uuidv7(), now(), now(), upper.id, lower.id,
           CASE WHEN n % 3 = 0 THEN 'soft' ELSE 'hard' END
    FROM generate_series(0, $3::int - 1) AS n
    JOIN service AS upper ON upper.key = 'n' || (n / 4)
    JOIN service AS lower
        ON lower.key = 'n' || least($2::int - 1, n / 4 + 1 + (n % 4) * (1 + hashint4(n) % 200 + 200))
    WHERE upper.id <> lower.id
"""
