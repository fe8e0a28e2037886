"""The events that a service has told of a resource, as they wait for their position."""

import json
from typing import Any

from chassis.testkit.applications import OrganisationClient
from chassis.testkit.databases import Pools

_OF_ONE = "SELECT type, aggregateversion, data FROM event_pending WHERE org = $1 AND subject = $2 ORDER BY seq"


async def told(pools: Pools, client: OrganisationClient, subject: str) -> list[tuple[str, int, Any, Any]]:
    """Return type, version, representation and change of a resource's events, in their order."""
    events = []
    for row in await _rows(pools, client, subject):
        data = json.loads(row["data"])
        change = data.pop("change", None)
        name = row["type"].removeprefix("tandem.").removesuffix(".v1")
        events.append((name, row["aggregateversion"], data, change))
    return events


async def sizes_told(pools: Pools, client: OrganisationClient, subject: str) -> list[int]:
    """Return how many bytes the data of each of a resource's events has, in their order."""
    return [len(row["data"].encode()) for row in await _rows(pools, client, subject)]


async def _rows(pools: Pools, client: OrganisationClient, subject: str) -> list[Any]:
    connection = await pools.worker.connect()
    try:
        return list(await connection.fetch(_OF_ONE, client.org, subject))
    finally:
        await connection.close()
