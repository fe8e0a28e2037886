"""What the worker watches service requests for.

It tells of warnings and breaches of their fulfilment, and where they are none any more.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, delete, func
from sqlalchemy.dialects.postgresql import ARRAY, insert

from chassis.database import Statement, Transaction
from chassis.events.notices import Notice, tell_all
from chassis.resource import Instant
from service_catalog.clocks.documents import told_of
from service_catalog.clocks.reckoning import Clock, Measure, Step
from service_catalog.clocks.watch import coming, not_reached, to_tell
from service_catalog.requests.clocks import FulfilmentClocks
from service_catalog.requests.fulfilment import shown
from service_catalog.requests.operations import ServiceRequests
from service_catalog.requests.tables import fulfilment_notice
from service_catalog.requests.timers import TIMERS

_ENDED = frozenset({"closed", "cancelled", "rejected"})
_NAMES = ("catalogue_item_id", "service_id")
_NOTE = Statement(
    insert(fulfilment_notice)
    .values(
        org=bindparam("org", type_=Text),
        service_request_id=bindparam("service_request_id", type_=Uuid),
        kind=bindparam("kind", type_=Text),
        told_at=bindparam("told_at", type_=Instant),
    )
    .on_conflict_do_nothing()
)
_WITHDRAW = Statement(
    delete(fulfilment_notice)
    .where(
        fulfilment_notice.c.kind == bindparam("kind", type_=Text),
        fulfilment_notice.c.service_request_id == func.any(bindparam("ids", type_=ARRAY(Uuid, dimensions=1))),
    )
    .returning(fulfilment_notice.c.service_request_id)
)


class WatchedRequests:
    """Service requests, as the watch looks at them."""

    timers = TIMERS

    def __init__(self, *, clocks: FulfilmentClocks, requests: ServiceRequests) -> None:
        self._clocks = clocks
        self._requests = requests

    async def lock_free(self, tx: Transaction, ids: Sequence[UUID]) -> Sequence[Any]:
        """Lock those of the requests that nobody holds, and return their rows."""
        return await self._requests.lock_free(tx, ids)

    async def judge(self, tx: Transaction, rows: Sequence[Any]) -> Mapping[UUID, datetime | None]:
        """Tell of requests' clocks, and return when those that are not over are looked at next."""
        clocks = await self._clocks.clocks_of(tx, rows)
        untrue = await _withdraw(tx, {id_: clock for id_, (clock, _) in clocks.items()})
        for row in rows:
            if row["id"] in clocks:
                await _tell_of(tx, row, *clocks[row["id"]], is_untrue=row["id"] in untrue)
        going_on = [row["id"] for row in rows if row["state"] not in _ENDED]
        return {id_: min(coming([clocks[id_][0]] if id_ in clocks else []), default=None) for id_ in going_on}


async def _withdraw(tx: Transaction, clocks: Mapping[UUID, Clock[Measure]]) -> frozenset[UUID]:
    """Take back what was told of clocks that stand otherwise now, so that it is told again when it happens.

    Returns of whose clocks something was told.
    """
    untrue: set[UUID] = set()
    for kind in ("warned", "breached"):
        if ids := [id_ for id_, clock in clocks.items() if kind in not_reached(clock)]:
            untrue.update(row["service_request_id"] for row in await tx.all(_WITHDRAW, kind=kind, ids=ids))
    return frozenset(untrue)


async def _tell_of(tx: Transaction, row: Any, clock: Clock[Measure], steps: Sequence[Step], *, is_untrue: bool) -> None:
    """Tell that what was told of a clock is untrue, and of a warning and of a breach, each once."""
    told = [("withdrawn", tx.now)] if is_untrue else []
    for verb, at in to_tell(clock):
        if await tx.run(_NOTE, org=tx.caller.org, service_request_id=row["id"], kind=verb, told_at=tx.now):
            told.append((verb, at))
    if not told:
        return
    about = {"service_request_id": str(row["id"])} | {name: str(row[name]) for name in _NAMES}
    data = about | told_of(shown(clock, steps))
    subject = f"service-request-fulfilments/{row['id']}"
    await tell_all(
        tx,
        [
            Notice(noun="service_request_fulfilment", verb=verb, subject=subject, about=row["id"], at=at, data=data)
            for verb, at in told
        ],
    )
