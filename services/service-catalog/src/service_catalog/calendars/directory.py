"""Which calendars there are, for the slices whose resources are counted by one."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.database import Statement, Transaction
from service_catalog.calendars.tables import CALENDARS

calendar = CALENDARS.table
_FIND = Statement(
    select(calendar.c.id)
    .where(calendar.c.id == func.any(bindparam("ids", type_=ARRAY(Uuid))))
    .order_by(calendar.c.id)
    .with_for_update(of=calendar, read=True, key_share=True)
)


async def find_calendars(tx: Transaction, ids: Iterable[UUID | None]) -> frozenset[UUID]:
    """Return those of the calendars that exist; none is deleted before the transaction ends."""
    wanted = sorted({id_ for id_ in ids if id_ is not None})
    return frozenset(row["id"] for row in await tx.all(_FIND, ids=wanted)) if wanted else frozenset()
