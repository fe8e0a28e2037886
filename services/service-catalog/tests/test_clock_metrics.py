"""What the worker tells of clocks that are due."""

import asyncio

from catalog_api import Catalog

from chassis import clock
from chassis.caller import Caller
from chassis.events.backlog import Backlog
from chassis.testkit.databases import Pools
from service_catalog.requests.timers import TIMERS as REQUEST_TIMERS
from service_catalog.sla.timers import TIMERS as INCIDENT_TIMERS
from service_catalog.wiring import CLOCKS


async def told(pools: Pools) -> dict[tuple[str, str], float]:
    """Return the figures of clocks, by metric and clock."""
    read = await Backlog(pools.worker, asyncio.get_running_loop(), clocks=CLOCKS).read()
    if read is None:
        raise AssertionError("the database does not answer")
    samples = [sample for metric in read.metrics for sample in metric.samples if "clock" in sample.labels]
    return {(one.name.removeprefix("tandem_clocks_due"), one.labels["clock"]): one.value for one in samples}


async def test_clocks_are_due_until_somebody_has_looked(catalog: Catalog, pools: Pools) -> None:
    age = "_oldest_age_seconds"
    assert await told(pools) == {("", "sla"): 0, (age, "sla"): 0, ("", "fulfilment"): 0, (age, "fulfilment"): 0}
    service = await catalog.service()
    incidents = [await catalog.incident(service) for _ in range(2)]
    request = await catalog.request(await catalog.item(fulfilment_target_minutes=60))
    due = await told(pools)
    assert (due["", "sla"], due["", "fulfilment"]) == (2, 1)
    assert 0 < due[age, "fulfilment"] <= due[age, "sla"] < 60
    caller = Caller(org=catalog.org, subject="system")
    async with pools.worker.begin(caller) as tx:
        await INCIDENT_TIMERS.set_to(tx, {incidents[0]["id"]: clock.now().replace(year=2100)})
        await REQUEST_TIMERS.set_to(tx, {request["id"]: None})
    due = await told(pools)
    assert (due["", "sla"], due["", "fulfilment"], due[age, "fulfilment"]) == (1, 0, 0)
