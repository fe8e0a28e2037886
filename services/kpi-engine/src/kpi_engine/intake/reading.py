"""Reading the siblings' logs: on and on for the facts that answer, and once over to fill them anew."""

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Mapping

from sqlalchemy import text

from chassis.caller import Caller
from chassis.database import Database, Statement, Transaction
from chassis.events.consumer import Consumer
from chassis.events.interruptions import DATABASE_AWAY
from chassis.events.leases import Leases
from chassis.events.sibling import Sibling
from chassis.rejection import Rejection
from kpi_engine.facts.in_force import FillingInForce, filling_in_force, switch_to
from kpi_engine.facts.writing import forget_fillings_before, forget_older
from kpi_engine.intake.handlers import handlers_of

LOOK_SECONDS = 1.0
BATCH_SIZE = 1000

_NEWEST = Statement(text("SELECT coalesce(max(projection), 0) FROM event_cursor"))
# Locked, so that what answers until now is not read further before the new filling answers: nobody sees it go back.
_BEHIND = Statement(
    text(
        """WITH answering AS (
            SELECT source, epoch, position FROM event_cursor
            WHERE projection = (SELECT projection FROM projection_in_force) AND source = ANY(cast(:sources AS text[]))
            ORDER BY source FOR UPDATE
        )
        SELECT EXISTS (
            SELECT FROM answering
            LEFT JOIN event_cursor AS filled
                ON filled.source = answering.source AND filled.projection = cast(:filling AS integer)
            WHERE filled.source IS NULL
                OR (filled.epoch, filled.position) < (answering.epoch, answering.position)
        )"""
    )
)
_ORGANISATIONS = Statement(text("SELECT DISTINCT org FROM event_organisation ORDER BY org"))
_ANY_OLDER = Statement(text("SELECT EXISTS (SELECT FROM event_cursor WHERE projection < cast(:filling AS integer))"))
_FORGET_CURSORS = Statement(text("DELETE FROM event_cursor WHERE projection < cast(:filling AS integer)"))
_FORGET_QUARANTINED = Statement(text("DELETE FROM quarantine WHERE projection < cast(:filling AS integer)"))

log = logging.getLogger(__name__)


class Reading:
    """The consumers of all siblings, for one filling of the facts at a time."""

    def __init__(self, worker: Database, siblings: Mapping[str, Sibling]) -> None:
        self._worker = worker
        self._siblings = siblings
        self._leases = Leases(worker)
        self._in_force = FillingInForce(worker)

    def consumers(self, filling: int, *, wait_seconds: float = 20.0) -> list[Consumer]:
        """Return what reads each sibling for a filling."""
        return [
            Consumer(
                self._worker,
                sibling,
                handlers_of(sibling.name, filling),
                projection=filling,
                batch_size=BATCH_SIZE,
                wait_seconds=wait_seconds,
                can_be_repeated=True,
                reconcile=lambda tx, epoch, name=sibling.name: forget_older(  # type: ignore[misc]
                    tx, source=name, epoch=epoch, filling=filling
                ),
            )
            for sibling in self._siblings.values()
        ]

    async def run(self, stop: asyncio.Event) -> None:
        """Read for the filling that answers until told to stop; when another one answers, for that."""
        while not stop.is_set():
            filling = await self._looked()
            if filling is None:
                await _pause(stop)
                continue
            replaced = asyncio.Event()
            async with asyncio.TaskGroup() as tasks:
                for consumer in self.consumers(filling):
                    tasks.create_task(consumer.run(self._leases, replaced))
                while not stop.is_set() and (await self._looked() or filling) == filling:
                    await self._clear_before(filling)
                    await _pause(stop)
                replaced.set()

    async def rebuild(self) -> int:
        """Fill the facts anew from the siblings' logs, let them answer, and return the filling's number."""
        async with self._begin() as tx:
            filling = max(await filling_in_force(tx), int(await tx.value(_NEWEST))) + 1
        log.info("rebuilding", extra={"projection": filling})
        consumers = self.consumers(filling, wait_seconds=0)
        await _all_to_head(consumers)
        while True:
            await _all_to_head(consumers)  # what came while the pass before ran
            async with self._begin() as tx:
                if await tx.value(_BEHIND, filling=filling, sources=[*self._siblings]):
                    continue
                await switch_to(tx, filling)
            log.info("rebuilt", extra={"projection": filling})
            return filling

    async def _looked(self) -> int | None:
        """Return which filling answers, None while the database cannot be asked."""
        try:
            return await self._in_force.look()
        except (*DATABASE_AWAY, Rejection) as error:
            log.warning("cannot see which facts answer", extra={"reason": str(error)})
            return None

    async def _clear_before(self, filling: int) -> None:
        """Remove fillings that no longer answer, one organisation at a time."""
        with contextlib.suppress(*DATABASE_AWAY, Rejection):
            async with self._begin() as tx:
                if not await tx.value(_ANY_OLDER, filling=filling):
                    return
                organisations = [row["org"] for row in await tx.all(_ORGANISATIONS)]
            for org in organisations:
                async with self._begin(org) as tx:
                    await forget_fillings_before(tx, filling)
            async with self._begin() as tx:
                await tx.run(_FORGET_QUARANTINED, filling=filling)
                await tx.run(_FORGET_CURSORS, filling=filling)

    def _begin(self, org: str = "") -> contextlib.AbstractAsyncContextManager[Transaction]:
        return self._worker.begin(Caller(org=org, subject="reading"))


async def _all_to_head(consumers: Iterable[Consumer]) -> None:
    await asyncio.gather(*(consumer.read_to_head() for consumer in consumers))


async def _pause(stop: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
