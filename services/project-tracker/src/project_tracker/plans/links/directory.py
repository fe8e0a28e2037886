"""What other slices ask of links: which there are in a plan."""

from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select

from chassis.database import Reading, Statement, Transaction
from project_tracker.plans.links.soundness import Ends
from project_tracker.plans.tables import dependency

_ALL = Statement(
    select(
        dependency.c.id,
        dependency.c.predecessor_id,
        dependency.c.successor_id,
        dependency.c.type,
        dependency.c.lag,
        dependency.c.external_source,
        dependency.c.external_id,
    )
    .where(dependency.c.project_id == bindparam("project_id", type_=Uuid))
    .order_by(dependency.c.created_at, dependency.c.id)
)


async def link_rows(tx: Reading, project_id: UUID) -> list[Any]:
    """Return the rows of all links of a project, oldest first."""
    return await tx.all(_ALL, project_id=project_id)


async def links_of(tx: Transaction, project_id: UUID) -> list[Ends]:
    """Return the links of a project without their lags."""
    return [ends_of(row) for row in await link_rows(tx, project_id)]


def ends_of(row: Any) -> Ends:
    """Return a link's row without its lag."""
    return Ends(row["predecessor_id"], row["successor_id"], row["type"])
