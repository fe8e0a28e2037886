"""One project looked at: which baseline counts when, and the figures and KPIs that follow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from chassis.rejection import Fault, invalid
from kpi_engine.definitions.envelope import Figure
from kpi_engine.definitions.periods import checked
from kpi_engine.definitions.questions import Moment
from kpi_engine.earned_value.earned_schedule import completed_at
from kpi_engine.earned_value.earning import ProgressRecord
from kpi_engine.earned_value.facts import Against, Baseline, TaskKind, end_of_day, select_baseline
from kpi_engine.earned_value.figures import NO_BASELINE, EacMethod, EarnedValue, assess
from kpi_engine.earned_value.measures import CostLedger
from kpi_engine.earned_value.performance import project_kpis
from kpi_engine.earned_value.planned_value import PlannedValue
from kpi_engine.facts.projects import Project, ProjectRecord
from kpi_engine.milestones.rules import Milestone, MilestoneReview, milestones_missed

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a project is compared with: the baseline in force, the first one, or one that is named."""

    against: Against = Against.CURRENT
    baseline_id: str | None = None

    @classmethod
    def parse(cls, text: str | None) -> Comparison:
        """Read `current`, `original` or the id of a baseline."""
        if text is None:
            return cls()
        if text in set(Against):
            return cls(Against(text))
        return cls(baseline_id=text.lower())

    def choose(self, baselines: Sequence[Baseline], status_at: datetime) -> Baseline | None:
        """Choose the baseline that counts at a status time; a named one that there is not is refused."""
        if self.baseline_id is None:
            return select_baseline(baselines, status_at, self.against)
        for baseline in baselines:
            if baseline.id == self.baseline_id:
                return baseline
        raise invalid(Fault("baseline", "baseline-unknown", "The project has no such approved baseline."))


class ProjectStudy:
    """A project's facts, sorted once, so that each status time costs little."""

    def __init__(self, record: ProjectRecord, comparison: Comparison) -> None:
        self.record = record
        self._comparison = comparison
        self._plans: dict[str, PlannedValue] = {}

    @cached_property
    def _progress(self) -> ProgressRecord:
        finishes = {task.id: task.actual_finish_at for task in self.record.tasks}
        actual = {task_id: at for task_id, at in finishes.items() if at is not None}
        return ProgressRecord((report.fact for report in self.record.reports), actual)

    @cached_property
    def _ledger(self) -> CostLedger:
        return CostLedger(cost.fact for cost in self.record.costs)

    def plan(self, status_at: datetime) -> PlannedValue | None:
        """Return the plan that counts at a status time, if there is one."""
        baseline = self._comparison.choose(self.record.baselines, status_at)
        if baseline is None:
            return None
        if baseline.id not in self._plans:
            self._plans[baseline.id] = PlannedValue(baseline)
        return self._plans[baseline.id]

    def assess(
        self, status_at: datetime, eac_method: EacMethod = EacMethod.TYPICAL, *, with_tasks: bool = False
    ) -> EarnedValue:
        """Return all earned-value figures at a status time."""
        plan = self.plan(status_at)
        return assess(plan, self._progress, self._ledger, status_at, eac_method, with_tasks=with_tasks)

    def kpis(self, status_at: datetime, *, tolerance_days: int) -> tuple[EarnedValue, dict[str, Figure]]:
        """Return the figures and the KPIs of the catalogue at a status time."""
        plan, result = self.plan(status_at), self.assess(status_at)
        ended_at = self.record.project.ended_at
        finished_at = None if plan is None else completed_at(plan.tasks, self._progress, status_at)
        is_over = ended_at is not None and ended_at <= status_at
        figures = project_kpis(plan, result, is_finished=is_over or finished_at is not None, actual_finish=finished_at)
        review = self.milestones(status_at, tolerance_days=tolerance_days)
        missing = Figure.missing(NO_BASELINE)
        return result, figures | {"milestones_missed": missing if review is None else review.figure}

    def milestones(self, status_at: datetime, *, tolerance_days: int) -> MilestoneReview | None:
        """Review the milestones that are due at a status time; None without a baseline."""
        plan = self.plan(status_at)
        if plan is None:
            return None
        zone = ZoneInfo(plan.calendar.timezone)
        return milestones_missed(
            self._milestones(plan, status_at, zone),
            (status_at - _INSTANT).astimezone(zone).date(),
            tolerance_days=tolerance_days,
            calendar=plan.calendar,
        )

    def _milestones(self, plan: PlannedValue, status_at: datetime, zone: ZoneInfo) -> Iterator[Milestone]:
        actual = {task.id: task.actual_finish_at for task in self.record.tasks}
        baselined = {task.task_id: task.finish for task in plan.tasks if task.kind is TaskKind.MILESTONE}
        present = [task.id for task in self.record.tasks if task.kind == TaskKind.MILESTONE]
        for task_id in dict.fromkeys([*baselined, *present]):
            achieved = actual.get(task_id) or self._progress.completed_at(task_id, status_at)
            planned = baselined.get(task_id)
            yield Milestone(
                task_id,
                None if planned is None else planned.astimezone(zone).date(),
                None if achieved is None else achieved.astimezone(zone).date(),
            )


def status_instant(moment: Moment | None, project: Project, now: datetime) -> datetime:
    """Return the status time meant: a day means its end in the project's zone, nothing means now."""
    if moment is None:
        return now
    at = moment if isinstance(moment, datetime) else end_of_day(moment, project.calendar.timezone).astimezone(UTC)
    return checked(at, "status_at")


def latest_possible(moments: Iterable[Moment | None], now: datetime) -> datetime:
    """Return an instant that no status time meant is after, whatever the zone."""
    return max((_latest(moment, now) for moment in moments), default=now)


def _latest(moment: Moment | None, now: datetime) -> datetime:
    if isinstance(moment, datetime):
        return moment
    if isinstance(moment, date):
        return datetime(moment.year, moment.month, moment.day, tzinfo=UTC) + timedelta(days=2)
    return now
