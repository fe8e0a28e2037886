"""A bounded pool of driver connections: the one given back last is taken first, and whoever finds none waits."""

import asyncio
import json
import logging
import socket
from collections.abc import Mapping
from typing import Any

import asyncpg

from chassis.events.interruptions import DATABASE_AWAY
from chassis.rejection import Rejection

CLOSE_SECONDS = 5.0
CONNECT_SECONDS = 5.0
# Where the server's machine is gone nobody says so: without these one would wait for it a quarter of an hour.
_GONE_MS = 10_000
_SOCKET_OPTIONS = {
    "SO_KEEPALIVE": (socket.SOL_SOCKET, 1),
    "TCP_KEEPIDLE": (socket.IPPROTO_TCP, 5),
    "TCP_KEEPINTVL": (socket.IPPROTO_TCP, 3),
    "TCP_KEEPCNT": (socket.IPPROTO_TCP, 2),
    "TCP_USER_TIMEOUT": (socket.IPPROTO_TCP, _GONE_MS),
}
AWAY = Rejection("unavailable", "database-unavailable", "The database is away.", retry_after_seconds=1)
log = logging.getLogger(__name__)
_JSONB_VERSION = b"\x01"  # what PostgreSQL's binary form of jsonb begins with


class Pool:
    """At most `size` connections, opened when they are needed.

    Who waits longer than `wait_seconds` for one is refused as `unavailable`.
    """

    def __init__(self, arguments: Mapping[str, Any], *, size: int, wait_seconds: float) -> None:
        self.in_use = 0
        self._arguments = arguments
        self._idle: list[Any] = []
        self._places = asyncio.Semaphore(size)
        self._wait_seconds = wait_seconds

    async def take(self) -> Any:
        """Return a connection that is alive as far as is known; it is to be given back."""
        if self._places.locked():
            try:
                await asyncio.wait_for(self._places.acquire(), self._wait_seconds)
            except TimeoutError as error:
                raise Rejection(
                    "unavailable", "overloaded", "Too many requests at once.", retry_after_seconds=1
                ) from error
        else:  # without the task that a time limit costs
            await self._places.acquire()
        self.in_use += 1
        try:
            while self._idle:
                connection = self._idle.pop()
                if not connection.is_closed():
                    return connection
            return await self._opened()
        except BaseException:
            self._leave()
            raise

    def give_back(self, connection: Any, *, is_sound: bool) -> None:
        """End the use of a connection; only one whose transaction is known to be over may serve another."""
        if is_sound and not connection.is_closed() and not connection.is_in_transaction():
            self._idle.append(connection)
        else:
            connection.terminate()
        self._leave()

    def doubt(self) -> None:
        """Let go of what nobody uses: where one connection was cut off, the others may have been."""
        while self._idle:
            self._idle.pop().terminate()

    async def close(self) -> None:
        """Close what nobody uses."""
        while self._idle:
            connection = self._idle.pop()
            try:
                await connection.close(timeout=CLOSE_SECONDS)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection.terminate()

    def _leave(self) -> None:
        self.in_use -= 1
        self._places.release()

    async def _opened(self) -> Any:
        try:
            connection = await asyncpg.connect(**self._arguments, timeout=CONNECT_SECONDS)
        except DATABASE_AWAY as error:
            log.warning("the database cannot be entered", extra={"reason": f"{type(error).__name__}: {error}"})
            raise AWAY.anew() from error
        _notice_when_gone(connection)
        try:
            await _read_json(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection


def _notice_when_gone(connection: Any) -> None:
    own = connection._transport.get_extra_info("socket")  # noqa: SLF001 - the driver has no other way to it
    if own is None or own.family == socket.AF_UNIX:
        return
    for name, (level, value) in _SOCKET_OPTIONS.items():
        if hasattr(socket, name):  # not every system has all of them
            own.setsockopt(level, getattr(socket, name), value)


async def _read_json(connection: Any) -> None:
    """Let JSON columns be read as what they say; they are written as text, as SQLAlchemy's types prepare it."""
    for name, version in (("json", b""), ("jsonb", _JSONB_VERSION)):
        await connection.set_type_codec(
            name,
            schema="pg_catalog",
            format="binary",
            encoder=lambda text, version=version: version + text.encode(),
            decoder=lambda raw, version=version: json.loads(raw[len(version) :]),
        )
