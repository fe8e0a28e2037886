"""What was told of an incident's SLA clocks: each warning and each breach once, unless it was taken back meanwhile."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, column, delete, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from chassis.database import Reading, Statement, Transaction
from chassis.resource import Instant
from service_catalog.sla.tables import sla_notice

_NEW = insert(sla_notice).values(
    org=bindparam("org", type_=Text),
    incident_id=bindparam("incident_id", type_=Uuid),
    metric=bindparam("metric", type_=Text),
    priority=bindparam("priority", type_=Text),
    kind=bindparam("kind", type_=Text),
    at=bindparam("at", type_=Instant),
    told_at=bindparam("told_at", type_=Instant),
)
_NOTE = Statement(
    _NEW.on_conflict_do_update(
        constraint="sla_notice_pkey",
        set_={"at": _NEW.excluded["at"]},
        where=sla_notice.c.at != _NEW.excluded["at"],
    ).returning(literal_column("old.at IS NULL AND old.told_at IS NULL").label("is_new"))
)
_KEY = ("incident_id", "metric", "priority", "kind")
_NOT_REACHED = (
    func.unnest(*(bindparam(name, type_=ARRAY(sla_notice.c[name].type, dimensions=1)) for name in _KEY))
    .table_valued(*(column(name, sla_notice.c[name].type) for name in _KEY), name="not_reached")
    .render_derived()
)
_WITHDRAW = Statement(
    delete(sla_notice)
    .where(*(sla_notice.c[name] == _NOT_REACHED.c[name] for name in _KEY))
    .returning(*(sla_notice.c[name] for name in _KEY[:-1]))
)
_GIVEN = Statement(
    select(
        func.coalesce(sla_notice.c.at, sla_notice.c.told_at).label("at"),
        *(sla_notice.c[name] for name in ("kind", "metric", "priority", "told_at")),
    ).where(sla_notice.c.incident_id == bindparam("incident_id", type_=Uuid))
)


async def note(tx: Transaction, incident_id: UUID, *, metric: str, priority: str, kind: str, at: datetime) -> bool:
    """Write down that something is told now that happened at an instant; False says that it was told before.

    Where the instant has moved since, as what the clock runs by was changed, it is put right.
    """
    names = {"incident_id": incident_id, "metric": metric, "priority": priority, "kind": kind}
    return bool(await tx.value(_NOTE, org=tx.caller.org, told_at=tx.now, at=at, **names))


async def withdraw(
    tx: Transaction, not_reached: Sequence[tuple[UUID, str, str, str]]
) -> frozenset[tuple[UUID, str, str]]:
    """Take back what was told of clocks that stand otherwise now, so that it is told again when it happens.

    Each is an incident's id, a metric, a priority and a kind; returns of which clocks something was told.
    """
    if not not_reached:
        return frozenset()
    columns = dict(zip(_KEY, map(list, zip(*not_reached, strict=True)), strict=True))
    return frozenset(tuple(row) for row in await tx.all(_WITHDRAW, **columns))


async def notices_of(tx: Reading, incident_id: UUID) -> Sequence[Any]:
    """Return what was told: `kind` (`warned`, `breached`), metric, priority, when it happened and when it was told."""
    return await tx.all(_GIVEN, incident_id=incident_id)
