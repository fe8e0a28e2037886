"""What was told of an incident's SLA clocks: each warning and each breach once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Reading, Statement, Transaction
from chassis.resource import Instant
from service_catalog.sla.tables import sla_notice

ACTOR = "system"
_NOTE = Statement(
    insert(sla_notice)
    .values(
        org=bindparam("org", type_=Text),
        incident_id=bindparam("incident_id", type_=Uuid),
        metric=bindparam("metric", type_=Text),
        priority=bindparam("priority", type_=Text),
        kind=bindparam("kind", type_=Text),
        at=bindparam("at", type_=Instant),
        told_at=bindparam("told_at", type_=Instant),
    )
    .on_conflict_do_nothing()
)
_GIVEN = Statement(
    select(
        func.coalesce(sla_notice.c.at, sla_notice.c.told_at).label("at"),
        *(sla_notice.c[name] for name in ("kind", "metric", "priority", "told_at")),
    ).where(sla_notice.c.incident_id == bindparam("incident_id", type_=Uuid))
)


async def note(tx: Transaction, incident_id: UUID, *, metric: str, priority: str, kind: str, at: datetime) -> bool:
    """Write down that something is told now that happened at an instant; False says that it was told before."""
    names = {"incident_id": incident_id, "metric": metric, "priority": priority, "kind": kind}
    return bool(await tx.run(_NOTE, org=tx.caller.org, told_at=tx.now, at=at, **names))


async def notices_of(tx: Reading, incident_id: UUID) -> Sequence[Any]:
    """Return what was told: `kind` (`warned`, `breached`), metric, priority, when it happened and when it was told."""
    return await tx.all(_GIVEN, incident_id=incident_id)
