import asyncio
import json
from datetime import UTC, datetime
from decimal import Decimal

import asyncpg
import pytest

from chassis.caller import Caller
from chassis.keys import command, conclude
from chassis.outcome import Written
from chassis.reading import find_to_change, get
from chassis.rejection import Rejection
from chassis.testkit.databases import Pools
from chassis.testkit.sample.notes import a_caller, add_note, id_of
from chassis.testkit.sample.tables import NOTES
from chassis.writing import delete_one, revise, update_one


async def events(pools: Pools, caller: Caller) -> list[dict[str, object]]:
    async with pools.worker.begin(caller) as tx:
        rows = await tx.connection.fetch(
            "SELECT type, subject, aggregateversion, correlationid, time, data::text AS data"
            " FROM event_pending WHERE org = $1 ORDER BY seq",
            caller.org,
        )
    return [dict(row) for row in rows]


async def test_a_create_answers_what_it_wrote_and_leaves_one_event_that_says_the_same(notes_pools: Pools) -> None:
    caller = a_caller()
    written = await add_note(
        notes_pools.runtime,
        caller,
        title="it's",
        starts_at=datetime(2026, 1, 1, tzinfo=UTC),
        weight=Decimal("1.50"),
        price_amount=Decimal("12.5"),
        price_currency="EUR",
        tags=["a", {"b": 1}],
    )
    shown = json.loads(written.body)
    assert shown["title"] == "it's"
    assert shown["starts_at"] == "2026-01-01T00:00:00Z"
    assert shown["weight"] == "1.5"
    assert shown["price"] == {"amount": "12.5000", "currency": "EUR"}
    assert shown["tags"] == ["a", {"b": 1}]
    assert written.location == f"notes/{written.id}"
    (event,) = await events(notes_pools, caller)
    assert event["type"] == "tandem.note.created.v1"
    assert event["subject"] == f"notes/{written.id}"
    assert event["aggregateversion"] == 1
    assert event["correlationid"] == "first-request"
    assert event["data"] == written.body


async def test_an_update_steps_the_version_and_its_event_tells_the_change(notes_pools: Pools) -> None:
    caller = a_caller()
    written = await add_note(notes_pools.runtime, caller)
    at = datetime(2026, 2, 3, 4, 5, 6, 700000, tzinfo=UTC)
    async with command(notes_pools.runtime, caller) as tx:
        changed = await conclude(
            tx,
            await update_one(
                tx, NOTES, id_of(written), {"title": "b"}, expected=1, verb="renamed", at=at, change={"to": "b"}
            ),
        )
    assert (changed.version, changed.created) == (2, False)
    event = (await events(notes_pools, caller))[-1]
    assert event["type"] == "tandem.note.renamed.v1"
    assert event["time"] == at
    assert json.loads(str(event["data"])) == json.loads(changed.body) | {"change": {"to": "b"}}


async def test_a_stale_version_is_refused_with_the_newest_and_leaves_nothing(notes_pools: Pools) -> None:
    caller = a_caller()
    written = await add_note(notes_pools.runtime, caller)
    with pytest.raises(Rejection) as refused:
        async with command(notes_pools.runtime, caller) as tx:
            await update_one(tx, NOTES, id_of(written), {"title": "b"}, expected=7)
    assert refused.value.kind == "stale"
    assert refused.value.current == (written.body, 1)
    assert len(await events(notes_pools, caller)) == 1


async def test_what_is_equal_already_has_no_new_version_and_no_event(notes_pools: Pools) -> None:
    caller = a_caller()
    written = await add_note(notes_pools.runtime, caller, weight=Decimal(2))
    async with command(notes_pools.runtime, caller) as tx:
        row = await find_to_change(tx, NOTES, id_of(written))
        same = await revise(tx, NOTES, row, {"title": "a note", "weight": Decimal("2.0")})
        await conclude(tx, same)
    assert (same.version, same.event_id, same.body) == (1, None, written.body)
    assert len(await events(notes_pools, caller)) == 1


async def test_a_deletion_leaves_the_last_representation_in_its_event(notes_pools: Pools) -> None:
    caller = a_caller()
    written = await add_note(notes_pools.runtime, caller)
    async with command(notes_pools.runtime, caller) as tx:
        deleted = await conclude(tx, await delete_one(tx, NOTES, id_of(written), expected=1))
    assert (deleted.version, deleted.body) == (1, written.body), "the ETag is that of the representation answered"
    event = (await events(notes_pools, caller))[-1]
    assert (event["type"], event["aggregateversion"], event["data"]) == ("tandem.note.deleted.v1", 2, written.body)
    with pytest.raises(Rejection, match="no such note"):
        async with notes_pools.runtime.begin(caller, read_only=True) as tx:
            await get(tx, NOTES, id_of(written))


async def test_a_constraint_of_the_database_is_a_rejection_by_its_name(notes_pools: Pools) -> None:
    caller = a_caller()
    await add_note(notes_pools.runtime, caller, key="k", external_source="s", external_id="1")
    with pytest.raises(Rejection) as refused:
        await add_note(notes_pools.runtime, caller, key="k")
    assert refused.value.code == "key-taken"
    with pytest.raises(Rejection) as refused:
        await add_note(notes_pools.runtime, caller, external_source="s", external_id="1")
    assert refused.value.code == "external-id-taken"
    await add_note(notes_pools.runtime, a_caller(), key="k")


async def test_two_who_saw_the_same_version_have_one_winner(notes_pools: Pools) -> None:
    caller = a_caller()
    written = await add_note(notes_pools.runtime, caller)

    async def rename(title: str) -> Written | Rejection:
        try:
            async with command(notes_pools.runtime, caller) as tx:
                return await conclude(tx, await update_one(tx, NOTES, id_of(written), {"title": title}, expected=1))
        except Rejection as rejection:
            return rejection

    outcomes = await asyncio.gather(rename("a"), rename("b"))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Rejection", "Written"]
    assert [event["aggregateversion"] for event in await events(notes_pools, caller)] == [1, 2]


async def test_many_who_did_not_look_first_change_one_after_the_other(notes_pools: Pools) -> None:
    caller = a_caller()
    written = await add_note(notes_pools.runtime, caller)

    async def rename(title: str) -> Written:
        async with command(notes_pools.runtime, caller) as tx:
            return await conclude(tx, await update_one(tx, NOTES, id_of(written), {"title": title}))

    outcomes = await asyncio.gather(*(rename(f"t{number}") for number in range(20)))
    assert sorted(outcome.version or 0 for outcome in outcomes) == list(range(2, 22))
    assert [event["aggregateversion"] for event in await events(notes_pools, caller)] == list(range(1, 22))


async def test_a_write_without_a_version_step_cannot_commit(notes_pools: Pools) -> None:
    caller = a_caller()
    written = await add_note(notes_pools.runtime, caller)
    async with notes_pools.worker.begin(caller) as tx:
        await tx.connection.execute("UPDATE event_version SET version = 9 WHERE org = $1", caller.org)
    with pytest.raises(RuntimeError, match="out of step"):
        async with command(notes_pools.runtime, caller) as tx:
            await update_one(tx, NOTES, id_of(written), {"title": "b"})
    assert len(await events(notes_pools, caller)) == 1


async def test_a_failed_operation_leaves_the_pool_whole(notes_pools: Pools) -> None:
    caller = a_caller()
    for _ in range(2 * notes_pools.runtime.size):
        with pytest.raises(asyncpg.DivisionByZeroError):
            async with notes_pools.runtime.begin(caller) as tx:
                await tx.connection.fetchval("SELECT 1 / 0")
    sleeping = asyncio.create_task(sleep_in(notes_pools, caller))
    await asyncio.sleep(0.05)
    sleeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleeping
    await asyncio.gather(*(add_note(notes_pools.runtime, caller) for _ in range(3 * notes_pools.runtime.size)))
    assert notes_pools.runtime.in_use == 0


async def sleep_in(pools: Pools, caller: Caller) -> None:
    async with pools.runtime.begin(caller) as tx:
        await tx.connection.fetchval("SELECT pg_sleep(10)")
