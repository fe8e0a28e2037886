"""Facts about projects, read as the rules of earned value take them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis.database import Statement, Transaction
from chassis.working_time import STANDARD, WorkingCalendar
from kpi_engine.earned_value.facts import (
    Baseline,
    BaselineTask,
    BudgetLine,
    Cost,
    EarningRule,
    FixedAccrual,
    ProgressReport,
    TaskKind,
)
from kpi_engine.facts.calendars import working_calendar

_PROJECTS = Statement(
    text(
        """SELECT project.id, project.currency, project.start_at, project.ended_at,
            calendar.document::text AS calendar
        FROM project_fact AS project
        LEFT JOIN calendar_fact AS calendar
            ON calendar.org = project.org AND calendar.projection = project.projection
            AND calendar.id = project.calendar_id AND NOT calendar.deleted
        WHERE project.projection = cast(:filling AS integer) AND NOT project.deleted
            AND (cast(:id AS uuid) IS NULL OR project.id = cast(:id AS uuid))
            AND (cast(:after AS uuid) IS NULL OR project.id > cast(:after AS uuid))
        ORDER BY project.id LIMIT cast(:size AS bigint)"""
    )
)
# A baseline is told task by task: it is known when all of them are, and plans something when one is no summary.
_BASELINES = Statement(
    text(
        """SELECT baseline.id, baseline.project_id, baseline.approved_at, baseline.management_reserve,
            baseline.calendar::text AS calendar
        FROM baseline_fact AS baseline
        CROSS JOIN LATERAL (
            SELECT count(*) AS tasks, count(*) FILTER (WHERE kind <> 'summary') AS leaves
            FROM baseline_task_fact AS task
            WHERE task.org = baseline.org AND task.projection = baseline.projection
                AND task.baseline_id = baseline.id AND NOT task.deleted
        ) AS told
        WHERE baseline.projection = cast(:filling AS integer) AND NOT baseline.deleted
            AND baseline.project_id = ANY (cast(:projects AS uuid[])) AND baseline.approved_at IS NOT NULL
            AND told.tasks = baseline.task_count AND told.leaves > 0
        ORDER BY baseline.approved_at, baseline.number, baseline.id"""
    )
)
_BASELINE_TASKS = Statement(
    text(
        """SELECT baseline_id, task_id, wbs, kind, start, finish, budget, fixed_budget, fixed_accrual,
            earning_rule, milestone_weights
        FROM baseline_task_fact
        WHERE projection = cast(:filling AS integer) AND baseline_id = ANY (cast(:baselines AS uuid[]))
            AND NOT deleted
        ORDER BY baseline_id, wbs, id"""
    )
)
_LINES = Statement(
    text(
        """SELECT project_id, task_id, period_start, period_end, amount FROM budget_line_fact
        WHERE projection = cast(:filling AS integer) AND project_id = ANY (cast(:projects AS uuid[]))
            AND NOT deleted
        ORDER BY period_start, id"""
    )
)
_REPORTS = Statement(
    text(
        """SELECT id, project_id, task_id, status_at, percent_complete FROM progress_report_fact
        WHERE projection = cast(:filling AS integer) AND project_id = ANY (cast(:projects AS uuid[]))
            AND status_at <= cast(:until AS timestamptz) AND NOT deleted
        ORDER BY status_at, id"""
    )
)
_COSTS = Statement(
    text(
        """SELECT id, project_id, task_id, incurred_at, amount, category FROM project_cost_fact
        WHERE projection = cast(:filling AS integer) AND project_id = ANY (cast(:projects AS uuid[]))
            AND incurred_at <= cast(:until AS timestamptz) AND NOT deleted
        ORDER BY incurred_at, id"""
    )
)
_TASKS = Statement(
    text(
        """SELECT id, project_id, wbs, kind, actual_finish_at FROM task_fact
        WHERE projection = cast(:filling AS integer) AND project_id = ANY (cast(:projects AS uuid[]))
            AND NOT deleted
        ORDER BY wbs, id"""
    )
)

Choose = Callable[["Project", Sequence[Baseline]], Iterable[Baseline]]


@dataclass(frozen=True, slots=True)
class Project:
    """A project as far as its figures need it."""

    id: UUID
    currency: str
    start_at: datetime | None
    ended_at: datetime | None
    calendar: WorkingCalendar


@dataclass(frozen=True, slots=True)
class KnownTask:
    """A task of the present plan."""

    id: str
    wbs: str
    kind: str
    actual_finish_at: datetime | None


@dataclass(frozen=True, slots=True)
class KnownReport:
    """A progress report with what names it."""

    id: UUID
    fact: ProgressReport


@dataclass(frozen=True, slots=True)
class KnownCost:
    """A cost with what names it."""

    id: UUID
    category: str | None
    fact: Cost


@dataclass(frozen=True, slots=True)
class ProjectRecord:
    """What is known about one project up to an instant; only the baselines asked for carry their tasks."""

    project: Project
    baselines: tuple[Baseline, ...]
    reports: tuple[KnownReport, ...]
    costs: tuple[KnownCost, ...]
    tasks: tuple[KnownTask, ...]


async def projects(
    tx: Transaction, filling: int, *, size: int, id_: UUID | None = None, after: UUID | None = None
) -> list[Project]:
    """Return projects in the order of their ids: the one with an id, or a page after one."""
    rows = await tx.all(_PROJECTS, filling=filling, id=id_, after=after, size=size)
    return [
        Project(
            id=row["id"],
            currency=row["currency"],
            start_at=row["start_at"],
            ended_at=row["ended_at"],
            calendar=STANDARD if row["calendar"] is None else working_calendar(row["calendar"]),
        )
        for row in rows
    ]


async def records(
    tx: Transaction, filling: int, wanted: Sequence[Project], until: datetime, choose: Choose
) -> list[ProjectRecord]:
    """Return what is known about projects up to an instant, in the order given.

    `choose` says of a project which of its approved baselines are needed; only their tasks are read.
    """
    of_all = {"filling": filling, "projects": [project.id for project in wanted]}
    lines: dict[UUID, list[BudgetLine]] = defaultdict(list)
    for row in await tx.all(_LINES, **of_all):
        line = BudgetLine(_text(row["task_id"]), row["period_start"], row["period_end"], row["amount"])
        lines[row["project_id"]].append(line)
    by_id = {project.id: project for project in wanted}
    baselines: dict[UUID, list[Baseline]] = defaultdict(list)
    for row in await tx.all(_BASELINES, **of_all):
        owner = by_id[row["project_id"]]
        baselines[owner.id].append(_baseline(row, owner, tuple(lines[owner.id])))
    needed = {one.id for project in wanted for one in choose(project, baselines[project.id])}
    tasks: dict[str, list[BaselineTask]] = defaultdict(list)
    if needed:
        for row in await tx.all(_BASELINE_TASKS, filling=filling, baselines=[UUID(one) for one in needed]):
            tasks[str(row["baseline_id"])].append(_baseline_task(row))
    reports: dict[UUID, list[KnownReport]] = defaultdict(list)
    for row in await tx.all(_REPORTS, **of_all, until=until):
        fact = ProgressReport(str(row["task_id"]), row["status_at"], row["percent_complete"])
        reports[row["project_id"]].append(KnownReport(row["id"], fact))
    costs: dict[UUID, list[KnownCost]] = defaultdict(list)
    for row in await tx.all(_COSTS, **of_all, until=until):
        cost = Cost(_text(row["task_id"]), row["incurred_at"], row["amount"])
        costs[row["project_id"]].append(KnownCost(row["id"], row["category"], cost))
    present: dict[UUID, list[KnownTask]] = defaultdict(list)
    for row in await tx.all(_TASKS, **of_all):
        task = KnownTask(str(row["id"]), row["wbs"], row["kind"], row["actual_finish_at"])
        present[row["project_id"]].append(task)
    return [
        ProjectRecord(
            project,
            tuple(replace(one, tasks=tuple(tasks[one.id])) for one in baselines[project.id]),
            tuple(reports[project.id]),
            tuple(costs[project.id]),
            tuple(present[project.id]),
        )
        for project in wanted
    ]


def _baseline(row: Any, project: Project, lines: tuple[BudgetLine, ...]) -> Baseline:
    return Baseline(
        id=str(row["id"]),
        calendar=project.calendar if row["calendar"] is None else working_calendar(row["calendar"]),
        tasks=(),
        lines=lines,
        approved_at=row["approved_at"],
        management_reserve=row["management_reserve"],
    )


def _baseline_task(row: Any) -> BaselineTask:
    return BaselineTask(
        task_id=str(row["task_id"]),
        wbs=row["wbs"],
        start=row["start"],
        finish=row["finish"],
        budget=row["budget"],
        fixed_budget=row["fixed_budget"],
        fixed_accrual=FixedAccrual(row["fixed_accrual"]),
        earning_rule=EarningRule(row["earning_rule"]),
        kind=TaskKind(row["kind"]),
        milestone_weights=tuple(row["milestone_weights"] or ()),
    )


def _text(id_: UUID | None) -> str | None:
    return None if id_ is None else str(id_)
