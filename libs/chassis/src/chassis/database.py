"""SQLAlchemy's statements, run on asyncpg connections.

Statements are SQLAlchemy Core, compiled once when a module is loaded; a transaction then costs what the driver
costs. An operation that changes something opens exactly one transaction, and the organisation is set with its first
message, so row-level security judges every statement that follows. What is only read needs none: each statement
carries the organisation itself.
"""

import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from hashlib import blake2b
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
from pydantic_core import to_json
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.sql import ClauseElement

from chassis import clock
from chassis.addresses import DatabaseAddress
from chassis.caller import Caller
from chassis.pool import AWAY, Pool
from chassis.rejection import Overtaken, Rejection
from chassis.tracing import CURRENT, Recorded
from chassis.unfit import UnfitError

DIALECT = asyncpg_dialect(  # type: ignore[no-untyped-call]
    json_serializer=lambda value: to_json(value).decode()
)
STATEMENTS_KEPT = 1000
REPETITION_WAIT_MS = 1000  # how long a repeated request waits for the first one to end
_R = TypeVar("_R")
# Connection, resources, intervention of an operator, system: it is the server that has gone, goes or is full.
_CLASSES_OF_AWAY = ("08", "53", "57", "58")
TOO_SLOW = Rejection("unavailable", "took-too-long", "The database took too long for this.", retry_after_seconds=1)
_LOCKING = re.compile(r"\bFOR (NO KEY )?UPDATE\b|\bFOR (KEY )?SHARE\b|\bpg_advisory_")

# The organisation is set before the statement within looks for its first row: what refers to what stands beside it is
# evaluated after it, and OFFSET 0 keeps the planner from merging the two.
_FOR_ONE_ORGANISATION = """\
SELECT asked.* FROM (SELECT set_config('app.org', ${place}, true) AS org OFFSET 0) AS caller,
LATERAL (SELECT * FROM (
{statement}
) AS within WHERE caller.org = ${place} OFFSET 0) AS asked"""


class Statement:
    """A SQLAlchemy Core statement, compiled once; its values are given by the names of its bind parameters."""

    __slots__ = ("_defaults", "_names", "_processors", "for_one_organisation", "locks", "text")

    def __init__(self, clause: ClauseElement) -> None:
        compiled: Any = clause.compile(dialect=DIALECT)
        self.text = str(compiled)
        self._names: tuple[str, ...] = tuple(compiled.positiontup or ())
        self._defaults: dict[str, Any] = dict(compiled.params)
        self._processors: dict[str, Callable[[Any], Any]] = dict(compiled._bind_processors)  # noqa: SLF001
        self.locks = _LOCKING.search(self.text) is not None
        self.for_one_organisation = _FOR_ONE_ORGANISATION.format(place=len(self._names) + 1, statement=self.text)

    def arguments(self, values: dict[str, Any]) -> list[Any]:
        """Return the values in the order of the statement's placeholders, made ready for the driver."""
        known, processors, arguments = self._defaults, self._processors, []
        for name in self._names:
            value = values[name] if name in values else known[name]
            process = processors.get(name)
            arguments.append(process(value) if process else value)
        return arguments


class Reading:
    """Reads of one caller, each statement by itself: the organisation travels with it, in the same message."""

    __slots__ = ("caller", "connection", "now")

    def __init__(self, connection: Any, caller: Caller, now: datetime) -> None:
        self.connection = connection
        self.caller = caller
        self.now = now

    async def one(self, statement: Statement, **values: Any) -> Any:
        """Return the first row, or None."""
        return await self.connection.fetchrow(*self._asked(statement, values))

    async def value(self, statement: Statement, **values: Any) -> Any:
        """Return the first column of the first row, or None."""
        return await self.connection.fetchval(*self._asked(statement, values))

    async def all(self, statement: Statement, **values: Any) -> list[Any]:
        """Return all rows."""
        rows: list[Any] = await self.connection.fetch(*self._asked(statement, values))
        return rows

    def _asked(self, statement: Statement, values: dict[str, Any]) -> list[Any]:
        if statement.locks:
            raise RuntimeError("a lock would end with the statement that takes it: it needs a transaction")
        return [statement.for_one_organisation, *statement.arguments(values), self.caller.org]


class Transaction(Reading):
    """One open transaction, bound to the caller it is done for and to the instant it began at.

    The instant moves on to that of the newest change among the rows that are locked, so that none is before it.
    While it lasts, no other has begun that is `alone_in` the same.
    """

    __slots__ = ("alone_in", "concluded")

    def __init__(self, connection: Any, caller: Caller, now: datetime, alone_in: UUID | None = None) -> None:
        super().__init__(connection, caller, now)
        self.alone_in = alone_in
        self.concluded = False

    def not_before(self, *rows: Mapping[str, Any]) -> None:
        """Let the instant not be before the last change of rows that this transaction may have had to wait for."""
        self.now = max((self.now, *(row["updated_at"] for row in rows)))

    def _asked(self, statement: Statement, values: dict[str, Any]) -> list[Any]:
        return [statement.text, *statement.arguments(values)]

    async def run(self, statement: Statement, **values: Any) -> int:
        """Run a statement and return how many rows it touched."""
        status: str = await self.connection.execute(statement.text, *statement.arguments(values))
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo only what is done inside, if it fails."""
        await self.connection.execute("SAVEPOINT inner_step")
        try:
            yield
        except BaseException:
            await self.connection.execute("ROLLBACK TO SAVEPOINT inner_step")
            raise
        await self.connection.execute("RELEASE SAVEPOINT inner_step")

    async def act_for(self, org: str) -> None:
        """Let row-level security judge what follows as this organisation (workers serve many in a batch)."""
        await self.connection.execute(f"SET LOCAL app.org = {literal(org)}")


def literal(text: str) -> str:
    """Quote a string for use where PostgreSQL takes no placeholder."""
    return "'" + text.replace("'", "''") + "'"


def unnested(values: Sequence[Any]) -> Sequence[Any]:
    """Return the values of one column of several that are unnested together: nothing, if all are None.

    `unnest` fills up what is shorter than the longest; the driver looks at each value that is sent.
    """
    return () if values and values[0] is None and values.count(None) == len(values) else values


def lock_number(org: str, id_: UUID) -> int:
    """Return the advisory lock of an organisation's resource: another's of the same id has another."""
    return int.from_bytes(blake2b(org.encode() + id_.bytes, digest_size=8).digest(), signed=True)


class Database:
    """A bounded pool of connections of one role.

    At most `size` are at work at once; others wait in front of the pool, for at most `wait_seconds`, and are
    then refused as `unavailable`. A server that leaves a statement unanswered for `answer_seconds` counts as gone; the
    role's own limit of statements is to be shorter.
    """

    def __init__(
        self,
        address: DatabaseAddress,
        *,
        size: int,
        answer_seconds: float | None = None,
        now: Callable[[], datetime] = clock.now,
        wait_seconds: float = 10.0,
    ) -> None:
        self.address = address
        self.size = size
        self._now = now
        arguments = connect_arguments(address) | {"command_timeout": answer_seconds}
        self._pool = Pool(arguments, size=size, wait_seconds=wait_seconds)

    @property
    def in_use(self) -> int:
        """How many connections are at work."""
        return self._pool.in_use

    def read(self, caller: Caller) -> AbstractAsyncContextManager[Reading]:
        """Read for a caller, each statement by itself: nothing is held between them.

        What inserts, updates or deletes is refused by PostgreSQL, what locks by `Reading`. Answers `unavailable` when
        no connection comes free in time.
        """
        return self._traced(self._reading, caller, read_only=True)

    def begin(
        self,
        caller: Caller,
        *,
        read_only: bool = False,
        can_be_repeated: bool = False,
        alone_in: UUID | None = None,
    ) -> AbstractAsyncContextManager[Transaction]:
        """Open the one transaction of an operation; it commits when the block ends and rolls back when it fails.

        `alone_in` names a resource: those that name the same one come after one another, and what they read from their
        first statement on is what the one before has left. `read_only` is for several statements that are to be made
        one moment by a snapshot. What can be repeated does not wait for the disk: a crash of the server may take its
        last moments back, as a whole. Answers `unavailable` when no connection comes free in time, and `busy` when a
        lock does not.
        """
        begun = partial(self._begun, read_only=read_only, can_be_repeated=can_be_repeated, alone_in=alone_in)
        return self._traced(begun, caller, read_only=read_only)

    def _traced(
        self, opened: Callable[[Caller], AbstractAsyncContextManager[_R]], caller: Caller, *, read_only: bool
    ) -> AbstractAsyncContextManager[_R]:
        trace = CURRENT.get()
        if trace is None or trace.recorded is None:
            return opened(caller)
        return self._recorded(opened, trace.recorded, caller, read_only=read_only)

    @asynccontextmanager
    async def _recorded(
        self,
        opened: Callable[[Caller], AbstractAsyncContextManager[_R]],
        span: Recorded,
        caller: Caller,
        *,
        read_only: bool,
    ) -> AsyncIterator[_R]:
        with span.transaction(self.address.name, read_only=read_only) as origin:
            async with opened(replace(caller, traceparent=origin)) as tx:
                yield tx

    @asynccontextmanager
    async def _reading(self, caller: Caller) -> AsyncIterator[Reading]:
        async with self._lent(writes=False) as connection:
            yield Reading(connection, caller, self._now())

    @asynccontextmanager
    async def _lent(self, *, writes: bool) -> AsyncIterator[Any]:
        connection = await self._pool.take()
        is_sound = False
        try:
            yield connection
            is_sound = True
        except Exception as error:
            if isinstance(error, asyncpg.QueryCanceledError):
                is_sound = True
                raise TOO_SLOW.anew() from error
            is_standby = writes and isinstance(error, asyncpg.ReadOnlySQLTransactionError)
            if is_standby or _is_away(error, connection):
                self._pool.doubt()
                raise AWAY.anew() from error
            # After a second statement while one was running nobody knows what the connection is at.
            is_sound = not isinstance(error, asyncpg.InterfaceError)
            raise
        finally:
            self._pool.give_back(connection, is_sound=is_sound)

    @asynccontextmanager
    async def _begun(
        self, caller: Caller, *, read_only: bool, can_be_repeated: bool, alone_in: UUID | None
    ) -> AsyncIterator[Transaction]:
        opening = f"{'BEGIN READ ONLY' if read_only else 'BEGIN'}; SET LOCAL app.org = {literal(caller.org)}"
        if caller.idempotency is not None:
            opening += f"; SET LOCAL lock_timeout = {REPETITION_WAIT_MS}"
        if not read_only:  # what is written goes by keys: planning it anew each time costs more than it does
            opening += "; SET LOCAL plan_cache_mode = force_generic_plan"
        if can_be_repeated:
            opening += "; SET LOCAL synchronous_commit = off"
        if alone_in is not None:
            opening += f"; SELECT pg_advisory_xact_lock({lock_number(caller.org, alone_in)})"
        async with self._lent(writes=not read_only) as connection:
            try:
                await connection.execute(opening)
                yield Transaction(connection, caller, self._now(), alone_in)
                _made_sure(await connection.execute("COMMIT"))
            except Exception as error:
                if connection.is_in_transaction() and not connection.is_closed():
                    await connection.execute("ROLLBACK")
                if isinstance(error, asyncpg.LockNotAvailableError):
                    raise Rejection(
                        "conflict", "busy", "Another request is changing the same thing.", retry_after_seconds=1
                    ) from error
                if isinstance(error, asyncpg.DeadlockDetectedError):  # the other one has gone on
                    raise Overtaken("deadlock", "Another request was changing the same things.") from error
                raise

    async def connect(self) -> Any:
        """Open a driver connection of its own outside the pool (to LISTEN); the caller closes it."""
        return await asyncpg.connect(**connect_arguments(self.address))

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close()


def _is_away(error: Exception, connection: Any) -> bool:
    """Tell whether an error says that the server is not there, rather than that the statement was wrong."""
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "").startswith(_CLASSES_OF_AWAY)
    if isinstance(error, asyncpg.InterfaceError):
        return bool(connection.is_closed())
    return isinstance(error, ConnectionError | TimeoutError | asyncpg.InternalClientError)


def _made_sure(answer: str) -> None:
    """Raise where PostgreSQL has rolled back instead, because a statement had failed and nobody minded."""
    if answer != "COMMIT":
        raise RuntimeError("a statement had failed, so nothing was committed")


async def entered(address: DatabaseAddress) -> Any:
    """Open a connection before anything else is done, to be closed by the caller; `UnfitError` says why it cannot."""
    try:
        return await asyncpg.connect(**connect_arguments(address))
    except (OSError, asyncpg.PostgresError) as error:
        place = f"the database {address.name} at {address.host}:{address.port}"
        raise UnfitError(f"{place} cannot be entered as {address.role}: {error}") from error


def connect_arguments(address: DatabaseAddress) -> dict[str, Any]:
    """Return asyncpg's arguments for an address; every session speaks UTC."""
    return {
        "host": address.host,
        "port": address.port,
        "database": address.name,
        "user": address.role,
        "password": address.password,
        "statement_cache_size": STATEMENTS_KEPT,
        "server_settings": {"TimeZone": "UTC", "application_name": "tandem"},
    }
