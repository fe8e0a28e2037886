import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, cast
from uuid import UUID

import pytest

from chassis import ids
from chassis.caller import Caller
from chassis.database import Database
from chassis.events.consumer import Consumer
from chassis.events.position import Position
from chassis.events.receiving import Receiving
from chassis.events.sibling import FeedAwayError, Sibling
from chassis.testkit.databases import Addresses, Pools
from chassis.testkit.eventing import EventService, running, service_on, until
from kpi_engine.facts.in_force import filling_in_force
from kpi_engine.intake import reading as reading_module
from kpi_engine.intake.handlers import handlers_received
from kpi_engine.intake.reading import Reading

CATALOG = "service-catalog"
NOBODY = Caller(org="", subject="tests")


@pytest.fixture(scope="module")
def addresses(new_database: Callable[[str], Addresses]) -> Addresses:
    return new_database("kpi_engine")


@pytest.fixture
def log(new_database: Callable[[str], Addresses]) -> Addresses:
    return new_database("chassis.testkit.sample")


@pytest.fixture
async def catalog(log: Addresses) -> AsyncIterator[EventService]:
    async with service_on(log) as one:
        yield one


@pytest.fixture
async def fresh(new_database: Callable[[str], Addresses]) -> AsyncIterator[Pools]:
    async with new_database("kpi_engine").pools() as both:
        yield both


async def happen(service: EventService, org: str, noun: str, verb: str, data: dict[str, Any], version: int = 1) -> UUID:
    """Write an event as the catalogue would, and give it its position."""
    event_id = ids.new_id()
    async with service.pools.runtime.begin(Caller(org=org, subject="tests")) as tx:
        await tx.connection.execute(
            """INSERT INTO event_pending (id, org, type, subject, time, partitionkey, aggregateversion, data)
            VALUES ($1, $2, $3, $4, now(), $5, $6, $7)""",
            event_id,
            org,
            f"tandem.{noun}.{verb}.v1",
            f"{noun}s/{data['id']}",
            UUID(data["id"]),
            version,
            json.dumps(data),
        )
    await service.sequence()
    return event_id


def an_outage(**given: Any) -> dict[str, Any]:
    span = {"started_at": "2025-03-01T00:00:00Z", "ended_at": "2025-03-01T01:00:00Z"}
    return {
        "id": str(ids.new_id()),
        "service_id": str(ids.new_id()),
        "severity": "major",
        **span,
        "state": "ended",
    } | given


async def outages(pools: Pools, org: str) -> dict[UUID, int]:
    async with pools.worker.begin(Caller(org=org, subject="tests"), read_only=True) as tx:
        rows = await tx.connection.fetch(
            "SELECT id, projection FROM outage_fact JOIN projection_in_force USING (projection)"
        )
    return {row["id"]: row["projection"] for row in rows}


async def read(reading: Reading, filling: int = 1) -> None:
    consumer: Consumer
    (consumer,) = reading.consumers(filling, wait_seconds=0)
    await consumer.read_to_head()


async def test_a_sibling_is_read_and_what_is_not_of_interest_passed_over(
    catalog: EventService, fresh: Pools, org: str
) -> None:
    known = an_outage()
    await happen(catalog, org, "outage", "created", known)
    await happen(catalog, org, "widget", "created", {"id": str(ids.new_id())})
    reading = Reading(fresh.worker, {CATALOG: catalog.as_sibling(CATALOG)})
    async with running(reading.run):
        await until(lambda: outages(fresh, org))
        later = an_outage()
        await happen(catalog, org, "outage", "withdrawn", later)

        async def both() -> bool:
            return len(await outages(fresh, org)) == 2

        await until(both)
    assert set(await outages(fresh, org)) == {UUID(known["id"]), UUID(later["id"])}


async def test_an_event_that_cannot_be_applied_is_put_away_and_does_not_hold_up_the_rest(
    catalog: EventService, fresh: Pools, org: str
) -> None:
    good = [an_outage() for _ in range(25)]
    for number, one in enumerate(good):
        await happen(catalog, org, "outage", "created", one)
        if number == 12:
            await happen(catalog, org, "outage", "created", an_outage(severity="total"))
    await read(Reading(fresh.worker, {CATALOG: catalog.as_sibling(CATALOG)}))
    assert len(await outages(fresh, org)) == 25
    async with fresh.runtime.begin(Caller(org=org, subject="tests"), read_only=True) as tx:
        rows = await tx.connection.fetch("SELECT code, projection FROM quarantine")
    assert [tuple(row) for row in rows] == [("database-refuses", 1)]


async def test_rebuilding_fills_anew_while_the_old_facts_answer(
    catalog: EventService, fresh: Pools, org: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_module, "LOOK_SECONDS", 0.05)
    told = [an_outage() for _ in range(3)]
    for one in told:
        await happen(catalog, org, "outage", "created", one)
    reading = Reading(fresh.worker, {CATALOG: catalog.as_sibling(CATALOG)})
    await read(reading)
    async with fresh.worker.begin(Caller(org=org, subject="tests")) as tx:
        await tx.connection.execute("DELETE FROM outage_fact WHERE id = $1", UUID(told[0]["id"]))
    assert len(await outages(fresh, org)) == 2
    assert await reading.rebuild() == 2
    assert set((await outages(fresh, org)).values()) == {2}
    assert len(await outages(fresh, org)) == 3

    async def cleared() -> bool:
        async with fresh.worker.begin(Caller(org=org, subject="tests"), read_only=True) as tx:
            left = await tx.connection.fetchval("SELECT count(*) FROM outage_fact WHERE projection = 1")
            cursors = await tx.connection.fetchval("SELECT count(*) FROM event_cursor WHERE projection = 1")
        return bool(left == 0 and cursors == 0)

    async with running(reading.run):
        await until(cleared)
        await happen(catalog, org, "outage", "created", an_outage())

        async def four() -> bool:
            return len(await outages(fresh, org)) == 4

        await until(four)


async def test_reading_follows_when_other_facts_answer(
    catalog: EventService, fresh: Pools, org: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_module, "LOOK_SECONDS", 0.05)
    await happen(catalog, org, "outage", "created", an_outage())
    reading = Reading(fresh.worker, {CATALOG: catalog.as_sibling(CATALOG)})
    async with running(reading.run):
        await until(lambda: outages(fresh, org))
        async with asyncio.timeout(20):
            assert await Reading(fresh.worker, {CATALOG: catalog.as_sibling(CATALOG)}).rebuild() == 2
        await happen(catalog, org, "outage", "created", an_outage())

        async def moved() -> bool:
            return sorted((await outages(fresh, org)).values()) == [2, 2]

        await until(moved)
    async with fresh.worker.begin(NOBODY, read_only=True) as tx:
        assert await filling_in_force(tx) == 2


class Failing:
    """A sibling that cannot be read for a moment, in the middle of its log."""

    name = CATALOG

    def __init__(self, sibling: Sibling) -> None:
        self._sibling = sibling
        self.failures = 0
        self.head = sibling.head

    async def read(self, after: Position, **asked: Any) -> Any:
        if after.number == 2 and not self.failures:
            self.failures += 1
            raise FeedAwayError("It answers 503.")
        return await self._sibling.read(after, **{**asked, "limit": 2})


async def test_rebuilding_waits_for_what_passes(catalog: EventService, fresh: Pools, org: str) -> None:
    for _ in range(3):
        await happen(catalog, org, "outage", "created", an_outage())
    sibling = catalog.as_sibling(CATALOG)
    await read(Reading(fresh.worker, {CATALOG: sibling}))
    failing = Failing(sibling)
    async with asyncio.timeout(20):
        assert await Reading(fresh.worker, {CATALOG: cast("Sibling", failing)}).rebuild() == 2
    assert (failing.failures, sorted((await outages(fresh, org)).values())) == (1, [2, 2, 2])


async def test_what_was_read_stays_read_when_other_facts_answer(
    catalog: EventService, fresh: Pools, org: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sibling = catalog.as_sibling(CATALOG)
    reading = Reading(fresh.worker, {CATALOG: sibling})
    await happen(catalog, org, "outage", "created", an_outage())
    await read(reading)
    passes = []
    to_head = reading_module._all_to_head

    async def and_then_more(consumers: Any) -> None:
        await to_head(consumers)
        passes.append(consumers)
        if len(passes) == 2:  # after the last look something more is read for the facts that answer
            await happen(catalog, org, "outage", "created", an_outage())
            await read(reading)

    monkeypatch.setattr(reading_module, "_all_to_head", and_then_more)
    assert await reading.rebuild() == 2
    assert (len(passes), sorted((await outages(fresh, org)).values())) == (3, [2, 2])


async def restore_to_the_first_event(log: Addresses) -> None:
    """Take back all that the sibling's log holds after its first event, as a restore from a backup does."""
    owner = Database(log.owner, size=1)
    async with owner.begin(NOBODY) as tx:
        await tx.connection.execute("DELETE FROM event_log WHERE position = 2")
        await tx.connection.execute("UPDATE event_head SET position = 1")
        await tx.connection.execute("SELECT raise_event_epoch()")
    await owner.close()


async def test_a_restored_sibling_is_read_again_and_what_it_lost_forgotten(
    catalog: EventService, log: Addresses, fresh: Pools, org: str
) -> None:
    kept, lost = an_outage(), an_outage()
    await happen(catalog, org, "outage", "created", kept)
    await happen(catalog, org, "outage", "created", lost)
    reading = Reading(fresh.worker, {CATALOG: catalog.as_sibling(CATALOG)})
    await read(reading)
    assert len(await outages(fresh, org)) == 2
    await restore_to_the_first_event(log)
    await read(reading)
    assert set(await outages(fresh, org)) == {UUID(kept["id"])}


async def test_what_a_restored_sibling_has_lost_does_not_come_back_late(
    catalog: EventService, log: Addresses, fresh: Pools, org: str
) -> None:
    kept, lost = an_outage(), an_outage()
    await happen(catalog, org, "outage", "created", kept)
    await happen(catalog, org, "outage", "created", lost)
    sibling = catalog.as_sibling(CATALOG)
    told = [event.model_copy(update={"source": CATALOG}) for event in (await sibling.read(Position(1, 0))).events]
    reading = Reading(fresh.worker, {CATALOG: sibling})
    await read(reading)
    await restore_to_the_first_event(log)
    await read(reading)
    late = await Receiving(fresh.runtime, fresh.worker, handlers_received).receive(
        Caller(org=org, subject="broker"), told
    )
    assert (late.applied, late.known) == (0, 2)
    assert set(await outages(fresh, org)) == {UUID(kept["id"])}
