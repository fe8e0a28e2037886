"""Waiting for a log to grow: one LISTEN connection a process, and polling where it is lost."""

import asyncio
import contextlib
import logging
from typing import Any

from chassis.database import Database
from chassis.events.interruptions import DATABASE_AWAY
from chassis.events.position import Position
from chassis.events.sequencer import CHANNEL

POLL_SECONDS = 1.0
RECONNECT_SECONDS = 1.0

log = logging.getLogger(__name__)


class HeadWatcher:
    """Wakes readers when the sequencer has moved the head; losing the connection only costs them time."""

    def __init__(self, database: Database, *, poll_seconds: float = POLL_SECONDS) -> None:
        self._database = database
        self._poll_seconds = poll_seconds
        self._moved = asyncio.Event()
        self._head: Position | None = None
        self.listening = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Listen until told to stop, connecting again whenever the connection is lost."""
        while not stop.is_set():
            try:
                await self._listen(stop)
            except DATABASE_AWAY as error:
                log.warning("not listening to the event log", extra={"reason": str(error)})
            self.listening.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), RECONNECT_SECONDS)

    async def _listen(self, stop: asyncio.Event) -> None:
        connection = await self._database.connect()
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _connection: lost.set())
        try:
            await connection.add_listener(CHANNEL, self._notified)
            self.listening.set()
            waits = {asyncio.ensure_future(stop.wait()), asyncio.ensure_future(lost.wait())}
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
        finally:
            connection.terminate()

    def _notified(self, _connection: Any, _pid: int, _channel: str, payload: str) -> None:
        self._head = Position.parse(payload)
        self._moved.set()
        self._moved = asyncio.Event()

    async def beyond(self, seen: Position, seconds: float) -> None:
        """Return when the log may have grown beyond a head that was seen, at the latest after some seconds.

        Whoever waits looks at the log again in any case.
        """
        moved = self._moved
        if self._head is not None and self._head > seen:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(moved.wait(), min(seconds, self._poll_seconds))
