import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import asyncpg
import pytest
import uvicorn
from pydantic import BaseModel

from chassis.caller import Caller
from chassis.database import Transaction, connect_arguments
from chassis.events.consumer import Consumer
from chassis.events.envelope import Event
from chassis.events.handling import Handlers, effect, in_order, projection
from chassis.events.leases import Leases
from chassis.events.position import Position
from chassis.events.progress import Progress, progress
from chassis.events.sequencer import Sequencer
from chassis.rejection import Rejection
from chassis.testkit.databases import Addresses
from chassis.testkit.eventing import EventService, background, running, service_on, until, worker_of
from chassis.testkit.sample.notes import add_note, id_of
from chassis.testkit.sample.tables import NOTES
from chassis.writing import update_one

ACME = Caller(org="acme", subject="ada", correlation_id="first")
OTHER = Caller(org="other", subject="eve")
WORKER = Caller(org="", subject="test")
CREATED, UPDATED = "tandem.note.created.v1", "tandem.note.updated.v1"
SAMPLE = "chassis.testkit.sample"

ADD_THING = """INSERT INTO thing (org, id, created_at, updated_at, name, external_source)
    VALUES ($1, gen_random_uuid(), clock_timestamp(), now(), $2, $3)"""
PUT_THING = """INSERT INTO thing AS known (org, id, version, created_at, updated_at, name, external_source)
    VALUES ($1, $2, $3, now(), now(), $4, $5)
    ON CONFLICT (org, id) DO UPDATE SET
        version = excluded.version, name = excluded.name, external_source = excluded.external_source
    WHERE (known.external_source, known.version) < (excluded.external_source, excluded.version)"""


class Note(BaseModel):
    title: str


async def write_down(tx: Transaction, events: list[Event]) -> None:
    for event in events:
        await tx.connection.execute(ADD_THING, tx.caller.org, event.id, tx.caller.causation_id)


async def project(tx: Transaction, events: list[Event]) -> None:
    """Keep the newest title of each note, guarded by epoch and version."""
    for event in events:
        title = Note.model_validate(event.data).title
        if title == "forbidden":
            raise Rejection("conflict", "title-forbidden", "This title is not wanted here.")
        epoch = f"{event.position.epoch:010d}"
        await tx.connection.execute(PUT_THING, tx.caller.org, event.partitionkey, event.aggregateversion, title, epoch)


PROJECTED = projection(project)
TITLES: Handlers = {CREATED: PROJECTED, UPDATED: PROJECTED}


async def things(service: EventService, org: str = "acme") -> list[Any]:
    async with service.pools.worker.begin(Caller(org=org, subject="test")) as tx:
        rows: list[Any] = await tx.connection.fetch("SELECT * FROM thing ORDER BY created_at, id")
        return rows


async def held(service: EventService) -> list[Any]:
    response = await service.client.get("/v1/quarantine", headers={"Authorization": "Bearer *"})
    items: list[Any] = response.json()["items"]
    return items


async def state(service: EventService) -> Progress:
    async with service.pools.worker.begin(WORKER) as tx:
        (one,) = await progress(tx)
        return one


async def write(producer: EventService, *titles: str, caller: Caller = ACME) -> list[str]:
    events = [(await add_note(producer.pools.runtime, caller, title=title)).event_id for title in titles]
    await producer.sequence()
    return [str(event) for event in events]


@pytest.fixture
async def reader(addresses: Addresses) -> AsyncIterator[EventService]:
    async with service_on(addresses, TITLES) as one:
        yield one


def consumer_of(reader: EventService, producer: EventService, handlers: Handlers = TITLES, **more: Any) -> Consumer:
    return Consumer(reader.pools.worker, producer.as_sibling(), handlers, **more)


async def test_each_event_is_applied_once_in_the_order_of_the_log(producer: EventService, reader: EventService) -> None:
    consumer = consumer_of(reader, producer, {CREATED: in_order(write_down)}, batch_size=3)
    first = await write(producer, *map(str, range(7)))
    assert await consumer.read_to_head() == Position(1, 7)
    second = await write(producer, "more")
    await consumer.read_to_head()
    await consumer.read_to_head()
    assert Counter(row["name"] for row in await things(reader)) == Counter(first + second)


async def test_each_organisation_s_events_are_applied_as_that_organisation(
    producer: EventService, reader: EventService
) -> None:
    mine = await write(producer, "a")
    others = await write(producer, "b", caller=OTHER)
    mine += await write(producer, "c")
    await consumer_of(reader, producer, {CREATED: in_order(write_down)}).read_to_head()
    assert [row["name"] for row in await things(reader)] == mine
    assert [row["name"] for row in await things(reader, "other")] == others


async def test_a_projection_gets_the_newest_event_of_each_subject_only(
    producer: EventService, reader: EventService
) -> None:
    seen: list[tuple[str, int | None]] = []

    async def note_seen(_tx: Transaction, events: list[Event]) -> None:
        seen.extend((event.type, event.aggregateversion) for event in events)

    written = await add_note(producer.pools.runtime, ACME, title="1")
    for title in ("2", "3"):
        async with producer.pools.runtime.begin(ACME) as tx:
            await update_one(tx, NOTES, id_of(written), {"title": title})
    await producer.sequence()
    handling = projection(note_seen)
    await consumer_of(reader, producer, {CREATED: handling, UPDATED: handling}).read_to_head()
    assert seen == [(UPDATED, 3)]


async def test_an_effect_happens_once_also_when_everything_is_read_again(
    producer: EventService, reader: EventService
) -> None:
    events = await write(producer, "a", "b")
    consumer = consumer_of(reader, producer, {CREATED: effect(write_down)})
    await consumer.read_to_head()
    async with reader.pools.worker.begin(WORKER) as tx:
        await tx.connection.execute("DELETE FROM event_cursor")
    await consumer.read_to_head()
    assert [(row["name"], row["external_source"]) for row in await things(reader)] == [(e, e) for e in events]


async def test_two_consumers_at_once_apply_each_event_once(producer: EventService, reader: EventService) -> None:
    handlers = {CREATED: in_order(write_down)}
    events = await write(producer, *map(str, range(40)))
    consumers = [consumer_of(reader, producer, handlers, batch_size=3) for _ in range(4)]
    await asyncio.gather(*(consumer.read_to_head() for consumer in consumers))
    assert Counter(row["name"] for row in await things(reader)) == Counter(events)


async def test_events_that_never_apply_are_put_away_and_the_others_go_on(
    producer: EventService, reader: EventService
) -> None:
    await write(producer, *map(str, range(30)), "forbidden", *map(str, range(30)))
    assert await consumer_of(reader, producer).read_to_head() == Position(1, 61)
    assert len(await things(reader)) == 60
    (bad,) = await held(reader)
    assert (bad["code"], bad["attempts"], bad["event"]["data"]["title"]) == ("title-forbidden", 1, "forbidden")
    assert (await state(reader)).quarantined == 1


async def test_what_was_put_away_is_tried_again_on_request(producer: EventService, reader: EventService) -> None:
    events = await write(producer, "forbidden")
    await consumer_of(reader, producer).read_to_head()
    (bad,) = await held(reader)
    path = f"/v1/quarantine/{bad['id']}/retry"
    refused = await reader.client.post(path)
    assert refused.status_code == 409
    assert (refused.json()["code"], refused.json()["reason_code"]) == ("still-refused", "title-forbidden")
    assert (await held(reader))[0]["attempts"] == 2
    other = await reader.client.post(path, headers={"Authorization": "Bearer other"})
    assert other.status_code == 404

    key = {"Idempotency-Key": "once"}
    assert (await reader.client.post(path, headers=key)).status_code == 409
    async with service_on_same(reader, {CREATED: in_order(write_down)}) as repaired:
        first, again = [await repaired.client.post(path, headers=key) for _ in range(2)]
    assert (first.status_code, again.status_code, again.text) == (200, 200, first.text)
    assert [answer.headers.get("Idempotency-Replayed") for answer in (first, again)] == [None, "true"]
    assert [row["name"] for row in await things(reader)] == events
    assert await held(reader) == []
    applied = (await reader.client.get("/v1/quarantine?applied=true")).json()["items"]
    assert [item["event_id"] for item in applied] == events


@asynccontextmanager
async def service_on_same(service: EventService, handlers: Handlers) -> AsyncIterator[EventService]:
    """The next release of a service, on the same database."""
    yield EventService(service.pools, handlers)


async def test_a_token_of_every_organisation_tries_again_for_any(producer: EventService, reader: EventService) -> None:
    await write(producer, "forbidden")
    await consumer_of(reader, producer).read_to_head()
    (bad,) = await held(reader)
    everyone = {"Authorization": "Bearer *", "Idempotency-Key": "once"}
    async with service_on_same(reader, {CREATED: in_order(write_down)}) as repaired:
        assert (await repaired.client.post(f"/v1/quarantine/{bad['id']}/retry", headers=everyone)).status_code == 200
    assert len(await things(reader)) == 1


async def test_quarantine_is_listed_page_by_page(producer: EventService, reader: EventService) -> None:
    events = await write(producer, *["forbidden"] * 5)
    await consumer_of(reader, producer).read_to_head()
    seen, path = [], "/v1/quarantine?limit=2"
    while path:
        page = await reader.client.get(path)
        seen += [item["event_id"] for item in page.json()["items"]]
        path = page.links.get("next", {}).get("url", "")
    assert seen == events


async def test_a_bad_release_stops_with_nothing_lost(producer: EventService, reader: EventService) -> None:
    await write(producer, *["fine"] * 15, *["forbidden"] * 5, *["fine"] * 15)
    consumer = consumer_of(reader, producer)
    leases = Leases(reader.pools.worker)
    async with running(lambda stop: consumer.run(leases, stop)):
        await until(lambda: says_stopped(reader))
    stopped = await state(reader)
    assert stopped.stopped_because == "14% of the last 35 events could not be applied"
    assert stopped.position == Position(1, 0)
    assert await things(reader) == []
    assert await held(reader) == []
    tolerant = consumer_of(reader, producer, quarantined_share_max=0.5)
    await tolerant.read_to_head()
    assert len(await held(reader)) == 5
    assert (await state(reader)).stopped_because is None


async def says_stopped(reader: EventService) -> bool:
    async with reader.pools.worker.begin(WORKER) as tx:
        return any(one.stopped_because for one in await progress(tx))


async def test_a_passing_failure_puts_nothing_away(producer: EventService, reader: EventService) -> None:
    failures = [asyncpg.DeadlockDetectedError("locked"), ConnectionResetError(), TimeoutError()]

    async def weather(tx: Transaction, events: list[Event]) -> None:
        if failures:
            raise failures.pop()
        await write_down(tx, events)

    events = await write(producer, "a", "b")
    consumer = consumer_of(reader, producer, {CREATED: in_order(weather)})
    async with running(lambda stop: consumer.run(Leases(reader.pools.worker), stop)):
        await until(lambda: has_things(reader, 2))
    assert [row["name"] for row in await things(reader)] == events
    assert await held(reader) == []


async def has_things(reader: EventService, count: int) -> bool:
    return await count_of(reader) >= count


async def count_of(reader: EventService) -> int:
    async with reader.pools.worker.begin(ACME) as tx:
        count: int = await tx.connection.fetchval("SELECT count(*) FROM thing")
        return count


async def test_a_log_of_a_new_epoch_is_read_again_and_what_is_missing_is_told(
    producer: EventService, reader: EventService, new_database: Callable[[str], Addresses]
) -> None:
    leftovers: list[tuple[str, list[str]]] = []

    async def withdraw(tx: Transaction, epoch: int) -> None:
        rows = await tx.connection.fetch("SELECT name FROM thing WHERE external_source < $1", f"{epoch:010d}")
        leftovers.append((tx.caller.org, [row["name"] for row in rows]))

    await write(producer, "kept", "lost")
    await write(producer, "other", caller=OTHER)
    await consumer_of(reader, producer).read_to_head()

    restored_addresses = new_database(SAMPLE)
    async with service_on(restored_addresses) as restored:
        await copy_events(producer, restored_addresses, count=1)
        await write(restored, "new one")
        consumer = consumer_of(reader, restored, batch_size=1, reconcile=withdraw)
        assert await consumer.read_to_head() == Position(2, 2)
    assert {row["name"] for row in await things(reader)} == {"kept", "lost", "new one"}
    assert leftovers == [("acme", ["lost"]), ("other", ["other"])]
    assert not (await state(reader)).rereading


async def copy_events(source: EventService, to: Addresses, *, count: int) -> None:
    """Make another database what the source's was after its first events, restored: in the next epoch."""
    worker = await source.pools.worker.connect()
    rows = await worker.fetch("SELECT * FROM event_log ORDER BY position LIMIT $1", count)
    await worker.close()
    owner = await asyncpg.connect(**connect_arguments(to.owner))
    try:
        await owner.copy_records_to_table("event_log_0000000000", records=[tuple(row.values()) for row in rows])
        await owner.execute("UPDATE event_head SET position = $1", count)
        await owner.execute("SELECT raise_event_epoch()")
    finally:
        await owner.close()


async def test_duplicates_and_late_events_change_nothing(producer: EventService, reader: EventService) -> None:
    written = await add_note(producer.pools.runtime, ACME, title="old")
    async with producer.pools.runtime.begin(ACME) as tx:
        await update_one(tx, NOTES, id_of(written), {"title": "new"})
    await producer.sequence()
    events = (await producer.as_sibling().read(Position(1, 0))).events
    for batch in ([events[1]], [events[0]], [events[1], events[0]], events, events * 2):
        async with reader.pools.worker.begin(ACME) as tx:
            await project(tx, batch)
        assert [(row["name"], row["version"]) for row in await things(reader)] == [("new", 2)]


async def test_the_progress_says_how_far_behind_one_is(producer: EventService, reader: EventService) -> None:
    await write(producer, "a", "b")
    consumer = consumer_of(reader, producer, batch_size=1)
    await consumer.read_to_head()
    now = await state(reader)
    assert (now.lag_positions, now.lag_seconds, now.position, now.head) == (0, 0.0, Position(1, 2), Position(1, 2))
    owner = await asyncpg.connect(**connect_arguments(reader.pools.worker.address))
    await owner.execute("UPDATE event_cursor SET head_position = 7, caught_up_at = now() - interval '1 minute'")
    await owner.execute("UPDATE event_cursor SET event_recorded_at = now() - interval '1 hour'")
    await owner.close()
    behind = await state(reader)
    assert behind.lag_positions == 5
    assert 59 < behind.lag_seconds < 65


async def test_a_new_projection_is_filled_beside_the_one_that_answers(
    producer: EventService, reader: EventService
) -> None:
    await write(producer, "a", "b")
    await consumer_of(reader, producer).read_to_head()
    calls = 0

    async def second(_tx: Transaction, events: list[Event]) -> None:
        nonlocal calls
        calls += len(events)

    await consumer_of(reader, producer, {CREATED: in_order(second)}, projection=2).read_to_head()
    assert calls == 2
    async with reader.pools.worker.begin(WORKER) as tx:
        assert [(one.projection, one.position.number) for one in await progress(tx)] == [(1, 2), (2, 2)]


@asynccontextmanager
async def over_http(service: EventService) -> AsyncIterator[str]:
    """Serve a service on a port of this machine and give its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(service.app, log_config=None, lifespan="off"))
    serving = asyncio.ensure_future(server.serve(sockets=[listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
        listening.close()


async def test_nothing_is_missed_or_doubled_while_consumers_are_killed(
    producer: EventService, reader: EventService, addresses: Addresses
) -> None:
    expected: list[str] = []

    async def write_on(stop: asyncio.Event) -> None:
        while not stop.is_set():
            expected.append(str((await add_note(producer.pools.runtime, ACME)).event_id))
            await asyncio.sleep(0.02)

    sequencer = Sequencer(producer.pools.worker)
    async with over_http(producer) as url, running(sequencer.run):
        settings = {"worker": worker_of(addresses), "url": url}
        async with running(write_on):
            for kill in range(3):
                before = await count_of(reader)
                with background("consumer", **settings), background("consumer", **settings):
                    await until(partial(has_things, reader, before + 1), seconds=60)
                    await asyncio.sleep(0.05 * kill)
        with background("consumer", **settings):
            await until(lambda: has_things(reader, len(expected)), seconds=60)
    assert Counter(row["name"] for row in await things(reader)) == Counter(expected)
