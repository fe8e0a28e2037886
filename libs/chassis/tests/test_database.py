"""Transactions that exclude one another."""

import asyncio

import pytest
from sqlalchemy import func, select

from chassis import ids
from chassis.caller import IdempotencyKey
from chassis.database import Statement
from chassis.rejection import Rejection
from chassis.testkit.databases import Pools
from chassis.testkit.sample.notes import a_caller, note_values
from chassis.testkit.sample.tables import NOTES, note
from chassis.writing import insert_one

_COUNT = Statement(select(func.count()).select_from(note))


async def test_who_is_alone_sees_in_its_first_statement_what_the_one_before_left(notes_pools: Pools) -> None:
    caller, subject, begun, may_end = a_caller(), ids.new_id(), asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with notes_pools.runtime.begin(caller, alone_in=subject) as tx:
            begun.set()
            await may_end.wait()
            await insert_one(tx, NOTES, note_values())

    async def second() -> int:
        async with notes_pools.runtime.begin(caller, alone_in=subject) as tx:
            return int(await tx.value(_COUNT))

    writing = asyncio.create_task(first())
    await begun.wait()
    waiting = asyncio.create_task(second())
    async with notes_pools.runtime.begin(caller, alone_in=ids.new_id()) as tx:  # another is not in the way
        assert await tx.value(_COUNT) == 0
    assert not waiting.done()
    may_end.set()
    await writing
    assert await waiting == 1


async def test_who_may_not_wait_for_long_is_refused_as_busy(notes_pools: Pools) -> None:
    caller, subject = a_caller(), ids.new_id()
    hasty = caller.idempotent(IdempotencyKey("key", "/v1/notes", b"digest"))
    async with notes_pools.runtime.begin(caller, alone_in=subject):
        with pytest.raises(Rejection) as refused:
            async with notes_pools.runtime.begin(hasty, alone_in=subject):
                pass
    assert refused.value.code == "busy"


async def test_another_organisation_is_not_in_the_way(notes_pools: Pools) -> None:
    subject = ids.new_id()
    async with notes_pools.runtime.begin(a_caller(), alone_in=subject):
        hasty = a_caller().idempotent(IdempotencyKey("key", "/v1/notes", b"digest"))
        async with notes_pools.runtime.begin(hasty, alone_in=subject) as tx:
            assert await tx.value(_COUNT) == 0


async def test_of_two_that_wait_for_one_another_one_may_come_again(notes_pools: Pools) -> None:
    both = asyncio.Barrier(2)

    async def after_one_another(first: int, second: int) -> None:
        async with notes_pools.runtime.begin(a_caller()) as tx:
            await tx.connection.execute(f"SELECT pg_advisory_xact_lock({first})")
            await both.wait()
            await tx.connection.execute(f"SELECT pg_advisory_xact_lock({second})")

    ended = await asyncio.gather(after_one_another(1, 2), after_one_another(2, 1), return_exceptions=True)
    (refused,) = [error for error in ended if error is not None]
    assert isinstance(refused, Rejection)
    assert (refused.kind, refused.code, refused.retry_after_seconds) == ("unavailable", "deadlock", 1)
