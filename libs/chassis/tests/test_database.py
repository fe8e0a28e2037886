"""Transactions that exclude one another, and those whose server goes away."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import func, select

from chassis import ids
from chassis.caller import IdempotencyKey
from chassis.database import Database, Statement
from chassis.reading import get_to_change
from chassis.rejection import Rejection
from chassis.testkit.databases import Pools
from chassis.testkit.sample.notes import a_caller, add_note, id_of, note_values
from chassis.testkit.sample.tables import NOTES, note
from chassis.writing import insert_one, update_one


def raising(sqlstate: str) -> str:
    return f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{sqlstate}'; END $$"


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


async def test_a_change_is_never_told_to_be_before_the_one_it_waited_for(notes_pools: Pools) -> None:
    caller = a_caller()
    id_ = id_of(await add_note(notes_pools.runtime, caller))
    async with notes_pools.runtime.begin(caller) as early:
        begun = early.now
        async with notes_pools.runtime.begin(caller) as late:
            await get_to_change(late, NOTES, id_)
            await update_one(late, NOTES, id_, {"title": "late"})
        row = await get_to_change(early, NOTES, id_)
        assert early.now == row["updated_at"] > begun
        await update_one(early, NOTES, id_, {"title": "early"})
        assert (await get_to_change(early, NOTES, id_))["updated_at"] == row["updated_at"]


@pytest.mark.parametrize("reads", [True, False])
async def test_a_server_that_goes_away_is_told_as_such(notes_pools: Pools, *, reads: bool) -> None:
    caller, database = a_caller(), notes_pools.runtime

    async def ask() -> None:
        async with database.read(caller) if reads else database.begin(caller) as tx:
            async with database.begin(caller) as other:
                await other.connection.execute(f"SELECT pg_terminate_backend({tx.connection.get_server_pid()}, 5000)")
            await tx.value(_COUNT)

    with pytest.raises(Rejection) as refused:
        await ask()
    assert (refused.value.kind, refused.value.code) == ("unavailable", "database-unavailable")
    assert database.in_use == 0
    async with database.begin(caller) as tx:
        assert await tx.value(_COUNT) == 0


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        (raising("53100"), "database-unavailable"),  # the disk is full
        (raising("57P01"), "database-unavailable"),  # the server is stopped
        (raising("58030"), "database-unavailable"),  # the disk is broken
        (raising("25006"), "database-unavailable"),  # the server is a standby by now
        ("SET LOCAL statement_timeout = 20; SELECT pg_sleep(2)", "took-too-long"),
    ],
)
async def test_what_the_server_cannot_do_now_may_be_tried_again(notes_pools: Pools, statement: str, code: str) -> None:
    with pytest.raises(Rejection) as refused:
        async with notes_pools.runtime.begin(a_caller()) as tx:
            await tx.connection.execute(statement)
    assert (refused.value.kind, refused.value.code, refused.value.retry_after_seconds) == ("unavailable", code, 1)
    assert notes_pools.runtime.in_use == 0


async def test_a_mistake_of_ours_stays_one(notes_pools: Pools) -> None:
    with pytest.raises(asyncpg.UndefinedTableError):
        async with notes_pools.runtime.begin(a_caller()) as tx:
            await tx.connection.execute("SELECT FROM nowhere")
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        async with notes_pools.runtime.begin(a_caller(), read_only=True) as tx:
            await insert_one(tx, NOTES, note_values())
    with pytest.raises(FileNotFoundError):
        async with notes_pools.runtime.begin(a_caller()):
            raise FileNotFoundError("of ours")


@pytest.mark.parametrize("wrong", [{"password": "guessed"}, {"name": "nowhere"}, {"host": "/nowhere"}])
async def test_a_database_that_lets_nobody_in_is_away(notes_pools: Pools, wrong: dict[str, Any]) -> None:
    database = Database(replace(notes_pools.runtime.address, **wrong), size=1)
    with pytest.raises(Rejection) as refused:
        async with database.begin(a_caller()):
            pass
    assert refused.value.code == "database-unavailable"


async def test_a_server_that_answers_nothing_any_more_is_given_up(notes_pools: Pools, tmp_path: Path) -> None:
    address = notes_pools.runtime.address
    proxy = Proxy(f"{address.host}/.s.PGSQL.{address.port}")
    async with await asyncio.start_unix_server(proxy.carry, tmp_path / f".s.PGSQL.{address.port}"):
        database = Database(replace(address, host=str(tmp_path)), size=2, answer_seconds=0.3)
        async with database.begin(a_caller()), database.begin(a_caller()) as tx:
            assert await tx.value(_COUNT) == 0
        proxy.swallow()
        with pytest.raises(Rejection) as refused:
            async with database.begin(a_caller()) as tx:
                pass
        assert refused.value.code == "database-unavailable"
        async with asyncio.timeout(0.3), database.begin(a_caller()) as tx:  # the other one is not tried any more
            assert await tx.value(_COUNT) == 0
        await database.close()
        proxy.end()


class Proxy:
    """What stands between a client and a server, and can let the connections there are lie dead."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._carrying: list[asyncio.Task[None]] = []
        self._writers: list[asyncio.StreamWriter] = []

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry what two say to one another."""
        answers, questions = await asyncio.open_unix_connection(self._server)
        self._writers += [writer, questions]
        self._carrying += [asyncio.ensure_future(copy(reader, questions)), asyncio.ensure_future(copy(answers, writer))]

    def swallow(self) -> None:
        """Carry nothing more of what has begun."""
        for task in self._carrying:
            task.cancel()

    def end(self) -> None:
        """Close everything."""
        self.swallow()
        for writer in self._writers:
            writer.close()


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65_536):
        writer.write(piece)
        await writer.drain()
