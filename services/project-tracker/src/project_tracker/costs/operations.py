"""The use cases of a project's costs."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.batch import Known, Upsert, identity_of, known_rows, write_batch
from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database, Statement
from chassis.keys import command, conclude
from chassis.outcome import Mode, Written
from chassis.reading import get_to_change
from chassis.rejection import Fault, Rejection, invalid
from chassis.writing import add
from project_tracker.costs.schemas import NewCost, Reversal
from project_tracker.costs.tables import COSTS
from project_tracker.plans.references import Named, named_tasks, task_of
from project_tracker.plans.tasks.operations import Tasks
from project_tracker.projects.drafts import amount_of
from project_tracker.projects.operations import Projects
from project_tracker.projects.parts import Parts

_PLAIN = frozenset({"incurred_at", "category", "description", "reference", "external_source", "external_id", "labels"})

cost = COSTS.table
_REVERSALS = Statement(
    select(cost.c.reversal_of).where(cost.c.reversal_of == func.any(bindparam("ids", type_=ARRAY(Uuid, dimensions=1))))
)
_REVERSED = Rejection("conflict", "cost-reversed", "A cost that was reversed stays as it is.")


class Costs(Parts):
    """The actual costs of projects."""

    def __init__(self, database: Database, seal: CursorSeal, projects: Projects, tasks: Tasks) -> None:
        super().__init__(database, seal, projects, COSTS)
        self._tasks = tasks

    async def create(self, caller: Caller, project_id: UUID, new: NewCost) -> Written:
        """Book a cost."""
        async with command(self._database, caller) as tx:
            project = await self._projects.share(tx, project_id)
            values = _values(new, await named_tasks(tx, self._tasks, project_id, [new]), project)
            return await add(tx, COSTS, values, at=new.incurred_at)

    async def batch(
        self, caller: Caller, project_id: UUID, items: Sequence[NewCost | Rejection], mode: Mode
    ) -> Written:
        """Book many; those with an external id that is known are brought up to date, unless they were reversed."""
        async with command(self._database, caller) as tx:
            project = await self._projects.share(tx, project_id)
            named = await named_tasks(tx, self._tasks, project_id, items)
            upserts = [_judged(item, named, project) for item in items]
            identities = [identity_of(COSTS, one.values) for one in upserts if isinstance(one, Upsert)]
            known = await known_rows(tx, COSTS, identities, owner=project_id)
            rows = await tx.all(_REVERSALS, ids=[row["id"] for row in known.values()]) if known else []
            reversed_ids = {row["reversal_of"] for row in rows}
            upserts = [_unless_reversed(one, known, reversed_ids) for one in upserts]
            return await conclude(tx, await write_batch(tx, COSTS, upserts, mode=mode, owner=project_id, known=known))

    async def reverse(self, caller: Caller, project_id: UUID, id_: UUID, reversal: Reversal) -> Written:
        """Book the same amount with the other sign, once."""
        async with command(self._database, caller) as tx:
            await self._projects.share(tx, project_id)
            row = await get_to_change(tx, COSTS, id_, owner=project_id)
            if row["reversal_of"] is not None:
                raise Rejection("conflict", "cost-is-reversal", "A reversal is not reversed; book the cost again.")
            at = reversal.incurred_at or row["incurred_at"]
            if at < row["incurred_at"]:
                message = "A cost is not reversed before it was incurred."
                raise invalid(Fault("/incurred_at", "before-cost", message))
            kept = {name: row[name] for name in ("project_id", "task_id", "currency", "category", "reference")}
            values = kept | {
                "incurred_at": at,
                "amount": -row["amount"],
                "description": reversal.reason,
                "reversal_of": id_,
            }
            return await add(tx, COSTS, values, at=at)


def _values(new: NewCost, named: Named, project: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(new, name) for name in _PLAIN}
    return values | {
        "project_id": project["id"],
        "task_id": task_of(new, named, needed=False),
        "amount": amount_of(new.amount, project["currency"], "/amount"),
        "currency": project["currency"],
        "reversal_of": None,
    }


def _judged(item: NewCost | Rejection, named: Named, project: Mapping[str, Any]) -> Upsert | Rejection:
    if isinstance(item, Rejection):
        return item
    try:
        values = _values(item, named, project)
    except Rejection as refused:
        return refused
    sent = item.model_fields_set
    changing = (sent & _PLAIN) | {"amount"} | ({"task_id"} if sent & {"wbs", "task_id"} else set())
    return Upsert(values=values, named=frozenset(changing), at=item.incurred_at)


def _unless_reversed(upsert: Upsert | Rejection, known: Known, reversed_ids: Collection[UUID]) -> Upsert | Rejection:
    """Refuse what would change a cost that was reversed."""
    if isinstance(upsert, Rejection):
        return upsert
    row = known.get(identity_of(COSTS, upsert.values))
    if row is None or row["id"] not in reversed_ids:
        return upsert
    return _REVERSED.anew() if any(row[name] != upsert.values[name] for name in upsert.named) else upsert
