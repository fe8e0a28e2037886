"""SQLAlchemy's statements, run on asyncpg connections.

Statements are SQLAlchemy Core, compiled once when a module is loaded; a transaction then costs what the driver
costs. Each operation opens exactly one transaction, and the organisation is set with its first message, so row-level
security judges every statement that follows.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

import asyncpg
from pydantic_core import to_json
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.sql import ClauseElement

from chassis import clock
from chassis.addresses import DatabaseAddress
from chassis.caller import Caller
from chassis.pool import Pool
from chassis.rejection import Rejection
from chassis.tracing import CURRENT, Recorded

DIALECT = asyncpg_dialect(  # type: ignore[no-untyped-call]
    json_serializer=lambda value: to_json(value).decode()
)
STATEMENTS_KEPT = 1000
REPETITION_WAIT_MS = 1000  # how long a repeated request waits for the first one to end


class Statement:
    """A SQLAlchemy Core statement, compiled once; its values are given by the names of its bind parameters."""

    __slots__ = ("_defaults", "_names", "_processors", "text")

    def __init__(self, clause: ClauseElement) -> None:
        compiled: Any = clause.compile(dialect=DIALECT)
        self.text = str(compiled)
        self._names: tuple[str, ...] = tuple(compiled.positiontup or ())
        self._defaults: dict[str, Any] = dict(compiled.params)
        self._processors: dict[str, Callable[[Any], Any]] = dict(compiled._bind_processors)  # noqa: SLF001

    def arguments(self, values: dict[str, Any]) -> list[Any]:
        """Return the values in the order of the statement's placeholders, made ready for the driver."""
        known, processors, arguments = self._defaults, self._processors, []
        for name in self._names:
            value = values[name] if name in values else known[name]
            process = processors.get(name)
            arguments.append(process(value) if process else value)
        return arguments


class Transaction:
    """One open transaction, bound to the caller it is done for and to the instant it began at."""

    __slots__ = ("caller", "concluded", "connection", "now")

    def __init__(self, connection: Any, caller: Caller, now: datetime) -> None:
        self.connection = connection
        self.caller = caller
        self.now = now
        self.concluded = False

    async def one(self, statement: Statement, **values: Any) -> Any:
        """Return the first row, or None."""
        return await self.connection.fetchrow(statement.text, *statement.arguments(values))

    async def value(self, statement: Statement, **values: Any) -> Any:
        """Return the first column of the first row, or None."""
        return await self.connection.fetchval(statement.text, *statement.arguments(values))

    async def all(self, statement: Statement, **values: Any) -> list[Any]:
        """Return all rows."""
        rows: list[Any] = await self.connection.fetch(statement.text, *statement.arguments(values))
        return rows

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


class Database:
    """A bounded pool of connections of one role.

    At most `size` transactions run at once; others wait in front of the pool, for at most `wait_seconds`, and are
    then refused as `unavailable`.
    """

    def __init__(
        self,
        address: DatabaseAddress,
        *,
        size: int,
        now: Callable[[], datetime] = clock.now,
        wait_seconds: float = 10.0,
    ) -> None:
        self.address = address
        self.size = size
        self._now = now
        self._pool = Pool(connect_arguments(address), size=size, wait_seconds=wait_seconds)

    @property
    def in_use(self) -> int:
        """How many connections are at work."""
        return self._pool.in_use

    def begin(
        self, caller: Caller, *, read_only: bool = False, can_be_repeated: bool = False
    ) -> AbstractAsyncContextManager[Transaction]:
        """Open the one transaction of an operation; it commits when the block ends and rolls back when it fails.

        One that can be repeated does not wait for the disk: a crash of the server may take its last moments back, as
        a whole. Answers `unavailable` when no connection comes free in time, and `busy` when a lock does not.
        """
        trace = CURRENT.get()
        if trace is None or trace.recorded is None:
            return self._begun(caller, read_only=read_only, can_be_repeated=can_be_repeated)
        return self._recorded(trace.recorded, caller, read_only=read_only, can_be_repeated=can_be_repeated)

    @asynccontextmanager
    async def _recorded(
        self, span: Recorded, caller: Caller, *, read_only: bool, can_be_repeated: bool
    ) -> AsyncIterator[Transaction]:
        with span.transaction(self.address.name, read_only=read_only) as origin:
            own = replace(caller, traceparent=origin)
            async with self._begun(own, read_only=read_only, can_be_repeated=can_be_repeated) as tx:
                yield tx

    @asynccontextmanager
    async def _begun(self, caller: Caller, *, read_only: bool, can_be_repeated: bool) -> AsyncIterator[Transaction]:
        opening = f"{'BEGIN READ ONLY' if read_only else 'BEGIN'}; SET LOCAL app.org = {literal(caller.org)}"
        if caller.idempotency is not None:
            opening += f"; SET LOCAL lock_timeout = {REPETITION_WAIT_MS}"
        if not read_only:  # what is written goes by keys: planning it anew each time costs more than it does
            opening += "; SET LOCAL plan_cache_mode = force_generic_plan"
        if can_be_repeated:
            opening += "; SET LOCAL synchronous_commit = off"
        connection = await self._pool.take()
        is_sound = False
        try:
            await connection.execute(opening)
            yield Transaction(connection, caller, self._now())
            _made_sure(await connection.execute("COMMIT"))
            is_sound = True
        except Exception as error:
            if connection.is_in_transaction() and not connection.is_closed():
                await connection.execute("ROLLBACK")
            is_sound = True
            if isinstance(error, asyncpg.LockNotAvailableError):
                raise Rejection(
                    "conflict", "busy", "Another request is changing the same thing.", retry_after_seconds=1
                ) from error
            raise
        finally:
            self._pool.give_back(connection, is_sound=is_sound)

    async def connect(self) -> Any:
        """Open a driver connection of its own outside the pool (to LISTEN); the caller closes it."""
        return await asyncpg.connect(**connect_arguments(self.address))

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close()


def _made_sure(answer: str) -> None:
    """Raise where PostgreSQL has rolled back instead, because a statement had failed and nobody minded."""
    if answer != "COMMIT":
        raise RuntimeError("a statement had failed, so nothing was committed")


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
