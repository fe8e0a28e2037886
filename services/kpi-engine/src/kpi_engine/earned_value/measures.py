"""The sums that all earned-value figures come from, measured at one status time."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import accumulate

from chassis.working_time import to_second
from kpi_engine.earned_value.earned_schedule import EarnedSchedule, earned_schedule
from kpi_engine.earned_value.earning import ProgressRecord, earned_value
from kpi_engine.earned_value.facts import Cost
from kpi_engine.earned_value.planned_value import PlannedValue

_ZERO = Fraction(0)


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
        by_task: dict[str | None, list[tuple[datetime, Fraction]]] = defaultdict(list)
        for cost in costs:
            by_task[cost.task_id].append((cost.incurred_at, Fraction(cost.amount)))
        self._times: dict[str | None, list[datetime]] = {}
        self._totals: dict[str | None, list[Fraction]] = {}
        for task_id, entries in by_task.items():
            entries.sort()
            self._times[task_id] = [incurred_at for incurred_at, _ in entries]
            self._totals[task_id] = list(accumulate(amount for _, amount in entries))

    def at(self, status_at: datetime) -> dict[str | None, Fraction]:
        """Give the cost of each task with any cost at or before the status time; None: of no task."""
        spent: dict[str | None, Fraction] = {}
        for task_id, times in self._times.items():
            index = bisect_right(times, status_at)
            if index:
                spent[task_id] = self._totals[task_id][index - 1]
        return spent


def measure(plan: PlannedValue, progress: ProgressRecord, ledger: CostLedger, status_at: datetime) -> Measures:
    """Measure one project against one baseline at a status time."""
    status = to_second(status_at)
    spent = ledger.at(status_at)
    total_spent = sum(spent.values(), start=_ZERO)
    inside = {task.task_id for task in plan.baseline.tasks}
    tasks: list[TaskValue] = []
    ev = _ZERO
    for task in plan.baseline.tasks:
        pv = plan.of_task(task.task_id, status)
        carries_work = plan.carries_work(task.task_id)
        earned = earned_value(task, progress.done(task.task_id, status_at), pv) if carries_work else _ZERO
        ev += earned
        tasks.append(TaskValue(task.task_id, task.wbs, pv, earned, spent.get(task.task_id, _ZERO)))
    outside = {task_id: ac for task_id, ac in spent.items() if task_id not in inside}
    tasks.extend(
        TaskValue(task_id, None, _ZERO, _ZERO, ac)
        for task_id, ac in sorted((t, ac) for t, ac in outside.items() if t is not None)
    )
    return Measures(
        bac=plan.budget_at_completion,
        pv=plan.at(status),
        ev=ev,
        ac=total_spent,
        ac_outside_baseline=sum(outside.values(), start=_ZERO),
        has_started=status >= plan.start,
        schedule=earned_schedule(plan, progress, ev, status_at),
        tasks=tuple(tasks),
    )
