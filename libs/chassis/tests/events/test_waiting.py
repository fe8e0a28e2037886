import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from uuid import UUID

import asyncpg
import pytest
from fastapi import Depends, FastAPI
from starlette.requests import Request

from chassis import ids
from chassis.caller import Caller
from chassis.database import connect_arguments
from chassis.events.consumer import Consumer
from chassis.events.handling import in_order
from chassis.events.leases import Leases
from chassis.events.position import Position
from chassis.events.sequencer import Sequencer
from chassis.events.waiting import OwnWrites, parse
from chassis.http.idempotency import CALLER
from chassis.rejection import Rejection
from chassis.testkit.background import count
from chassis.testkit.clients import client_of
from chassis.testkit.databases import Addresses
from chassis.testkit.eventing import EventService, running, service_on
from chassis.testkit.sample.notes import add_note

ACME = Caller(org="acme", subject="ada")
HANDLERS = {"tandem.note.created.v1": in_order(count)}


@pytest.fixture
async def reader(addresses: Addresses) -> AsyncIterator[EventService]:
    async with service_on(addresses) as one:
        yield one


@pytest.fixture
async def own_writes(producer: EventService, reader: EventService) -> OwnWrites:
    return OwnWrites(reader.pools.runtime, {"producer": producer.as_sibling()})


async def refusal_of(own_writes: OwnWrites, header: str, seconds: float = 0.2) -> Rejection:
    with pytest.raises(Rejection) as refused:
        await own_writes.wait(parse(header), ACME.org, seconds)
    return refused.value


async def test_a_read_waits_until_the_write_has_arrived(
    producer: EventService, reader: EventService, own_writes: OwnWrites
) -> None:
    consumer = Consumer(reader.pools.worker, producer.as_sibling(), HANDLERS)
    leases, sequencer = Leases(reader.pools.worker), Sequencer(producer.pools.worker)
    async with (
        running(producer.watcher.run),
        running(sequencer.run),
        running(lambda stop: consumer.run(leases, stop)),
    ):
        first = await add_note(producer.pools.runtime, ACME)
        second = await add_note(producer.pools.runtime, ACME)
        waiting = asyncio.ensure_future(
            own_writes.wait(parse(f"producer/{first.event_id}, producer/{second.event_id}"), ACME.org, 5)
        )
        await waiting
        async with reader.pools.worker.begin(ACME) as tx:
            assert await tx.connection.fetchval("SELECT count(*) FROM thing") == 2


async def test_what_is_not_read_in_time_is_unavailable_for_now(producer: EventService, own_writes: OwnWrites) -> None:
    written = await add_note(producer.pools.runtime, ACME)
    started = time.perf_counter()
    pending = await refusal_of(own_writes, f"producer/{written.event_id}")
    assert (pending.kind, pending.code, pending.retry_after_seconds) == ("unavailable", "not-caught-up", 1)
    await producer.sequence()
    assert (await refusal_of(own_writes, f"producer/{written.event_id}", 0)).code == "not-caught-up"
    assert time.perf_counter() - started < 5


async def test_unknown_events_and_services_are_told(own_writes: OwnWrites) -> None:
    for header in (f"producer/{ids.new_id()}", f"nobody/{ids.new_id()}"):
        refusal = await refusal_of(own_writes, header)
        assert (refusal.kind, refusal.code) == ("invalid", "unknown-event")


async def test_an_event_of_another_organisation_is_unknown(producer: EventService, own_writes: OwnWrites) -> None:
    written = await add_note(producer.pools.runtime, replace(ACME, org="rival"))
    for _ in ("pending", "logged"):
        refusal = await refusal_of(own_writes, f"producer/{written.event_id}")
        assert (refusal.kind, refusal.code) == ("invalid", "unknown-event")
        await producer.sequence()


async def test_what_is_no_longer_kept_counts_as_read(
    reader: EventService, new_database: Callable[[str], Addresses]
) -> None:
    old = ids.new_id()
    addresses = new_database("chassis.testkit.sample")
    owner = await asyncpg.connect(**connect_arguments(addresses.owner))
    await owner.execute("UPDATE event_head SET kept_from = 9, kept_since = now() + interval '1 second'")
    await owner.close()
    async with service_on(addresses) as shortened:
        own_writes = OwnWrites(reader.pools.runtime, {"producer": shortened.as_sibling()})
        await own_writes.wait(parse(f"producer/{old}"), ACME.org, 0)
        made_up = await refusal_of(own_writes, f"producer/{UUID(int=2**128 - 1)}")
        assert made_up.code == "unknown-event"


@pytest.mark.parametrize("header", ["", "producer", "producer/1", "producer/,", ",".join(["a/b"] * 30)])
def test_a_malformed_header_is_refused(header: str) -> None:
    with pytest.raises(Rejection) as refused:
        parse(header)
    assert refused.value.faults[0].pointer == "After-Event"


async def test_a_route_takes_it_as_a_dependency(
    producer: EventService, reader: EventService, own_writes: OwnWrites
) -> None:
    known = await add_note(producer.pools.runtime, ACME)
    await producer.sequence()
    async with running(
        lambda stop: Consumer(reader.pools.worker, producer.as_sibling(), HANDLERS).run(
            Leases(reader.pools.worker), stop
        )
    ):
        await own_writes.wait(parse(f"producer/{known.event_id}"), ACME.org, 5)

    async def asked_by_acme(request: Request) -> None:
        request.scope[CALLER] = ACME

    app = FastAPI()

    @app.get("/v1/things", dependencies=[Depends(asked_by_acme), Depends(own_writes)])
    async def list_things() -> list[str]:
        return []

    async with client_of(app) as client:
        assert (await client.get("/v1/things")).json() == []
        with pytest.raises(Rejection, match="no such event"):
            await client.get("/v1/things", headers={"After-Event": f"producer/{ids.new_id()}"})
        twice = [("After-Event", f"producer/{known.event_id}"), ("After-Event", f"producer/{ids.new_id()}")]
        for named in (twice, twice[::-1]):
            with pytest.raises(Rejection, match="no such event"):
                await client.get("/v1/things", headers=[*named, ("Prefer", "wait=0")])
    assert reader.pools.runtime.in_use == 0


async def test_positions_of_two_epochs_do_not_compare() -> None:
    assert str(Position(2, 5)) == "0000000002.0000000000000000005"
    assert Position.parse("2.5") == Position.parse(str(Position(2, 5)))
    for wrong in ("", "5", "1.", ".5", "1.5 ", "+1.5", "99999999999.1", "4294967296.1", "1.9999999999999999999"):
        with pytest.raises(ValueError, match="position"):
            Position.parse(wrong)
