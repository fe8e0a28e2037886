"""Which filling of the fact tables answers, and how far each source has been read for it."""

import asyncio
import contextlib
import logging
from dataclasses import dataclass

from sqlalchemy import text

from chassis.caller import Caller
from chassis.database import Database, Reading, Statement, Transaction
from chassis.events.interruptions import DATABASE_AWAY
from chassis.events.progress import FIRST_PROJECTION, Progress, progress
from chassis.rejection import Rejection

_READ = Statement(text("SELECT projection FROM projection_in_force"))
_SWITCH = Statement(text("UPDATE projection_in_force SET projection = cast(:filling AS integer)"))
LOOK_SECONDS = 1.0
_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AsOf:
    """The filling that answers, and the progress of each source in it."""

    filling: int
    sources: tuple[Progress, ...]

    @property
    def positions(self) -> tuple[tuple[str, str], ...]:
        """The position up to which each source has been read."""
        return tuple((one.source, str(one.position)) for one in self.sources)


async def filling_in_force(tx: Reading) -> int:
    """Return the number of the filling that answers."""
    return int(await tx.value(_READ))


async def switch_to(tx: Transaction, filling: int) -> None:
    """Let another filling answer from now on."""
    await tx.run(_SWITCH, filling=filling)


async def snapshot(tx: Transaction) -> AsOf:
    """Make all that the transaction reads one moment, and say which: to be called first in it."""
    await tx.connection.execute(_SNAPSHOT)
    filling = await filling_in_force(tx)
    sources = [one for one in await progress(tx) if one.projection == filling]
    return AsOf(filling, tuple(sources))


class FillingInForce:
    """The filling that answers, as far as this process has noticed; `look` notices again."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.number = FIRST_PROJECTION

    def __call__(self) -> int:
        """Return what was noticed last."""
        return self.number

    async def look(self) -> int:
        """Ask the database."""
        async with self._database.read(Caller(org="", subject="filling")) as tx:
            self.number = await filling_in_force(tx)
        return self.number

    async def keep_looking(self, stop: asyncio.Event) -> None:
        """Notice again and again until told to stop; the database may come and go."""
        while not stop.is_set():
            try:
                await self.look()
            except (*DATABASE_AWAY, Rejection) as error:
                log.warning("cannot see which facts answer", extra={"reason": str(error)})
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
