"""The sequencer: gives committed events their positions."""

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import asyncpg

from chassis.database import Database
from chassis.events.interruptions import DATABASE_AWAY
from chassis.metrics import turned

CHANNEL = "event_head"
BATCH_SIZE = 1000
POLL_SECONDS = 0.02
GATHER_SECONDS = 0.2
PAUSES_A_LOOK = 20  # it passes over all that is being written and was just moved, and may take a twentieth of the time
AWAY_SECONDS_MAX = 5.0

# A frozen sequencer gives the head up; another one goes on.
SESSION = "SET idle_in_transaction_session_timeout = '5s'; SET statement_timeout = '30s'; SET lock_timeout = '2s'"

# Along the index, which passes over what has been moved; the table would be read from its start.
ANY_PENDING = "SELECT seq FROM event_pending ORDER BY seq LIMIT 1"

# The lock and the move are two statements, so that the second sees what the previous holder has committed.
LOCK_HEAD = "SELECT position FROM event_head FOR UPDATE SKIP LOCKED"

COLUMNS = (
    "id, org, type, subject, time, partitionkey, aggregateversion, correlationid, causationid, traceparent,"
    " recorded_at, data"
)
MOVE = f"""
    WITH taken AS (
        DELETE FROM event_pending
        WHERE seq IN (SELECT seq FROM event_pending ORDER BY seq LIMIT $1)
        RETURNING *
    ), logged AS (
        INSERT INTO event_log (position, epoch, {COLUMNS})
        SELECT event_head.position + row_number() OVER (ORDER BY seq), event_head.epoch, {COLUMNS}
        FROM taken, event_head
        ORDER BY seq
    ), moved AS (
        UPDATE event_head SET position = event_head.position + (SELECT count(*) FROM taken)
        WHERE EXISTS (SELECT FROM taken)
        RETURNING epoch, position
    )
    SELECT position, (SELECT count(*) FROM taken) AS events,
           pg_notify('{CHANNEL}', epoch || '.' || position)
    FROM moved
"""  # noqa: S608  (constants)
ENSURE_PARTITIONS = "SELECT ensure_event_partitions()"

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Sequencer:
    """Moves pending events to the log in the order in which each resource's were written.

    Any number may run: whoever finds the head locked leaves the turn to its holder. It keeps one connection of its own.
    Where several events come at a time it lets them gather: a turn, and the reading it sets off, cost as much for one.
    """

    database: Database
    batch_size: int = BATCH_SIZE
    poll_seconds: float = POLL_SECONDS
    gather_seconds: float = GATHER_SECONDS
    partitions_due_at: int = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Sequence until told to stop; the database may come and go."""
        away_seconds = self.poll_seconds
        while not stop.is_set():
            try:
                connection = await self.database.connect()
                try:
                    away_seconds = self.poll_seconds
                    await self._work(connection, stop)
                finally:
                    connection.terminate()
            except DATABASE_AWAY as error:
                log.warning("sequencer interrupted", extra={"reason": str(error)})
                await _pause(stop, away_seconds)
                away_seconds = min(away_seconds * 2, AWAY_SECONDS_MAX)

    async def _work(self, connection: asyncpg.Connection, stop: asyncio.Event) -> None:
        await connection.execute(SESSION)
        first = await connection.prepare(ANY_PENDING)
        while not stop.is_set():
            began = perf_counter()
            is_any = await first.fetchval() is not None
            looked_seconds = perf_counter() - began
            moved = await self.turn(connection) if is_any else 0
            turned()
            if moved < self.batch_size:
                pause = max(self.poll_seconds, PAUSES_A_LOOK * looked_seconds)
                await _pause(stop, self.gather_seconds if moved > 1 else min(pause, self.gather_seconds))

    async def turn(self, connection: asyncpg.Connection) -> int:
        """Move one batch and return how many events it was; 0 where another sequencer holds the head."""
        head: int | None = None
        async with connection.transaction():
            if await connection.fetchval(LOCK_HEAD) is None:
                return 0
            if self.partitions_due_at == 0:
                self.partitions_due_at = await connection.fetchval(ENSURE_PARTITIONS)
            row: Any = await connection.fetchrow(MOVE, self.batch_size)
            if row is not None:
                head = row["position"]
        if row is None or head is None:
            return 0
        if head >= self.partitions_due_at:
            await self._ensure_partitions(connection)
        return int(row["events"])

    async def _ensure_partitions(self, connection: asyncpg.Connection) -> None:
        """Make the partitions ahead; a busy moment does not matter, the next turn tries again."""
        try:
            self.partitions_due_at = await connection.fetchval(ENSURE_PARTITIONS)
        except asyncpg.LockNotAvailableError:
            log.warning("no new partition of the event log yet: it is locked")


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
