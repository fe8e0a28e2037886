"""The use cases of budget lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chassis.batch import Upsert, write_batch
from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database, Transaction
from chassis.keys import command, conclude
from chassis.outcome import Mode, Written
from chassis.reading import get
from chassis.rejection import Fault, Rejection, invalid
from chassis.writing import add, delete_one
from project_tracker.budget_lines.schemas import NewBudgetLine
from project_tracker.budget_lines.tables import BUDGET_LINES
from project_tracker.calendars.directory import working_calendars
from project_tracker.moments import beginning, ending
from project_tracker.plans.references import Named, named_tasks, task_of
from project_tracker.plans.tasks.operations import Tasks
from project_tracker.projects.drafts import amount_of
from project_tracker.projects.operations import Projects
from project_tracker.projects.parts import Parts

_PLAIN = frozenset({"description", "external_source", "external_id", "labels"})


@dataclass(frozen=True, slots=True)
class _Context:
    project: Mapping[str, Any]
    timezone: str
    named: Named


class BudgetLines(Parts):
    """The budget lines of projects."""

    def __init__(self, database: Database, seal: CursorSeal, projects: Projects, tasks: Tasks) -> None:
        super().__init__(database, seal, projects, BUDGET_LINES)
        self._tasks = tasks

    async def create(self, caller: Caller, project_id: UUID, new: NewBudgetLine) -> Written:
        """Plan value over a period."""
        async with command(self._database, caller) as tx:
            context = await self._context(tx, project_id, [new])
            return await add(tx, BUDGET_LINES, _values(new, context))

    async def delete(self, caller: Caller, project_id: UUID, id_: UUID, expected: int | None) -> Written:
        """Take a line out of the plan."""
        async with command(self._database, caller) as tx:
            await self._projects.share(tx, project_id)
            await get(tx, BUDGET_LINES, id_, owner=project_id)
            return await conclude(tx, await delete_one(tx, BUDGET_LINES, id_, expected=expected))

    async def batch(
        self, caller: Caller, project_id: UUID, items: Sequence[NewBudgetLine | Rejection], mode: Mode
    ) -> Written:
        """Add many; those with an external id that is known are brought up to date."""
        async with command(self._database, caller) as tx:
            context = await self._context(tx, project_id, items)
            upserts = [_judged(item, context) for item in items]
            return await conclude(tx, await write_batch(tx, BUDGET_LINES, upserts, mode=mode, owner=project_id))

    async def _context(self, tx: Transaction, project_id: UUID, items: Sequence[NewBudgetLine | Rejection]) -> _Context:
        project = await self._projects.share(tx, project_id)
        calendars = await working_calendars(tx, {project["calendar_id"]})
        named = await named_tasks(tx, self._tasks, project_id, items)
        return _Context(project, calendars[project["calendar_id"]].timezone, named)


def _values(new: NewBudgetLine, context: _Context) -> dict[str, Any]:
    start = beginning(new.period_start, context.timezone)
    end = ending(new.period_end, context.timezone)
    if end < start:
        raise invalid(Fault("/period_end", "before-start", "A period does not end before it starts."))
    currency = context.project["currency"]
    values: dict[str, Any] = {name: getattr(new, name) for name in _PLAIN}
    return values | {
        "project_id": context.project["id"],
        "task_id": task_of(new, context.named, needed=False),
        "period_start": start,
        "period_end": end,
        "amount": amount_of(new.amount, currency, "/amount"),
        "currency": currency,
    }


def _judged(item: NewBudgetLine | Rejection, context: _Context) -> Upsert | Rejection:
    if isinstance(item, Rejection):
        return item
    try:
        values = _values(item, context)
    except Rejection as refused:
        return refused
    sent = item.model_fields_set
    changing = (sent & _PLAIN) | {"amount", "period_start", "period_end"}
    return Upsert(values=values, named=frozenset(changing | ({"task_id"} if sent & {"wbs", "task_id"} else set())))
