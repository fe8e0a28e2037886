"""Timers: which incidents the worker is to look at, and when.

What changes an incident, or what its clocks run by, sets its timer to now, in the same transaction; the worker
reckons when it is due next. An incident's timer is locked after the incident itself.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Text, Uuid, bindparam, column, delete, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from chassis.database import Statement, Transaction
from chassis.resource import Instant
from service_catalog.sla.tables import incident_timer

_NOW = bindparam("now", type_=Instant)
_LINES = (
    func.unnest(
        bindparam("incident_ids", type_=ARRAY(Uuid, dimensions=1)),
        bindparam("service_ids", type_=ARRAY(Uuid, dimensions=1)),
    )
    .table_valued(column("incident_id", Uuid), column("service_id", Uuid), name="line")
    .render_derived()
)
_NEW = insert(incident_timer).from_select(
    ["org", "incident_id", "service_id", "due_at"],
    select(bindparam("org", type_=Text), _LINES.c.incident_id, _LINES.c.service_id, _NOW),
)
_MARK = Statement(
    _NEW.on_conflict_do_update(
        constraint="incident_timer_pkey",
        set_={"service_id": _NEW.excluded.service_id, "due_at": _NEW.excluded.due_at},
    )
)
_ALL = select(incident_timer.c.incident_id).order_by(incident_timer.c.incident_id).with_for_update()
_RECHECK_ALL = Statement(update(incident_timer).where(incident_timer.c.incident_id.in_(_ALL)).values(due_at=_NOW))
_RECHECK_SERVICES = Statement(
    update(incident_timer)
    .where(
        incident_timer.c.incident_id.in_(
            _ALL.where(
                incident_timer.c.service_id == func.any(bindparam("service_ids", type_=ARRAY(Uuid, dimensions=1)))
            )
        )
    )
    .values(due_at=_NOW)
)

_ONES = incident_timer.c.incident_id == func.any(bindparam("incident_ids", type_=ARRAY(Uuid, dimensions=1)))
_DUE = Statement(
    select(incident_timer.c.org, incident_timer.c.incident_id)
    .where(incident_timer.c.due_at <= _NOW)
    .order_by(incident_timer.c.due_at)
    .limit(bindparam("most", type_=Integer))
)
_LOCK_DUE = Statement(
    select(incident_timer.c.incident_id)
    .where(_ONES, incident_timer.c.due_at <= _NOW)
    .order_by(incident_timer.c.incident_id)
    .with_for_update(skip_locked=True)
)
_NEXT = (
    func.unnest(
        bindparam("incident_ids", type_=ARRAY(Uuid, dimensions=1)),
        bindparam("due", type_=ARRAY(Instant, dimensions=1)),
    )
    .table_valued(column("incident_id", Uuid), column("due_at", Instant), name="following")
    .render_derived()
)
_SET = Statement(
    update(incident_timer).where(incident_timer.c.incident_id == _NEXT.c.incident_id).values(due_at=_NEXT.c.due_at)
)
_DROP = Statement(delete(incident_timer).where(_ONES))


async def due(tx: Transaction, most: int) -> Sequence[Any]:
    """Return the timers that are due, of all organisations, oldest first: `org` and `incident_id`."""
    return await tx.all(_DUE, now=tx.now, most=most)


async def lock_due(tx: Transaction, incident_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Lock the timers of incidents, and return those that are still due and that nobody else holds."""
    rows = await tx.all(_LOCK_DUE, incident_ids=incident_ids, now=tx.now)
    return frozenset(row["incident_id"] for row in rows)


async def set_to(tx: Transaction, instants: Mapping[UUID, datetime | None]) -> None:
    """Have incidents looked at again, each at its instant, or only when it has changed."""
    if instants:
        await tx.run(_SET, incident_ids=list(instants), due=list(instants.values()))


async def drop(tx: Transaction, incident_ids: Sequence[UUID]) -> None:
    """Look at incidents no more."""
    if incident_ids:
        await tx.run(_DROP, incident_ids=incident_ids)


async def mark(tx: Transaction, incidents: Mapping[UUID, UUID]) -> None:
    """Have incidents looked at that have changed; each with its service."""
    if incidents:
        ids = sorted(incidents)
        services = [incidents[id_] for id_ in ids]
        await tx.run(_MARK, org=tx.caller.org, incident_ids=ids, service_ids=services, now=tx.now)


async def recheck_services(tx: Transaction, service_ids: Sequence[UUID]) -> None:
    """Have the incidents of services looked at: what their clocks run by has changed."""
    if service_ids:
        await tx.run(_RECHECK_SERVICES, service_ids=service_ids, now=tx.now)


async def recheck_all(tx: Transaction) -> None:
    """Have all incidents of the organisation looked at: a calendar has changed."""
    await tx.run(_RECHECK_ALL, now=tx.now)
