import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from chassis import ids
from chassis.caller import Caller
from chassis.database import connect_arguments
from chassis.events.envelope import read_batch
from chassis.events.position import Position
from chassis.events.sequencer import Sequencer
from chassis.testkit.databases import Addresses
from chassis.testkit.eventing import EventService, running
from chassis.testkit.sample.notes import add_note

ACME = Caller(org="acme", subject="ada", correlation_id="first")
OTHER = Caller(org="other", subject="eve")
EVERYONE = {"Authorization": "Bearer *"}


async def write(service: EventService, *callers: Caller) -> list[UUID]:
    """Write and sequence one event for each caller."""
    events = []
    for number, caller in enumerate(callers):
        written = await add_note(service.pools.runtime, caller, title=f"ä {number}", price_amount=None)
        assert written.event_id is not None
        events.append(written.event_id)
    await service.sequence()
    return events


def ids_of(response: httpx.Response) -> list[UUID]:
    assert response.status_code == 200, response.text
    return [UUID(event["id"]) for event in response.json()]


def next_of(response: httpx.Response) -> str:
    return response.links["next"]["url"]


@pytest.fixture
async def live(service: EventService) -> AsyncIterator[EventService]:
    """A service whose sequencer and watcher run."""
    sequencer = Sequencer(service.pools.worker)
    async with running(service.watcher.run), running(sequencer.run):
        await asyncio.wait_for(service.watcher.listening.wait(), 5)
        yield service


async def test_an_event_is_a_cloudevent_with_the_resource_as_its_writer_saw_it(service: EventService) -> None:
    written = await add_note(service.pools.runtime, ACME, title="größer", labels={"b": 1, "a": None})
    await service.sequence()
    response = await service.client.get("/v1/events")
    assert response.headers["content-type"] == "application/cloudevents-batch+json"
    assert response.headers["events-head"] == "0000000001.0000000000000000001"
    (event,) = response.json()
    assert written.body in response.text
    assert event["data"] == json.loads(written.body)
    assert event | {"time": "", "recordedtime": "", "data": ""} == {
        "specversion": "1.0",
        "id": str(written.event_id),
        "source": "/sample",
        "type": "tandem.note.created.v1",
        "subject": f"notes/{written.id}",
        "time": "",
        "datacontenttype": "application/json",
        "orgid": "acme",
        "partitionkey": str(written.id),
        "aggregateversion": "0000000000000000001",
        "sequence": "0000000001.0000000000000000001",
        "recordedtime": "",
        "correlationid": "first",
        "data": "",
    }
    (read,) = read_batch(response.content)
    assert read.position == Position(1, 1)
    assert read.aggregateversion == 1
    assert read.happened_at.tzinfo is not None


async def test_a_reader_that_follows_next_misses_nothing(service: EventService) -> None:
    events = await write(service, *[ACME] * 7)
    response = await service.client.get("/v1/events", params={"limit": 3})
    seen = ids_of(response)
    while following := ids_of(response := await service.client.get(next_of(response))):
        seen += following
    assert seen == events
    later = await write(service, ACME)
    assert ids_of(await service.client.get(next_of(response))) == later


async def test_links_stand_below_the_prefix_of_the_gateway(service: EventService) -> None:
    response = await service.client.get("/v1/events?limit=3", headers={"X-Forwarded-Prefix": "/sample"})
    assert next_of(response) == "/sample/v1/events?limit=3&after=0000000001.0000000000000000000"


async def test_each_organisation_sees_its_own_events_and_a_service_sees_all(service: EventService) -> None:
    mine, others, again = await write(service, ACME, OTHER, ACME)
    response = await service.client.get("/v1/events")
    assert ids_of(response) == [mine, again]
    assert ids_of(await service.client.get("/v1/events", headers=EVERYONE)) == [mine, others, again]
    nobody = await service.client.get("/v1/events", headers={"Authorization": "Bearer third"})
    assert ids_of(nobody) == []
    assert next_of(nobody).endswith("after=0000000001.0000000000000000003")
    assert (await service.client.get(f"/v1/events/{others}")).status_code == 404
    found = await service.client.get(f"/v1/events/{others}", headers=EVERYONE)
    assert found.json() == {"epoch": 1, "position": 2, "orgid": "other"}


async def test_only_the_types_asked_for(service: EventService) -> None:
    await write(service, ACME, ACME)
    some = await service.client.get("/v1/events", params={"types": "tandem.note.created.v1,tandem.else.v1"})
    assert len(ids_of(some)) == 2
    none = await service.client.get("/v1/events", params={"types": "tandem.else.v1"})
    assert ids_of(none) == []
    assert next_of(none).endswith("after=0000000001.0000000000000000002")


async def test_a_star_stands_for_all_types_that_begin_so(service: EventService) -> None:
    await write(service, ACME)
    for types, found in (("tandem.note.*", 1), ("tandem.no_e.*", 0), ("tandem.not.*", 0), ("tandem*", 1)):
        response = await service.client.get("/v1/events", params={"types": types})
        assert len(ids_of(response)) == found, types
    assert (await service.client.get("/v1/events", params={"types": "tandem.*.v1"})).status_code == 422


async def test_an_event_has_no_position_until_it_is_sequenced(service: EventService) -> None:
    written = await add_note(service.pools.runtime, ACME)
    assert (await service.client.get(f"/v1/events/{written.event_id}")).json() == {
        "epoch": 1,
        "position": None,
        "orgid": "acme",
    }
    await service.sequence()
    assert (await service.client.get(f"/v1/events/{written.event_id}")).json() == {
        "epoch": 1,
        "position": 1,
        "orgid": "acme",
    }
    assert (await service.client.get(f"/v1/events/{ids.new_id()}")).status_code == 404


@pytest.mark.parametrize(
    "query",
    ["after=1", "after=1.2.3", "after=-1.2", "after=1.99999999999999999999", "limit=0", "limit=1001", "types=,", "x=1"],
)
async def test_wrong_questions_are_refused(service: EventService, query: str) -> None:
    assert (await service.client.get(f"/v1/events?{query}")).status_code == 422


async def test_a_position_of_another_epoch_is_refused_with_the_head(
    addresses: Addresses, service: EventService
) -> None:
    events = await write(service, ACME, ACME)
    owner = await asyncpg.connect(**connect_arguments(addresses.owner))
    assert await owner.fetchval("SELECT raise_event_epoch()") == 2
    await owner.close()
    for after in ("1.1", "2.3", "3.1"):
        response = await service.client.get("/v1/events", params={"after": after})
        assert response.status_code == 409
        assert response.json()["code"] == "epoch-changed"
        assert response.json()["head"] == "0000000002.0000000000000000002"
    response = await service.client.get("/v1/events", params={"after": "2.1"})
    assert ids_of(response) == events[1:]
    assert response.json()[0]["sequence"] == "0000000002.0000000000000000002"
    assert ids_of(await service.client.get(next_of(response))) == []


async def test_what_is_no_longer_kept_is_gone_and_not_silently_missing(
    addresses: Addresses, service: EventService
) -> None:
    (old,) = await write(service, ACME)
    owner = await asyncpg.connect(**connect_arguments(addresses.owner))
    await owner.execute("UPDATE event_head SET position = 1999999")
    await owner.execute("SELECT ensure_event_partitions()")
    (new,) = await write(service, ACME)
    assert await owner.fetchval("SELECT drop_event_partitions(2000000)") == 2
    await owner.close()
    response = await service.client.get("/v1/events", params={"after": "1.0", "limit": 5})
    assert response.status_code == 410
    assert response.json()["start"] == "/v1/events?limit=5&after=0000000001.0000000000001999999"
    assert ids_of(await service.client.get(response.json()["start"])) == [new]
    assert ids_of(await service.client.get("/v1/events")) == [new]
    assert (await service.client.get(f"/v1/events/{old}")).status_code == 410
    assert (await service.client.get(f"/v1/events/{ids.new_id()}")).status_code == 404


async def wait_and_write(service: EventService, wait: str) -> tuple[httpx.Response, float]:
    """Ask with a preference to wait, write while it waits, and return the answer and how long it took to come."""
    head = (await service.client.get("/v1/events")).links["next"]["url"]
    asking = asyncio.ensure_future(service.client.get(head, headers={"Prefer": f"respond-async, wait={wait}"}))
    await asyncio.sleep(0.3)
    assert not asking.done()
    started = time.perf_counter()
    await add_note(service.pools.runtime, ACME)
    return await asking, time.perf_counter() - started


async def test_a_waiting_reader_wakes_within_tens_of_milliseconds(live: EventService) -> None:
    times = []
    for _ in range(5):
        response, seconds = await wait_and_write(live, "20")
        assert len(ids_of(response)) == 1
        assert response.headers["preference-applied"] == "wait=20"
        times.append(seconds)
    assert sorted(times)[2] < 0.1


async def test_other_organisations_events_do_not_wake_a_reader(live: EventService) -> None:
    asking = asyncio.ensure_future(live.client.get("/v1/events", headers={"Prefer": "wait=1"}))
    await asyncio.sleep(0.2)
    await add_note(live.pools.runtime, OTHER)
    response = await asking
    assert ids_of(response) == []
    assert next_of(response).endswith("0000000001")


async def test_losing_the_listening_connection_only_costs_time(addresses: Addresses, live: EventService) -> None:
    killer: Any = await asyncpg.connect(**connect_arguments(addresses.runtime))
    await killer.execute(
        """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE usename = current_user AND datname = current_database() AND pid <> pg_backend_pid()
        AND query LIKE 'LISTEN%'"""
    )
    await killer.close()
    response, seconds = await wait_and_write(live, "20")
    assert len(ids_of(response)) == 1
    assert seconds < 5
    await asyncio.wait_for(live.watcher.listening.wait(), 5)


async def test_waiting_holds_no_connection_and_ends_by_itself(live: EventService) -> None:
    asking = [
        asyncio.ensure_future(live.client.get("/v1/events", headers={"Prefer": "wait=1"}))
        for _ in range(3 * live.pools.runtime.size)
    ]
    await asyncio.sleep(0.5)
    assert live.pools.runtime.in_use == 0
    assert [ids_of(response) for response in await asyncio.gather(*asking)] == [[]] * len(asking)
