"""The use cases of baselines: freezing a plan once, with one event for it and one for each of its tasks."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, select

from chassis import ids
from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database, Statement, Transaction
from chassis.keys import command, conclude
from chassis.listing import Listing
from chassis.outcome import Page, Written
from chassis.reading import get, list_page
from chassis.rejection import Fault, Rejection, invalid
from chassis.writing import Row, insert_many, insert_one
from project_tracker.baselines.freezing import explicit, scheduled, totals
from project_tracker.baselines.schemas import NewBaseline
from project_tracker.baselines.tables import BASELINE_TASKS, BASELINES, baseline
from project_tracker.calendars.directory import calendar_document
from project_tracker.projects.drafts import amount_of
from project_tracker.projects.lifecycle import BEFORE_EXECUTION
from project_tracker.projects.operations import IMPORT, Projects
from project_tracker.projects.parts import Parts
from project_tracker.schedules.operations import Schedules, computed

APPROVE = "projects:approve"
_EARLIER = Statement(
    select(func.max(baseline.c.number).label("number"), func.count(baseline.c.approved_at).label("approved")).where(
        baseline.c.project_id == bindparam("project_id", type_=Uuid)
    )
)


class Baselines(Parts):
    """The baselines of projects; they never change."""

    def __init__(self, database: Database, seal: CursorSeal, projects: Projects, schedules: Schedules) -> None:
        super().__init__(database, seal, projects, BASELINES)
        self._schedules = schedules

    async def create(self, caller: Caller, project_id: UUID, new: NewBaseline) -> Written:
        """Freeze and approve a baseline: today's schedule, or with the scope to import what another tool froze."""
        is_import = new.tasks is not None or new.approved_at is not None
        caller.require(IMPORT if is_import else APPROVE)
        async with command(self._database, caller, alone_in=project_id) as tx:
            project = await self._projects.hold(tx, project_id)
            earlier = await tx.one(_EARLIER, project_id=project_id)
            if not is_import:
                _refuse_later(project, earlier["approved"])
            if new.approved_at is not None and new.approved_at > tx.now:
                raise invalid(Fault("/approved_at", "in-the-future", "A baseline is not approved in the future."))
            frozen = await self._frozen(tx, project, new)
            values = {
                **_values(project, new, frozen),
                "number": (earlier["number"] or 0) + 1,
                "calendar": await calendar_document(tx, project["calendar_id"]),
                "approved_at": new.approved_at or tx.now,
                "approved_by": caller.subject,
            }
            at = values["approved_at"]
            written = await insert_one(tx, BASELINES, values, at=at)
            tasks = [
                Row(id=ids.new_id(), values=task | {"baseline_id": written.id}, verb="created", at=at)
                for task in frozen
            ]
            events = await insert_many(tx, BASELINE_TASKS, tasks)
            return await conclude(tx, replace(written, event_id=events[-1]["event_id"]))

    async def list_tasks(self, caller: Caller, project_id: UUID, listing: Listing) -> Page:
        """Return a page of the tasks of the baseline that is the listing's owner."""
        async with self._database.read(caller) as tx:
            if listing.owner is not None:
                await get(tx, BASELINES, listing.owner, owner=project_id)
            return await list_page(tx, BASELINE_TASKS, listing, self._seal)

    async def _frozen(self, tx: Transaction, project: Mapping[str, Any], new: NewBaseline) -> list[dict[str, Any]]:
        stored, _ = await self._schedules.load(tx, project["id"], None)
        if not stored.tasks:
            raise Rejection("conflict", "plan-empty", "A plan without tasks has nothing to freeze.")
        if new.tasks is not None:
            return explicit(stored.tasks, new.tasks, project["currency"])
        schedule = await asyncio.to_thread(computed, stored)
        return scheduled(stored.tasks, schedule.tasks)


def _refuse_later(project: Mapping[str, Any], approved: int) -> None:
    if approved:
        raise Rejection(
            "conflict",
            "change-request-required",
            "The project has an approved baseline; another one needs an approved change request.",
        )
    if project["state"] not in BEFORE_EXECUTION:
        raise Rejection("conflict", "execution-begun", f"The project is {project['state']}: its plan is under way.")


def _values(project: Mapping[str, Any], new: NewBaseline, frozen: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    sums = totals(frozen)
    reserve = amount_of(new.management_reserve, project["currency"], "/management_reserve")
    return {
        "project_id": project["id"],
        "external_source": new.external_source,
        "external_id": new.external_id,
        "name": new.name,
        "reason": new.reason,
        "currency": project["currency"],
        "bac": sums.bac,
        "management_reserve": reserve or Decimal(0),
        "task_count": len(frozen),
        "start": sums.start,
        "finish": sums.finish,
        "calendar_id": project["calendar_id"],
    }
