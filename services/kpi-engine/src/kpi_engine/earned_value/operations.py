"""Earned value of projects and the KPIs that follow from it, computed from the facts."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database, Transaction
from chassis.rejection import Fault, invalid, not_found
from chassis.schemas import instant_text
from kpi_engine.definitions.answers import envelope, positions
from kpi_engine.definitions.envelope import Envelope, Period, Subject, SubjectType, Unit, written
from kpi_engine.definitions.pages import Answered, Evidence, page_of_items
from kpi_engine.definitions.periods import Grain, split
from kpi_engine.definitions.questions import Moment, Question, instant_of, unfit
from kpi_engine.earned_value.evidence import evidence
from kpi_engine.earned_value.facts import Against, Baseline
from kpi_engine.earned_value.figures import EacMethod
from kpi_engine.earned_value.study import Comparison, ProjectStudy, latest_possible, status_instant
from kpi_engine.facts.in_force import AsOf, snapshot
from kpi_engine.facts.projects import Project, projects, records
from kpi_engine.policies.holding import holding
from kpi_engine.policies.operations import PolicyInForce, policies_of

VALUES_MAX = 2000
PROJECTS_MAX = 50
_NO_AMOUNTS = frozenset({"milestones_missed", "spi_time"})
"""The KPIs whose numerators are counts or seconds."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked about the earned value of one project."""

    against: Against = Against.CURRENT
    eac_method: EacMethod = EacMethod.TYPICAL
    with_tasks: bool = False


class EarnedValues:
    """Earned value, earned schedule and milestones of projects."""

    def __init__(self, database: Database, seal: CursorSeal) -> None:
        self._database = database
        self._seal = seal

    async def at(self, caller: Caller, project_id: UUID, status_at: Moment | None, asked: Asked) -> dict[str, Any]:
        """Return all figures of one project at a status time, which is now where none is given."""
        async with self._database.begin(caller, read_only=True) as tx:
            as_of = await snapshot(tx)
            project = await _one(tx, as_of, project_id)
            status = status_instant(status_at, project, tx.now)
            comparison = Comparison(asked.against)
            (study,) = await _studies(tx, as_of, [project], comparison, lambda _: [status])
        return _document(study, status, asked, as_of)

    async def series(
        self,
        caller: Caller,
        project_id: UUID,
        start: Moment | None,
        end: Moment | None,
        grain: Grain,
        asked: Asked,
    ) -> dict[str, Any]:
        """Return the figures at the end of each day, week, month … of a span.

        The span begins with the baseline and ends with it or with what was last reported, at the latest now, where
        its ends are not given.
        """
        async with self._database.begin(caller, read_only=True) as tx:
            as_of = await snapshot(tx)
            project = await _one(tx, as_of, project_id)
            comparison = Comparison(asked.against)
            until = latest_possible([end], tx.now)
            (study,) = await _studies(tx, as_of, [project], comparison, lambda _: None, until=until)
            zone = project.calendar.timezone
            first = None if start is None else instant_of(start, zone, "from")
            last = None if end is None else status_instant(end, project, tx.now)
            begun, over = _extent(study, tx.now)
            periods = split(first or begun, last or max(over, first or begun), grain, zone)
        items = []
        for period in periods:
            items.append(_document(study, period.end, asked))
            await asyncio.sleep(0)
        return {"items": items, "next": None, "as_of": positions(as_of.positions)}

    async def values(self, caller: Caller, question: Question) -> Answered:
        """Return the series of one project, or of a page of projects."""
        if question.subject_type is not SubjectType.PROJECT:
            raise unfit(question.subject_type, question.kpi)
        comparison = _comparison(question)
        wanted = question.id_asked
        after = None if question.after is None else self._seal.open(question.binding, question.after)[1]
        async with self._database.begin(caller, read_only=True) as tx:
            as_of = await snapshot(tx)
            size = min(question.limit, PROJECTS_MAX)
            if question.grain is not Grain.TOTAL:
                start, end, timezone = question.span()
                size = max(1, min(size, VALUES_MAX // len(split(start, end, question.grain, timezone))))
            found = await projects(tx, as_of.filling, size=size + 1, id_=wanted, after=after)
            if wanted is not None and not found:
                raise not_found("project")
            page = found[:size]
            spans = {project.id: _periods(question, project, tx.now) for project in page}
            studies = await _studies(
                tx, as_of, page, comparison, lambda project: [period.end for period in spans[project.id]]
            )
            policies, now = await policies_of(tx), tx.now
        items: list[Envelope] = []
        for study in studies:
            periods = spans[study.record.project.id]
            items.extend(_value(study, period, question, policies, as_of, now) for period in periods)
            await asyncio.sleep(0)
        following = self._seal.seal(question.binding, "", page[-1].id) if len(found) > size else None
        return Answered(tuple(items), following)

    async def evidence(self, caller: Caller, question: Question) -> Evidence:
        """Return the baseline's tasks, the reports and the costs behind the value of one project."""
        if question.subject_type is not SubjectType.PROJECT:
            raise unfit(question.subject_type, question.kpi)
        if question.subject_id is None:
            raise invalid(Fault("subject_id", "missing", "Evidence is about one subject."))
        comparison = _comparison(question)
        async with self._database.begin(caller, read_only=True) as tx:
            as_of = await snapshot(tx)
            project = await _one(tx, as_of, question.id_asked)
            status = _periods(question, project, tx.now)[-1].end
            (study,) = await _studies(tx, as_of, [project], comparison, lambda _: [status])
        return page_of_items(evidence(study, status), question, as_of, self._seal)


async def _one(tx: Transaction, as_of: AsOf, project_id: UUID | None) -> Project:
    found = await projects(tx, as_of.filling, size=1, id_=project_id)
    if not found:
        raise not_found("project")
    return found[0]


async def _studies(
    tx: Transaction,
    as_of: AsOf,
    wanted: Sequence[Project],
    comparison: Comparison,
    status_times: Callable[[Project], Sequence[datetime] | None],
    *,
    until: datetime | None = None,
) -> list[ProjectStudy]:
    """Read projects up to their last status time, with the baselines that count at any of them (None: all)."""
    times = {project.id: status_times(project) for project in wanted}

    def choose(project: Project, baselines: Sequence[Baseline]) -> Iterable[Baseline]:
        asked = times[project.id]
        if asked is None:
            return baselines
        chosen = (comparison.choose(baselines, at) for at in asked)
        return [baseline for baseline in chosen if baseline is not None]

    last = until or max((at for asked in times.values() for at in asked or ()), default=tx.now)
    known = await records(tx, as_of.filling, wanted, last, choose)
    return [ProjectStudy(record, comparison) for record in known]


def _comparison(question: Question) -> Comparison:
    comparison = Comparison.parse(question.baseline)
    if comparison.baseline_id is not None:
        try:
            UUID(comparison.baseline_id)
        except ValueError:
            raise invalid(
                Fault("baseline", "not-one-of", "A baseline is `current`, `original` or the id of one.")
            ) from None
        if question.subject_id is None:
            raise invalid(Fault("baseline", "subject-missing", "One baseline belongs to one project."))
    return comparison


def _periods(question: Question, project: Project, now: datetime) -> list[Period]:
    """Return the periods whose ends are the status times: one up to the status time, or one a grain."""
    if question.status_at is not None and (question.end is not None or question.grain is not Grain.TOTAL):
        raise invalid(
            Fault("status_at", "status-time-twice", "Give status_at for one value, or from, to and grain for many.")
        )
    timezone = question.timezone or project.calendar.timezone
    if question.grain is not Grain.TOTAL:
        start, end, timezone = question.span(project.calendar.timezone)
        return split(start, end, question.grain, timezone)
    meant = question.status_at if question.status_at is not None else question.end
    status = status_instant(meant, project, now)
    start = project.start_at or status
    if question.start is not None:
        start = instant_of(question.start, timezone, "from")
        if start > status:
            raise invalid(Fault("to", "period-empty", "The period ends after it starts."))
    return [Period(min(start, status), status, timezone)]


def _value(
    study: ProjectStudy,
    period: Period,
    question: Question,
    policies: Sequence[PolicyInForce],
    as_of: AsOf,
    now: datetime,
) -> Envelope:
    tolerance = holding(policies, period.end).milestone_tolerance_days
    result, figures = study.kpis(period.end, tolerance_days=tolerance)
    subject = Subject(SubjectType.PROJECT, str(study.record.project.id))
    figure = figures[question.kpi.code]
    named = {} if result.baseline_id is None else {"baseline": result.baseline_id}
    return envelope(
        question.kpi,
        subject,
        period,
        figure.while_open() if period.end > now else figure,
        as_of=as_of.positions,
        evidence=question.evidence_of(subject, period, **named),
        currency=study.record.project.currency,
        of_money=question.kpi.code not in _NO_AMOUNTS,
    )


def _extent(study: ProjectStudy, now: datetime) -> tuple[datetime, datetime]:
    """Return when a project's series begins and ends by itself."""
    record = study.record
    baselines = [baseline for baseline in record.baselines if baseline.leaves]
    starts = [min(task.start for task in baseline.leaves) for baseline in baselines]
    ends = [max(task.finish for task in baseline.leaves) for baseline in baselines]
    reported = [report.fact.status_at for report in record.reports]
    begun = min(starts, default=record.project.start_at or now)
    return begun, min(max([*ends, *reported], default=now), max(now, begun))


def _document(study: ProjectStudy, status_at: datetime, asked: Asked, as_of: AsOf | None = None) -> dict[str, Any]:
    record = study.record
    result = study.assess(status_at, asked.eac_method, with_tasks=asked.with_tasks)
    shown: dict[str, Any] = {
        "project_id": str(record.project.id),
        "baseline_id": result.baseline_id,
        "status_at": instant_text(result.status_at),
        "currency": record.project.currency,
        "eac_method": result.eac_method,
        "figures": result.documents(),
    }
    if as_of is not None:
        shown["as_of"] = positions(as_of.positions)
    if asked.with_tasks:
        codes = {task.id: task.wbs for task in record.tasks}
        shown["tasks"] = [
            {
                "task_id": task.task_id,
                "wbs": task.wbs or codes.get(task.task_id),
                "pv": written(task.pv, Unit.MONEY),
                "ev": written(task.ev, Unit.MONEY),
                "ac": written(task.ac, Unit.MONEY),
            }
            for task in result.tasks
        ]
    return shown
