"""Which problems there are, for the incidents that belong to one."""

from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select

from chassis.database import Statement, Transaction
from service_catalog.problems.tables import problem

_HOLD = Statement(
    select(*(problem.c[name] for name in ("id", "title", "state", "workaround", "resolution")))
    .where(problem.c.id == bindparam("id", type_=Uuid))
    .with_for_update(of=problem, read=True)
)


async def hold_problem(tx: Transaction, id_: UUID) -> Any:
    """Return id, title, state, workaround and resolution of a problem, or None; no command changes it meanwhile."""
    return await tx.one(_HOLD, id=id_)
