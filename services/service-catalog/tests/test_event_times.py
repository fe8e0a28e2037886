"""When what a batch tells of known resources happened, as their events say it."""

from typing import Any

from catalog_api import Catalog, ago

from chassis.schemas import instant_text
from chassis.testkit.databases import Pools

OF_ONE = "SELECT type, time FROM event_pending WHERE org = $1 AND subject = $2 ORDER BY seq"
TEN, ELEVEN, NOON, ONE = (f"2026-01-05T{hour}:00:00Z" for hour in (10, 11, 12, 13))
KNOWN = {"external_source": "cmdb", "external_id": "1"}


async def times(pools: Pools, catalog: Catalog, own: str) -> list[tuple[str, str]]:
    """Return what happened to a resource after it was created, and when."""
    connection = await pools.worker.connect()
    try:
        rows = await connection.fetch(OF_ONE, catalog.org, own)
    finally:
        await connection.close()
    return [(row["type"].split(".")[2], instant_text(row["time"])) for row in rows[1:]]


async def changed(catalog: Catalog, path: str, first: dict[str, Any], *changes: dict[str, Any]) -> str:
    """Write a resource and what is told of it later, and return its path."""
    (made,) = await catalog.batch(path, [KNOWN | first])
    for change in changes:
        await catalog.batch(path, [KNOWN | change])
    return f"{path}/{made['id']}"


async def test_an_outage_that_a_batch_ends_has_ended_then(catalog: Catalog, pools: Pools) -> None:
    began = {"service_id": (await catalog.service())["id"], "severity": "major", "started_at": TEN}
    before = ago(seconds=5)
    own = await changed(catalog, "outages", began, {"ended_at": ELEVEN}, {"ended_at": None}, {"ended_at": NOON})
    (ended, first), (reopened, then), (again, last) = await times(pools, catalog, own)
    assert [ended, reopened, again] == ["ended", "reopened", "ended"]
    assert (first, last) == (ELEVEN, NOON)
    assert then > before


async def test_a_window_that_a_batch_moves_on_did_so_then(catalog: Catalog, pools: Pools) -> None:
    planned = {"service_ids": [(await catalog.service())["id"]], "planned_start": TEN, "planned_end": ELEVEN}
    before = ago(seconds=5)
    own = await changed(
        catalog, "maintenance-windows", planned, {"title": "Disks"}, {"actual_start": NOON}, {"actual_end": ONE}
    )
    (_, titled), *moved = await times(pools, catalog, own)
    assert titled > before
    assert moved == [("updated", NOON), ("updated", ONE)]
