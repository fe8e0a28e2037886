"""The use cases of a project's costs."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from chassis.batch import Upsert, write_batch
from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database
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
        """Book many; those with an external id that is known are brought up to date."""
        async with command(self._database, caller) as tx:
            project = await self._projects.share(tx, project_id)
            named = await named_tasks(tx, self._tasks, project_id, items)
            upserts = [_judged(item, named, project) for item in items]
            return await conclude(tx, await write_batch(tx, COSTS, upserts, mode=mode, owner=project_id))

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
