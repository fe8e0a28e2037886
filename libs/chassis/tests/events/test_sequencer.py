import asyncio
import subprocess
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from chassis import ids
from chassis.caller import Caller
from chassis.database import Database, connect_arguments
from chassis.events.sequencer import Sequencer
from chassis.reading import get_to_change
from chassis.testkit.databases import Addresses
from chassis.testkit.eventing import EventService, background, running, until, worker_of
from chassis.testkit.sample.notes import add_note, id_of
from chassis.testkit.sample.tables import NOTES
from chassis.writing import update_one

ACME = Caller(org="acme", subject="ada")
WRITERS = 32
KILLS = 4


class ChangeOfMindError(Exception):
    pass


async def change(pool: Database, note: UUID, title: str, *, take_back: bool) -> UUID | None:
    """Change a note that others change too, perhaps only to roll it back; return the event if it took effect."""
    try:
        async with pool.begin(ACME) as tx:
            await get_to_change(tx, NOTES, note)
            written = await update_one(tx, NOTES, note, {"title": title})
            if take_back:
                raise ChangeOfMindError  # noqa: TRY301  (what leaves the block rolls it back)
    except ChangeOfMindError:
        return None
    return written.event_id


async def write_on(pool: Database, notes: list[UUID], seed: int, stop: asyncio.Event) -> list[UUID]:
    events: list[UUID] = []
    choice = Random(seed)  # noqa: S311  (no secret)
    while not stop.is_set():
        take_back = choice.random() < 0.1
        event = await change(pool, choice.choice(notes), f"{seed}.{len(events)}", take_back=take_back)
        if event is not None:
            events.append(event)
        await asyncio.sleep(0.05)
    return events


async def the_log(service: EventService) -> list[Any]:
    async with service.pools.worker.begin(Caller(org="", subject="test")) as tx:
        rows: list[Any] = await tx.connection.fetch(
            "SELECT position, id, subject, aggregateversion FROM event_log ORDER BY position"
        )
        return rows


async def logged(service: EventService) -> int:
    async with service.pools.worker.begin(Caller(org="", subject="test")) as tx:
        count: int = await tx.connection.fetchval("SELECT count(*) FROM event_log")
        return count


async def logged_more(service: EventService, before: int) -> bool:
    return await logged(service) > before


async def nothing_pending(service: EventService) -> bool:
    async with service.pools.worker.begin(Caller(org="", subject="test")) as tx:
        return not await tx.connection.fetchval("SELECT EXISTS (SELECT FROM event_pending)")


def check_order(rows: list[Any]) -> None:
    """No gap between positions, no step missing or swapped within a resource."""
    assert [row["position"] for row in rows] == list(range(1, len(rows) + 1))
    versions = defaultdict(list)
    for row in rows:
        versions[row["subject"]].append(row["aggregateversion"])
    for steps in versions.values():
        assert steps == list(range(1, len(steps) + 1))


async def test_nothing_is_lost_doubled_or_reordered_while_sequencers_are_killed(
    addresses: Addresses, service: EventService
) -> None:
    async with addresses.pools(WRITERS) as pools:
        first = [await add_note(pools.runtime, ACME) for _ in range(10)]
        notes = [id_of(written) for written in first]
        expected = {written.event_id for written in first}
        stop = asyncio.Event()
        writing = asyncio.gather(*(write_on(pools.runtime, notes, seed, stop) for seed in range(WRITERS)))
        for kill in range(KILLS):
            before = await logged(service)
            with (
                background("sequencer", worker=worker_of(addresses), batch_size=7),
                background("sequencer", worker=worker_of(addresses), batch_size=13),
            ):
                await until(partial(logged_more, service, before))
                await asyncio.sleep(0.011 * kill)
        stop.set()
        for events in await writing:
            expected |= set(events)
    await service.sequence()
    rows = await the_log(service)
    assert {row["id"] for row in rows} == expected
    assert len(rows) == len(expected)
    check_order(rows)


async def test_an_open_transaction_of_one_database_delays_nobody(
    service: EventService, new_database: Callable[[str], Addresses]
) -> None:
    elsewhere = await asyncpg.connect(**connect_arguments(new_database("chassis.testkit.sample").owner))
    here = await asyncpg.connect(**connect_arguments(service.pools.runtime.address))
    try:
        await elsewhere.execute("BEGIN; INSERT INTO lease VALUES ('open', 'x', 1, now())")
        await here.execute("BEGIN; SET LOCAL app.org = 'acme'")
        await here.execute(
            """INSERT INTO event_pending (id, org, type, subject, time, partitionkey, data)
            VALUES (gen_random_uuid(), 'acme', 'tandem.open.v1', 'opens/1', now(), gen_random_uuid(), '{}')"""
        )
        for _ in range(3):
            await add_note(service.pools.runtime, ACME)
        assert await service.sequence() == 3
        await here.execute("COMMIT")
        assert await service.sequence() == 1
        assert [row["subject"] for row in await the_log(service)][3] == "opens/1"
    finally:
        await elsewhere.close()
        await here.close()


async def test_a_sequencer_leaves_the_turn_to_the_one_that_holds_the_head(service: EventService) -> None:
    await add_note(service.pools.runtime, ACME)
    holder = await service.pools.worker.connect()
    other = await service.pools.worker.connect()
    try:
        async with holder.transaction():
            await holder.execute("SELECT FROM event_head FOR UPDATE")
            assert await Sequencer(service.pools.worker).turn(other) == 0
        assert await Sequencer(service.pools.worker).turn(other) == 1
    finally:
        await holder.close()
        await other.close()


async def test_a_sequencer_survives_the_loss_of_its_connection(addresses: Addresses, service: EventService) -> None:
    owner = await asyncpg.connect(**connect_arguments(addresses.owner))  # whom the killer spares
    sequencer = Sequencer(service.pools.worker)

    async def all_have_positions() -> bool:
        return not await owner.fetchval("SELECT EXISTS (SELECT FROM event_pending)")

    try:
        async with running(sequencer.run):
            for _ in range(3):
                await add_note(service.pools.runtime, ACME)
                await until(all_have_positions)
                killer = await asyncpg.connect(**connect_arguments(addresses.worker))
                await killer.execute(
                    """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE usename = current_user AND datname = current_database() AND pid <> pg_backend_pid()"""
                )
                await killer.close()
            await add_note(service.pools.runtime, ACME)
            await until(all_have_positions)
    finally:
        await owner.close()
    check_rows = await the_log(service)
    assert [row["position"] for row in check_rows] == [1, 2, 3, 4]


async def test_partitions_are_made_ahead_and_dropped_behind(addresses: Addresses, service: EventService) -> None:
    owner = await asyncpg.connect(**connect_arguments(addresses.owner))
    try:
        await owner.execute("UPDATE event_head SET position = 2999998")
        await owner.execute("SELECT ensure_event_partitions()")
        await add_note(service.pools.runtime, ACME)
        sequencer = Sequencer(service.pools.worker, batch_size=2)
        worker = await service.pools.worker.connect()
        assert await sequencer.turn(worker) == 1
        assert sequencer.partitions_due_at == 3_000_000
        for _ in range(3):
            await add_note(service.pools.runtime, ACME)
        assert await sequencer.turn(worker) == 2
        assert sequencer.partitions_due_at == 4_000_000
        assert await sequencer.turn(worker) == 1
        partitions = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'event_log'::regclass"
        assert await owner.fetchval(partitions) == 6
        assert await worker.fetchval("SELECT drop_event_partitions(3000001)") == 3
        await worker.close()
        assert await owner.fetchval("SELECT kept_from FROM event_head") == 3_000_000
        assert await owner.fetchval("SELECT kept_since IS NOT NULL FROM event_head")
        assert [row["position"] for row in await the_log(service)] == [3_000_000, 3_000_001, 3_000_002]
    finally:
        await owner.close()


async def test_the_last_partition_is_never_dropped(service: EventService) -> None:
    await add_note(service.pools.runtime, ACME)
    await service.sequence()
    async with service.pools.worker.begin(ACME) as tx:
        assert await tx.connection.fetchval("SELECT drop_event_partitions(9000000)") == 0
    assert len(await the_log(service)) == 1


@pytest.mark.parametrize("events", [1, 2500])
async def test_each_turn_moves_no_more_than_a_batch(service: EventService, events: int) -> None:
    async with service.pools.runtime.begin(ACME) as tx:
        await tx.connection.executemany(
            """INSERT INTO event_pending (id, org, type, subject, time, partitionkey, data)
            VALUES ($1, 'acme', 'tandem.many.v1', 'many/1', now(), $1, '{}')""",
            [(ids.new_id(),) for _ in range(events)],
        )
    connection = await service.pools.worker.connect()
    try:
        sequencer, turns = Sequencer(service.pools.worker), []
        while turn := await sequencer.turn(connection):
            turns.append(turn)
    finally:
        await connection.close()
    assert sum(turns) == events
    assert max(turns) <= 1000


def test_the_background_process_is_a_real_one(addresses: Addresses) -> None:
    with background("sequencer", worker=worker_of(addresses)) as process:
        assert isinstance(process, subprocess.Popen)
        assert process.poll() is None
    assert process.returncode == -9
