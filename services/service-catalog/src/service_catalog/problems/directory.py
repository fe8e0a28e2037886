"""Which problems there are, for the incidents that belong to one, and the improvements that come from one."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.database import Reading, Statement, Transaction
from service_catalog.problems.tables import problem

_HOLD = Statement(
    select(*(problem.c[name] for name in ("id", "title", "state", "workaround", "resolution")))
    .where(problem.c.id == bindparam("id", type_=Uuid))
    .with_for_update(of=problem, read=True)
)
_AMONG = Statement(
    select(problem.c.id).where(problem.c.id == func.any(bindparam("ids", type_=ARRAY(Uuid, dimensions=1))))
)


async def hold_problem(tx: Transaction, id_: UUID) -> Any:
    """Return id, title, state, workaround and resolution of a problem, or None; no command changes it meanwhile."""
    return await tx.one(_HOLD, id=id_)


async def existing_problems(tx: Reading, ids: Collection[UUID]) -> frozenset[UUID]:
    """Return those of the problems that exist; none is ever deleted."""
    return frozenset(row["id"] for row in await tx.all(_AMONG, ids=sorted(ids))) if ids else frozenset()
