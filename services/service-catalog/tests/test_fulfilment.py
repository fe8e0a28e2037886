"""The fulfilment of real requests, and the watch that tells of their warnings and breaches."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

from catalog_api import Catalog, ago

from chassis import clock
from chassis.calendars.operations import Calendars
from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database
from chassis.events.siblings import Siblings
from chassis.standing import Standing
from chassis.testkit.databases import Addresses, Pools
from chassis.testkit.eventing import running, until
from service_catalog.calendars.tables import CALENDARS
from service_catalog.clocks.watch import Watch
from service_catalog.requests.clocks import FulfilmentClocks
from service_catalog.requests.operations import ServiceRequests
from service_catalog.requests.schemas import RequestFulfilment
from service_catalog.requests.watch import WatchedRequests
from service_catalog.settings import Settings
from service_catalog.wiring import PACKAGE, loops

ALWAYS = [
    {"weekday": day, "intervals": [["00:00", "24:00"]]}
    for day in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
]
NEVER: dict[str, Any] = {
    "name": "never before 2098",
    "timezone": "UTC",
    "weekly": [],
    "exceptions": [{"date": "2098-01-01", "intervals": [["08:00", "18:00"]]}],
}


def watch_on(database: Database) -> Watch:
    seal = CursorSeal("of-this-run")
    requests = ServiceRequests(database, seal)
    clocks = FulfilmentClocks(database, requests=requests, calendars=Calendars(database, CALENDARS, seal))
    return Watch(database, WatchedRequests(clocks=clocks, requests=requests), every_seconds=0.01)


async def watched(addresses: Addresses, **later: float) -> None:
    """Look at all that is due, at an instant from now on."""
    database = Database(addresses.worker, size=3, now=lambda: clock.now() + timedelta(**later))
    try:
        while await watch_on(database).turn():
            pass
    finally:
        await database.close()


async def told(pools: Pools, catalog: Catalog, own: str) -> list[str]:
    """Return which notices were given of a request."""
    id_ = own.rpartition("/")[2]
    connection = await pools.worker.connect()
    try:
        rows = await connection.fetch(
            "SELECT type, subject, aggregateversion, data FROM event_pending WHERE org = $1 AND partitionkey = $2"
            " AND type LIKE 'tandem.service_request_fulfilment.%' ORDER BY seq",
            catalog.org,
            id_,
        )
    finally:
        await connection.close()
    for row in rows:
        assert (row["subject"], row["aggregateversion"]) == (f"service-request-fulfilments/{id_}", None)
        assert json.loads(row["data"])["service_request_id"] == id_
    return [row["type"].split(".")[2] for row in rows]


async def timers_of(pools: Pools, own: str) -> int:
    connection = await pools.worker.connect()
    try:
        found: int = await connection.fetchval(
            "SELECT count(*) FROM service_request_timer WHERE service_request_id = $1", own.rpartition("/")[2]
        )
    finally:
        await connection.close()
    return found


async def submitted(catalog: Catalog, item: Any, **past: float) -> str:
    """Add a request that was submitted so long ago, and return its path."""
    body = {"catalogue_item_id": item["id"], "form": {}, "submitted_at": ago(**past)}
    (made,) = await catalog.batch("service-requests", [body])
    return f"service-requests/{made['id']}"


async def test_the_clock_of_a_request(catalog: Catalog) -> None:
    own = await submitted(catalog, await catalog.item(fulfilment_target_minutes=240), hours=2)
    answered = await catalog.send("GET", f"{own}/fulfilment")
    RequestFulfilment.model_validate_json(answered.content, extra="forbid")
    assert "etag" not in answered.headers
    request, counted = await catalog.get(own), answered.json()["clock"]
    begun = datetime.fromisoformat(request["approved_at"])
    assert datetime.fromisoformat(counted["due_at"]) == begun.replace(microsecond=0) + timedelta(hours=4)
    assert (counted["state"], counted["target_minutes"], counted["calendar_id"]) == ("running", 240, None)
    assert (counted["consumed_minutes"], counted["remaining_minutes"]) == (120, 120)
    assert counted["driven_by"] == {"state": "approved", "at": request["approved_at"], "hold_reason": None}
    await catalog.move(own, "in_fulfilment", at=ago(minutes=90))
    await catalog.move(own, "on_hold", hold_reason="awaiting_vendor", at=ago(minutes=60))
    paused = (await catalog.get(f"{own}/fulfilment"))["clock"]
    assert (paused["state"], paused["consumed_minutes"], paused["due_at"]) == ("paused", 60, None)
    assert paused["paused"][0]["reason"] == paused["driven_by"]["hold_reason"] == "awaiting_vendor"
    await catalog.move(own, "in_fulfilment", at=ago(minutes=30))
    await catalog.move(own, "fulfilled", at=ago(minutes=20))
    met = (await catalog.get(f"{own}/fulfilment"))["clock"]
    assert (met["state"], met["consumed_minutes"], met["driven_by"]["state"]) == ("met", 70, "fulfilled")
    await catalog.move(own, "in_fulfilment")
    again = (await catalog.get(f"{own}/fulfilment"))["clock"]
    assert (again["state"], [pause["reason"] for pause in again["paused"]]) == (
        "running",
        ["awaiting_vendor", "fulfilled"],
    )
    assert (await catalog.get(own))["version"] == 6
    await catalog.of_another_organisation().get(f"{own}/fulfilment", status=404)


async def test_without_a_target_or_an_approval_there_is_no_clock(catalog: Catalog, pools: Pools) -> None:
    untimed = await submitted(catalog, await catalog.item(), hours=2)
    told_ = await catalog.get(f"{untimed}/fulfilment")
    assert (told_["state"], told_["clock"], await timers_of(pools, untimed)) == ("approved", None, 0)
    item = await catalog.item(approval_required=True, fulfilment_target_minutes=60)
    waiting = f"service-requests/{(await catalog.request(item))['id']}"
    assert (await catalog.get(f"{waiting}/fulfilment"))["clock"] is None
    await catalog.by("ada").move(waiting, "approved")
    assert (await catalog.get(f"{waiting}/fulfilment"))["clock"]["state"] == "running"


async def test_a_history_out_of_an_import_is_counted_on_the_calendar(catalog: Catalog) -> None:
    weekly = [one | {"intervals": [["08:00", "18:00"]]} for one in ALWAYS[:5]]
    calendar = await catalog.post("calendars", {"name": "office", "timezone": "UTC", "weekly": weekly})
    item = await catalog.item(approval_required=True, fulfilment_target_minutes=240, calendar_id=calendar["id"])
    past = {"external_source": "desk", "external_id": "1", "catalogue_item_id": item["id"], "form": {}}
    history = [
        {"state": "awaiting_approval", "at": "2026-03-02T09:00:00Z"},
        {"state": "approved", "at": "2026-03-02T16:00:00Z"},
        {"state": "in_fulfilment", "at": "2026-03-02T16:10:00Z"},
        {"state": "on_hold", "at": "2026-03-02T17:00:00Z", "hold_reason": "awaiting_requester"},
        {"state": "in_fulfilment", "at": "2026-03-02T18:00:00Z"},
        {"state": "fulfilled", "at": "2026-03-03T11:00:00Z"},
    ]
    (made,) = await catalog.batch("service-requests", [past | {"history": history}])
    counted = (await catalog.get(f"service-requests/{made['id']}/fulfilment"))["clock"]
    assert (counted["state"], counted["due_at"], counted["consumed_minutes"]) == ("met", "2026-03-03T11:00:00Z", 240)
    assert (counted["calendar_id"], counted["started_at"]) == (calendar["id"], "2026-03-02T16:00:00Z")
    refused = await catalog.delete(f"calendars/{calendar['id']}", status=409)
    assert refused["code"] == "calendar-in-use"


async def test_a_warning_and_a_breach_are_told_once(catalog: Catalog, pools: Pools, addresses: Addresses) -> None:
    own = f"service-requests/{(await catalog.request(await catalog.item(fulfilment_target_minutes=60)))['id']}"
    for minutes, expected in ((0.0, []), (44.5, []), (45.5, ["warned"]), (59.5, ["warned"])):
        await watched(addresses, minutes=minutes)
        assert await told(pools, catalog, own) == expected
    for minutes in (60.5, 61, 300):
        await watched(addresses, minutes=minutes)
        assert await told(pools, catalog, own) == ["warned", "breached"]
    assert (await catalog.get(own))["version"] == 1
    await catalog.move(own, "in_fulfilment")
    await catalog.move(own, "fulfilled")
    await catalog.move(own, "in_fulfilment")
    await watched(addresses, hours=9)
    assert await told(pools, catalog, own) == ["warned", "breached"]


async def test_what_is_paused_or_met_in_time_is_not_told_of(
    catalog: Catalog, pools: Pools, addresses: Addresses
) -> None:
    item = await catalog.item(fulfilment_target_minutes=60)
    paused, met = [f"service-requests/{(await catalog.request(item))['id']}" for _ in range(2)]
    for own in (paused, met):
        await catalog.move(own, "in_fulfilment")
    await catalog.move(paused, "on_hold", hold_reason="awaiting_vendor")
    await catalog.move(met, "fulfilled")
    await watched(addresses, hours=5)
    assert (await told(pools, catalog, paused), await told(pools, catalog, met)) == ([], [])
    await catalog.move(paused, "in_fulfilment")
    await watched(addresses, minutes=50)
    assert await told(pools, catalog, paused) == ["warned"]


async def test_a_breach_is_told_although_it_was_fulfilled_before_anybody_looked(
    catalog: Catalog, pools: Pools, addresses: Addresses
) -> None:
    own = await submitted(catalog, await catalog.item(fulfilment_target_minutes=60), hours=2)
    for to in ("in_fulfilment", "fulfilled", "closed"):
        await catalog.move(own, to)
    await watched(addresses)
    assert (await told(pools, catalog, own), await timers_of(pools, own)) == (["warned", "breached"], 0)


async def test_what_is_over_is_watched_no_more(catalog: Catalog, pools: Pools, addresses: Addresses) -> None:
    item = await catalog.item(fulfilment_target_minutes=60, approval_required=True)
    ends = {"rejected": "ada", "cancelled": "grace"}
    for to, actor in ends.items():
        own = f"service-requests/{(await catalog.request(item))['id']}"
        assert await timers_of(pools, own) == 1
        await catalog.by(actor).move(own, to, reason="No.")
        await watched(addresses)
        assert (await told(pools, catalog, own), await timers_of(pools, own)) == ([], 0)


async def test_an_edit_of_the_calendar_is_noticed(catalog: Catalog, pools: Pools, addresses: Addresses) -> None:
    calendar = await catalog.post("calendars", NEVER)
    item = await catalog.item(fulfilment_target_minutes=60, calendar_id=calendar["id"])
    own = await submitted(catalog, item, hours=2)
    await watched(addresses)
    assert await told(pools, catalog, own) == []
    await catalog.patch(f"catalogue-items/{item['id']}", {"calendar_id": None, "fulfilment_target_minutes": 1})
    await watched(addresses)
    assert await told(pools, catalog, own) == []
    await catalog.patch(f"calendars/{calendar['id']}", {"weekly": ALWAYS})
    await watched(addresses)
    assert await told(pools, catalog, own) == ["warned", "breached"]


async def test_a_breach_that_was_none_is_told_when_it_happens(
    catalog: Catalog, pools: Pools, addresses: Addresses
) -> None:
    calendar = await catalog.post("calendars", NEVER | {"weekly": ALWAYS, "exceptions": []})
    own = await submitted(
        catalog, await catalog.item(fulfilment_target_minutes=60, calendar_id=calendar["id"]), hours=2
    )
    await watched(addresses)
    assert await told(pools, catalog, own) == ["warned", "breached"]
    await catalog.patch(f"calendars/{calendar['id']}", {"weekly": [], "exceptions": NEVER["exceptions"]})
    await watched(addresses)
    await catalog.patch(f"calendars/{calendar['id']}", {"weekly": ALWAYS, "exceptions": []})
    await watched(addresses)
    assert await told(pools, catalog, own) == ["warned", "breached", "withdrawn", "warned", "breached"]


async def test_two_that_watch_at_once_beside_commands_tell_once(catalog: Catalog, pools: Pools) -> None:
    item = await catalog.item(fulfilment_target_minutes=60)
    requests = [await submitted(catalog, item, hours=2) for _ in range(6)]
    await asyncio.gather(
        *(watch_on(pools.worker).turn() for _ in range(3)),
        *(catalog.move(own, "in_fulfilment") for own in requests),
        catalog.patch(f"catalogue-items/{item['id']}", {"name": "Renamed"}),
    )
    while await watch_on(pools.worker).turn():
        pass
    for own in requests:
        assert await told(pools, catalog, own) == ["warned", "breached"]


async def test_the_loop_of_the_worker_tells_by_itself_and_of_every_organisation(
    catalog: Catalog, pools: Pools, settings: Settings
) -> None:
    others = [catalog, catalog.of_another_organisation()]
    requests = [
        await submitted(one, await one.item(fulfilment_target_minutes=240), hours=3, minutes=5) for one in others
    ]

    async def all_told() -> bool:
        return [await told(pools, *one) for one in zip(others, requests, strict=True)] == [["warned"]] * 2

    standing = Standing(settings, PACKAGE)
    async with running(loops(standing, Siblings(settings))["sla"]):
        await until(all_told)
    await standing.close()


async def test_one_that_cannot_be_judged_does_not_hold_up_the_others(catalog: Catalog, pools: Pools) -> None:
    item = await catalog.item(fulfilment_target_minutes=60)
    broken, sound = [await submitted(catalog, item, hours=2) for _ in range(2)]
    caller = Caller(org=catalog.org, subject="tester")
    async with pools.worker.begin(caller) as tx:
        await tx.connection.execute(
            "INSERT INTO history_entry (org, collection, resource_id, at, recorded_at, from_state, to_state,"
            " actor, details) VALUES ($1, 'service-requests', $2, now(), now(), 'approved', 'on_hold', 'x', '[]')",
            catalog.org,
            broken.rpartition("/")[2],
        )
    await watch_on(pools.worker).turn()
    assert (await told(pools, catalog, sound), await told(pools, catalog, broken)) == (["warned", "breached"], [])
    async with pools.worker.begin(caller) as tx:
        put_off = await tx.connection.fetchval(
            "SELECT due_at > now() FROM service_request_timer WHERE service_request_id = $1",
            broken.rpartition("/")[2],
        )
    assert put_off
