"""The worker's watch over clocks: it looks at what is due, and has warnings and breaches told once."""

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from chassis.caller import Caller
from chassis.database import Database, Transaction
from chassis.events.handling import is_passing
from chassis.events.leases import Lease, Leases
from chassis.metrics import turned
from service_catalog.clocks.reckoning import Clock
from service_catalog.clocks.timers import Timers

LEASE = "sla"
ACTOR = "system"
EVERY_SECONDS = 5.0
AT_ONCE = 500
TOGETHER = 50  # what one transaction holds at the most, so that nobody waits for it long
PUT_OFF = timedelta(minutes=5)
_SECOND = timedelta(seconds=1)
_SETTLED = frozenset({"met", "cancelled"})

log = logging.getLogger(__name__)


class Watched(Protocol):
    """One kind of what has clocks."""

    @property
    def timers(self) -> Timers:
        """Its timers."""

    async def lock_free(self, tx: Transaction, ids: Sequence[UUID]) -> Sequence[Any]:
        """Lock those of them that nobody holds, and return their rows."""

    async def judge(self, tx: Transaction, rows: Sequence[Any]) -> Mapping[UUID, datetime | None]:
        """Tell what there is to tell, and return when each is looked at next; who is missing is looked at no more."""


class Watch:
    """Looks at each of its kinds when its timer is due, in one process at a time; looking twice does nothing more."""

    def __init__(self, database: Database, *kinds: Watched, every_seconds: float = EVERY_SECONDS) -> None:
        self._database = database
        self._kinds = kinds
        self._every_seconds = every_seconds

    async def run(self, leases: Leases, stop: asyncio.Event) -> None:
        """Watch until told to stop."""

        async def work(_: Lease) -> None:
            while not stop.is_set():
                if await self.turn() < AT_ONCE:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(stop.wait(), self._every_seconds)

        await leases.run(LEASE, work, stop)

    async def turn(self) -> int:
        """Look at what is due, and return how many that were."""
        looked = 0
        for kind in self._kinds:
            async with self._database.read(Caller(org="", subject=ACTOR)) as tx:
                due = await kind.timers.due(tx, AT_ONCE)
            by_org: dict[str, list[UUID]] = {}
            for timer in due:
                by_org.setdefault(timer["org"], []).append(timer["subject"])
            for org, ids in by_org.items():
                for first in range(0, len(ids), TOGETHER):
                    await self._look(kind, Caller(org=org, subject=ACTOR), sorted(ids[first : first + TOGETHER]))
            looked += len(due)
        turned()
        return looked

    async def _look(self, kind: Watched, caller: Caller, ids: Sequence[UUID]) -> None:
        """Judge some in one transaction; where one of them cannot be judged, each by itself."""
        try:
            async with self._database.begin(caller) as tx:
                await _judge(tx, kind, ids)
        except Exception as error:  # one that cannot be judged does not hold up the others
            if is_passing(error):
                raise
            if len(ids) > 1:
                for id_ in ids:
                    await self._look(kind, caller, [id_])
                return
            log.exception("a clock could not be judged", extra={"subject": str(ids[0])})
            async with self._database.begin(caller) as tx:
                await kind.timers.set_to(tx, {ids[0]: tx.now + PUT_OFF})


async def _judge(tx: Transaction, kind: Watched, ids: Sequence[UUID]) -> None:
    """Judge those that nobody is changing; who changes one sets its timer anew."""
    held = await kind.lock_free(tx, ids)
    due = await kind.timers.lock_due(tx, [row["id"] for row in held])
    rows = [row for row in held if row["id"] in due]
    following = await kind.judge(tx, rows)
    await kind.timers.set_to(tx, following)
    await kind.timers.drop(tx, [row["id"] for row in rows if row["id"] not in following])


def to_tell(clock: Clock[Any]) -> list[tuple[str, datetime]]:
    """Return what is to be told of a clock, each with its instant; one that has ended well is warned of no more."""
    if clock.state in _SETTLED or (clock.superseded_at is not None and clock.state != "breached"):
        return []
    told = [("warned", clock.warning_at)] if clock.is_warned else []
    if clock.state == "breached":
        told.append(("breached", clock.due_at))
    return [(verb, at) for verb, at in told if at is not None]


def not_reached(clock: Clock[Any]) -> list[str]:
    """Return which of `warned` and `breached` do not hold now; they may have been told when it stood otherwise."""
    reached = {"warned": clock.is_warned, "breached": clock.state == "breached"}
    return [verb for verb, is_reached in reached.items() if not is_reached]


def coming(clocks: Iterable[Clock[Any]]) -> Iterator[datetime]:
    """Give the instants at which there will be something to tell, unless something changes before."""
    for clock in clocks:
        if clock.state != "running" or clock.superseded_at is not None:
            continue
        if clock.warning_at is not None and not clock.is_warned:
            yield clock.warning_at
        if clock.due_at is not None:
            yield clock.due_at + _SECOND  # exactly on the deadline is met
