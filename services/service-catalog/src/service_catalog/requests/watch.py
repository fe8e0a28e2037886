"""What the worker watches service requests for: it tells of warnings and breaches of their fulfilment."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, delete, func
from sqlalchemy.dialects.postgresql import ARRAY, insert

from chassis.database import Statement, Transaction
from chassis.events.notices import tell
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
    delete(fulfilment_notice).where(
        fulfilment_notice.c.kind == bindparam("kind", type_=Text),
        fulfilment_notice.c.service_request_id == func.any(bindparam("ids", type_=ARRAY(Uuid, dimensions=1))),
    )
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
        await _withdraw(tx, {id_: clock for id_, (clock, _) in clocks.items()})
        for row in rows:
            if row["id"] in clocks:
                await _tell_of(tx, row, *clocks[row["id"]])
        going_on = [row["id"] for row in rows if row["state"] not in _ENDED]
        return {id_: min(coming([clocks[id_][0]] if id_ in clocks else []), default=None) for id_ in going_on}


async def _withdraw(tx: Transaction, clocks: Mapping[UUID, Clock[Measure]]) -> None:
    """Take back what was told of clocks that stand otherwise now, so that it is told again when it happens."""
    for kind in ("warned", "breached"):
        if ids := [id_ for id_, clock in clocks.items() if kind in not_reached(clock)]:
            await tx.run(_WITHDRAW, kind=kind, ids=ids)


async def _tell_of(tx: Transaction, row: Any, clock: Clock[Measure], steps: Sequence[Step]) -> None:
    """Tell of a warning and of a breach, each once."""
    for verb, at in to_tell(clock):
        if not await tx.run(_NOTE, org=tx.caller.org, service_request_id=row["id"], kind=verb, told_at=tx.now):
            continue
        about = {"service_request_id": str(row["id"])} | {name: str(row[name]) for name in _NAMES}
        await tell(
            tx,
            noun="service_request_fulfilment",
            verb=verb,
            subject=f"service-request-fulfilments/{row['id']}",
            about=row["id"],
            at=at,
            data=about | told_of(shown(clock, steps)),
        )
