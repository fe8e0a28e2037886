"""Leases: which process does a piece of work, and the token that fences a former holder off."""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy import text

from chassis import ids
from chassis.caller import Caller
from chassis.database import Database, Statement, Transaction
from chassis.events.interruptions import DATABASE_AWAY
from chassis.metrics import turned
from chassis.rejection import Rejection

LEASE_SECONDS = 15.0

_TAKE = Statement(
    text(
        """INSERT INTO lease AS held (name, holder, token, until)
        VALUES (:name, :holder, 1, clock_timestamp() + make_interval(secs => :seconds))
        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, token = held.token + 1, until = excluded.until
        WHERE held.until <= clock_timestamp()
        RETURNING token"""
    )
)
_RENEW = Statement(
    text(
        """UPDATE lease SET until = clock_timestamp() + make_interval(secs => :seconds)
        WHERE name = :name AND token = :token AND holder = :holder"""
    )
)
_GIVE_BACK = Statement(
    text("UPDATE lease SET until = clock_timestamp() WHERE name = :name AND token = :token AND holder = :holder")
)
_FENCE = Statement(text("SELECT token FROM lease WHERE name = :name FOR SHARE"))

log = logging.getLogger(__name__)


class LeaseLostError(Exception):
    """Another process does this work now."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A piece of work that is this process's until it stops renewing; the token rises with every new holder."""

    name: str
    holder: str
    token: int

    async def fence(self, tx: Transaction) -> None:
        """Fail unless this lease is still the newest; nobody takes it before the transaction ends."""
        if await tx.value(_FENCE, name=self.name) != self.token:
            raise LeaseLostError(self.name)


def holder_name() -> str:
    """Return a name that nobody else has; it begins with that of the process."""
    return f"{process_name()}:{ids.new_id()}"


def process_name() -> str:
    """Return how the lease holders of this process are called, up to what tells them apart."""
    return f"{socket.gethostname()}:{os.getpid()}"


class Leases:
    """Takes, renews and gives back leases in a service's database, as its worker."""

    def __init__(self, database: Database, *, holder: str | None = None, seconds: float = LEASE_SECONDS) -> None:
        self._database = database
        self._holder = holder or holder_name()
        self._seconds = seconds
        self._caller = Caller(org="", subject="leases")

    async def take(self, name: str) -> Lease | None:
        """Return the lease if it is free or has run out."""
        async with self._database.begin(self._caller) as tx:
            token = await tx.value(_TAKE, name=name, holder=self._holder, seconds=self._seconds)
        return None if token is None else Lease(name, self._holder, token)

    async def renew(self, lease: Lease) -> bool:
        """Prolong a lease; False says it is another's."""
        async with self._database.begin(self._caller) as tx:
            renewed = await tx.run(
                _RENEW, name=lease.name, token=lease.token, holder=lease.holder, seconds=self._seconds
            )
        return renewed == 1

    async def give_back(self, lease: Lease) -> None:
        """End a lease early, so that another process need not wait for it to run out."""
        async with self._database.begin(self._caller) as tx:
            await tx.run(_GIVE_BACK, name=lease.name, token=lease.token, holder=lease.holder)

    async def run(self, name: str, work: Callable[[Lease], Awaitable[None]], stop: asyncio.Event) -> None:
        """Do a piece of work whenever the lease is this process's, until told to stop.

        The work is cancelled when the lease cannot be renewed in time, and given to another when it ends.
        """
        while not stop.is_set():
            try:
                lease = await self.take(name)
                turned()
                if lease is not None:
                    await self._work_while_held(lease, work, stop)
            except (*DATABASE_AWAY, Rejection) as error:
                log.warning("lease interrupted", extra={"lease": name, "reason": str(error)})
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self._seconds / 5)

    async def _work_while_held(
        self, lease: Lease, work: Callable[[Lease], Awaitable[None]], stop: asyncio.Event
    ) -> None:
        working = asyncio.ensure_future(work(lease))
        stopping = asyncio.ensure_future(stop.wait())
        renewing = asyncio.ensure_future(self._renew_until_lost(lease))
        try:
            await asyncio.wait({working, stopping, renewing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (working, stopping, renewing):
                task.cancel()
            results = await asyncio.gather(working, renewing, return_exceptions=True)
        with contextlib.suppress(*DATABASE_AWAY, Rejection):
            await self.give_back(lease)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _renew_until_lost(self, lease: Lease) -> None:
        """Renew three times a period; return when the lease is lost or was not renewed for a whole one."""
        loop = asyncio.get_running_loop()
        held_until = loop.time() + self._seconds
        while loop.time() < held_until:
            await asyncio.sleep(self._seconds / 3)
            try:
                async with asyncio.timeout(self._seconds / 3):
                    if not await self.renew(lease):
                        return
                held_until = loop.time() + self._seconds
            except (*DATABASE_AWAY, Rejection) as error:
                log.warning("lease not renewed", extra={"lease": lease.name, "reason": str(error)})
