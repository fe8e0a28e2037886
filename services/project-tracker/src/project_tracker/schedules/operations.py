"""The use case of schedules: loading a plan and computing it; nothing is written."""

import asyncio
from datetime import date, datetime
from uuid import UUID

from chassis.caller import Caller
from chassis.database import Database, Reading
from chassis.outcome import Found
from chassis.rejection import Rejection, UnmetGuard
from project_tracker.calendars.directory import working_calendars
from project_tracker.moments import ending
from project_tracker.plans.links.directory import link_rows
from project_tracker.plans.tasks.operations import Tasks
from project_tracker.progress.directory import latest_progress
from project_tracker.projects.operations import Projects
from project_tracker.schedules.documents import schedule_text
from project_tracker.schedules.engine import compute_schedule
from project_tracker.schedules.loading import StoredPlan
from project_tracker.schedules.plan import PlanRefusedError
from project_tracker.schedules.schedule import Schedule


class Schedules:
    """Schedules of projects, computed when asked for."""

    def __init__(self, database: Database, projects: Projects, tasks: Tasks) -> None:
        self._database = database
        self._projects = projects
        self._tasks = tasks

    async def get(self, caller: Caller, project_id: UUID, status_at: datetime | date | None) -> Found:
        """Return the schedule; with a status time, remaining work starts no earlier than it.

        The computing is done off the loop and without a connection, so that others are served meanwhile.
        """
        async with self._database.read(caller) as tx:
            stored, at = await self.load(tx, project_id, status_at)
        return Found(await asyncio.to_thread(_computed_text, stored, at))

    async def load(
        self, tx: Reading, project_id: UUID, status_at: datetime | date | None
    ) -> tuple[StoredPlan, datetime | None]:
        """Return all that the schedule follows from, and the instant that the status time means."""
        project = await self._projects.read(tx, project_id)
        tasks = await self._tasks.plan(tx, project_id)
        links = await link_rows(tx, project_id)
        wanted = {project["calendar_id"], *(task["calendar_id"] for task in tasks)}
        calendars = await working_calendars(tx, wanted)
        at = None if status_at is None else ending(status_at, calendars[project["calendar_id"]].timezone)
        progress = {} if at is None else await latest_progress(tx, project_id, at)
        return StoredPlan(project, tasks, links, calendars, progress), at


def computed(stored: StoredPlan, status_at: datetime | None = None) -> Schedule:
    """Return the schedule of a plan; refused with every reason where it has none."""
    try:
        return compute_schedule(stored.plan(), status_at)
    except PlanRefusedError as refused:
        raise unschedulable(refused) from refused


def unschedulable(refused: PlanRefusedError) -> Rejection:
    """Refuse to schedule a plan that allows none."""
    guards = [
        UnmetGuard(
            fault.code.replace("_", "-"), fault.message, f"tasks/{fault.task_ids[0]}" if fault.task_ids else None
        )
        for fault in refused.faults
    ]
    return Rejection("conflict", "plan-unschedulable", "The plan allows no schedule.", guards=guards)


def _computed_text(stored: StoredPlan, status_at: datetime | None) -> str:
    try:
        plan = stored.plan()
        return schedule_text(stored, plan, compute_schedule(plan, status_at), status_at)
    except PlanRefusedError as refused:
        raise unschedulable(refused) from refused
