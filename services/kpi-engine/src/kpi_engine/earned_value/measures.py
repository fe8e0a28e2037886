"""The sums that all earned-value figures come from, measured at one status time."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import accumulate
from typing import TypeAlias

from chassis.working_time import to_second
from kpi_engine.earned_value.earned_schedule import EarnedSchedule, earned_schedule
from kpi_engine.earned_value.earning import ProgressRecord, earned_value
from kpi_engine.earned_value.facts import BaselineTask, Cost, EarningRule, TaskKind
from kpi_engine.earned_value.planned_value import PlannedValue

_ZERO = Fraction(0)

_Entry: TypeAlias = tuple[datetime, Fraction]
_Running: TypeAlias = tuple[list[datetime], list[Fraction]]


@dataclass(frozen=True, slots=True)
class TaskValue:
    """Planned value, earned value and actual cost of one task; outside the baseline `wbs` is None."""

    task_id: str
    wbs: str | None
    pv: Fraction
    ev: Fraction
    ac: Fraction


@dataclass(frozen=True, slots=True)
class Measures:
    """What was planned, earned and spent by the status time, and how far the schedule got."""

    bac: Fraction
    pv: Fraction
    ev: Fraction
    ac: Fraction
    ac_outside_baseline: Fraction
    has_started: bool
    schedule: EarnedSchedule
    tasks: tuple[TaskValue, ...]


class CostLedger:
    """The actual costs of a project with running totals, so that any status time is a look-up."""

    def __init__(self, costs: Iterable[Cost]) -> None:
        every: list[_Entry] = []
        by_task: dict[str | None, list[_Entry]] = defaultdict(list)
        for cost in costs:
            entry = (cost.incurred_at, Fraction(cost.amount))
            every.append(entry)
            by_task[cost.task_id].append(entry)
        self._all = _running(every)
        self._of_task = {task_id: _running(entries) for task_id, entries in by_task.items()}

    @property
    def task_ids(self) -> Iterable[str | None]:
        """What costs were booked on; None: on no task."""
        return self._of_task.keys()

    def total(self, status_at: datetime) -> Fraction:
        """Give the signed sum of all costs at or before the status time."""
        return _look_up(self._all, status_at)

    def of_task(self, task_id: str | None, status_at: datetime) -> Fraction:
        """Give the signed sum of the costs of one task, or of none, at or before the status time."""
        running = self._of_task.get(task_id)
        return _ZERO if running is None else _look_up(running, status_at)


def measure(
    plan: PlannedValue,
    progress: ProgressRecord,
    ledger: CostLedger,
    status_at: datetime,
    *,
    with_tasks: bool = False,
) -> Measures:
    """Measure one project against one baseline at a status time, with the values of each task if wanted."""
    ev = sum((_earned(plan, progress, task, status_at) for task in plan.tasks), start=_ZERO)
    inside = {task.task_id for task in plan.baseline.tasks}
    outside = [task_id for task_id in ledger.task_ids if task_id not in inside]
    return Measures(
        bac=plan.budget_at_completion,
        pv=plan.at(to_second(status_at)),
        ev=ev,
        ac=ledger.total(status_at),
        ac_outside_baseline=sum((ledger.of_task(task_id, status_at) for task_id in outside), start=_ZERO),
        has_started=to_second(status_at) >= plan.start,
        schedule=earned_schedule(plan, progress, ev, status_at),
        tasks=tuple(_task_values(plan, progress, ledger, status_at, outside)) if with_tasks else (),
    )


def _earned(plan: PlannedValue, progress: ProgressRecord, task: BaselineTask, status_at: datetime) -> Fraction:
    planned = _ZERO
    if task.earning_rule is EarningRule.LEVEL_OF_EFFORT:
        planned = plan.of_task(task.task_id, to_second(status_at))
    return earned_value(task, progress.done(task.task_id, status_at), planned)


def _task_values(
    plan: PlannedValue,
    progress: ProgressRecord,
    ledger: CostLedger,
    status_at: datetime,
    outside: Iterable[str | None],
) -> Iterator[TaskValue]:
    for task in plan.baseline.tasks:
        pv = plan.of_task(task.task_id, to_second(status_at))
        carries_work = task.kind is not TaskKind.SUMMARY
        ev = _earned(plan, progress, task, status_at) if carries_work else _ZERO
        yield TaskValue(task.task_id, task.wbs, pv, ev, ledger.of_task(task.task_id, status_at))
    for task_id in sorted(task_id for task_id in outside if task_id is not None):
        yield TaskValue(task_id, None, _ZERO, _ZERO, ledger.of_task(task_id, status_at))


def _running(entries: list[_Entry]) -> _Running:
    entries.sort()
    return [when for when, _ in entries], list(accumulate(amount for _, amount in entries))


def _look_up(running: _Running, status_at: datetime) -> Fraction:
    times, totals = running
    index = bisect_right(times, status_at)
    return totals[index - 1] if index else _ZERO
