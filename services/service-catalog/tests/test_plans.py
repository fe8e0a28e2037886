"""How PostgreSQL finds rows in tables that have just been filled, and that nobody has analysed yet."""

from typing import Any

import pytest
from catalog_api import Catalog

from chassis.caller import Caller
from chassis.testkit.databases import Pools


@pytest.mark.parametrize(
    ("table", "column", "index"),
    [("incident", "id", "incident_pkey"), ("incident_timer", "incident_id", "incident_timer_pkey")],
)
async def test_rows_are_found_by_their_key_and_not_among_all_of_their_organisation(
    catalog: Catalog, pools: Pools, table: str, column: str, index: str
) -> None:
    await catalog.service(key="shop")
    items: list[Any] = [{"service_key": "shop", "title": "It was down"} for _ in range(1000)]
    for _ in range(2):
        await catalog.batch("incidents", items)
    async with pools.runtime.begin(Caller(org=catalog.org, subject="planner")) as tx:
        ids = [str(row["id"]) for row in await tx.connection.fetch("SELECT id FROM incident LIMIT 5")]
        wanted = "ARRAY['" + "'::uuid, '".join(ids) + "'::uuid]"
        lines = await tx.connection.fetch(f"EXPLAIN SELECT * FROM {table} WHERE {column} = ANY ({wanted})")  # noqa: S608
    plan = "\n".join(line[0] for line in lines)
    assert index in plan, plan
    assert f"{column} = ANY" in plan.partition("Index Cond")[2], plan


async def test_what_a_batch_brings_is_listed_in_its_order(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    titles = [f"Number {n}" for n in range(150)]
    await catalog.batch("incidents", [{"service_key": "shop", "title": title} for title in titles])
    listed = (await catalog.get("incidents", limit=200))["items"]
    assert [one["title"] for one in listed] == titles
