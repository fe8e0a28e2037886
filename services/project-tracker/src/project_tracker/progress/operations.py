"""The use cases of progress reports."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from chassis.batch import Upsert, write_batch
from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database
from chassis.keys import command, conclude
from chassis.outcome import Mode, Written
from chassis.reading import get, get_to_change
from chassis.rejection import Rejection
from chassis.writing import add, delete_one, revise
from project_tracker.plans.references import Named, named_tasks, task_of
from project_tracker.plans.tasks.operations import Tasks
from project_tracker.progress.schemas import NewProgressReport, ProgressReportPatch
from project_tracker.progress.tables import PROGRESS_REPORTS
from project_tracker.projects.operations import Projects
from project_tracker.projects.parts import Parts

_FIELDS = frozenset(NewProgressReport.model_fields) - {"wbs", "task_id"}


class ProgressReports(Parts):
    """The progress reports of projects."""

    def __init__(self, database: Database, seal: CursorSeal, projects: Projects, tasks: Tasks) -> None:
        super().__init__(database, seal, projects, PROGRESS_REPORTS)
        self._tasks = tasks

    async def create(self, caller: Caller, project_id: UUID, new: NewProgressReport) -> Written:
        """Report how far a task was; once a task and status time."""
        async with command(self._database, caller) as tx:
            await self._projects.share(tx, project_id)
            values = _values(new, await named_tasks(tx, self._tasks, project_id, [new]), project_id)
            return await add(tx, PROGRESS_REPORTS, values, at=new.status_at)

    async def change(
        self, caller: Caller, project_id: UUID, id_: UUID, patch: ProgressReportPatch, expected: int | None
    ) -> Written:
        """Correct a report."""
        async with command(self._database, caller) as tx:
            await self._projects.share(tx, project_id)
            row = await get_to_change(tx, PROGRESS_REPORTS, id_, owner=project_id, expected=expected)
            changes = patch.changes(row)
            return await conclude(tx, await revise(tx, PROGRESS_REPORTS, row, changes))

    async def delete(self, caller: Caller, project_id: UUID, id_: UUID, expected: int | None) -> Written:
        """Take back a report."""
        async with command(self._database, caller) as tx:
            await self._projects.share(tx, project_id)
            await get(tx, PROGRESS_REPORTS, id_, owner=project_id)
            return await conclude(tx, await delete_one(tx, PROGRESS_REPORTS, id_, expected=expected))

    async def batch(
        self, caller: Caller, project_id: UUID, items: Sequence[NewProgressReport | Rejection], mode: Mode
    ) -> Written:
        """Add or change many."""
        async with command(self._database, caller) as tx:
            await self._projects.share(tx, project_id)
            named = await named_tasks(tx, self._tasks, project_id, items)
            upserts = [_judged(item, named, project_id) for item in items]
            return await conclude(tx, await write_batch(tx, PROGRESS_REPORTS, upserts, mode=mode, owner=project_id))


def _values(new: NewProgressReport, named: Named, project_id: UUID) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(new, name) for name in _FIELDS}
    return values | {"project_id": project_id, "task_id": task_of(new, named, needed=True)}


def _judged(item: NewProgressReport | Rejection, named: Named, project_id: UUID) -> Upsert | Rejection:
    if isinstance(item, Rejection):
        return item
    try:
        values = _values(item, named, project_id)
    except Rejection as refused:
        return refused
    return Upsert(values=values, named=frozenset(item.model_fields_set & _FIELDS | {"task_id"}), at=item.status_at)
