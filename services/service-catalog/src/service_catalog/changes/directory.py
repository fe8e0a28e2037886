"""Which changes there are, for the maintenance windows that they lead."""

from uuid import UUID

from sqlalchemy import Uuid, bindparam, literal_column, select

from chassis.database import Reading, Statement
from service_catalog.changes.tables import change

_LEADING = Statement(
    select(change.c.id).where(
        change.c.maintenance_window_id == bindparam("window_id", type_=Uuid),
        change.c.state.in_([literal_column("'scheduled'"), literal_column("'implementing'")]),
    )
)


async def leading(tx: Reading, window_id: UUID) -> UUID | None:
    """Return the change that leads a maintenance window: the one that opened it, until that is over."""
    found: UUID | None = await tx.value(_LEADING, window_id=window_id)
    return found
