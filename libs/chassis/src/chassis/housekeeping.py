"""What has to be cleared away from time to time, whatever the service."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import datetime

from chassis import clock
from chassis.caller import Caller
from chassis.database import Database
from chassis.events.leases import Lease, Leases
from chassis.keys import FORGET_EXPIRED
from chassis.metrics import process_metrics, turned

LEASE = "housekeeping"
EVERY_SECONDS = 600.0

log = logging.getLogger(__name__)


class Housekeeping:
    """Deletes expired idempotency keys of all organisations, in one process at a time."""

    def __init__(
        self, database: Database, *, every_seconds: float = EVERY_SECONDS, now: Callable[[], datetime] = clock.now
    ) -> None:
        self._database = database
        self._every_seconds = every_seconds
        self._now = now

    async def run(self, leases: Leases, stop: asyncio.Event) -> None:
        """Clear away until told to stop."""

        async def work(_: Lease) -> None:
            while not stop.is_set():
                await self.turn()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), self._every_seconds)

        await leases.run(LEASE, work, stop)

    async def turn(self) -> int:
        """Clear away once and return how many keys had expired."""
        async with self._database.begin(Caller(org="", subject=LEASE)) as tx:
            forgotten = await tx.run(FORGET_EXPIRED, k_now=self._now())
        turned()
        if forgotten:
            process_metrics().keys_deleted.inc(forgotten)
            log.info("expired idempotency keys deleted", extra={"keys": forgotten})
        return forgotten
