"""What is earned: progress reports turned into fractions of the budgets of a baseline."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import datetime
from fractions import Fraction
from itertools import accumulate

from kpi_engine.earned_value.facts import BaselineTask, EarningRule, FixedAccrual, ProgressReport

_NOTHING = Fraction(0)
_ALL = Fraction(1)


class ProgressRecord:
    """The reports of a project by task and status time; of two for the same, the later given counts."""

    def __init__(
        self, reports: Iterable[ProgressReport], actual_finishes: Mapping[str, datetime] | None = None
    ) -> None:
        by_task: dict[str, dict[datetime, Fraction]] = {}
        for report in reports:
            done = min(max(Fraction(report.percent_complete) / 100, _NOTHING), _ALL)
            by_task.setdefault(report.task_id, {})[report.status_at] = done
        self._times = {task_id: sorted(of_task) for task_id, of_task in by_task.items()}
        self._done = {task_id: [by_task[task_id][when] for when in times] for task_id, times in self._times.items()}
        self._actual_finishes = dict(actual_finishes or {})

    def done(self, task_id: str, status_at: datetime) -> Fraction:
        """Give the fraction in the latest report at or before the status time, zero without one."""
        index = bisect_right(self._times.get(task_id, ()), status_at)
        return self._done[task_id][index - 1] if index else _NOTHING

    def completed_at(self, task_id: str, status_at: datetime) -> datetime | None:
        """Give when a task that is complete at the status time became so, else None.

        That is its actual finish, else the report since which it has been complete.
        """
        index = bisect_right(self._times.get(task_id, ()), status_at)
        if not index or self._done[task_id][index - 1] < 1:
            return None
        actual = self._actual_finishes.get(task_id)
        if actual is not None and actual <= status_at:
            return actual
        while index > 1 and self._done[task_id][index - 2] == 1:
            index -= 1
        return self._times[task_id][index - 1]


def earned_fraction(task: BaselineTask, done: Fraction) -> Fraction:
    """Apply the earning rule of a task to the reported fraction; `level_of_effort` is not asked here."""
    match task.earning_rule:
        case EarningRule.ZERO_HUNDRED:
            return _stepped(done, _NOTHING)
        case EarningRule.FIFTY_FIFTY:
            return _stepped(done, Fraction(1, 2))
        case EarningRule.TWENTY_EIGHTY:
            return _stepped(done, Fraction(1, 5))
        case EarningRule.WEIGHTED_MILESTONES if task.milestone_weights:
            return _weighted(task, done)
        case EarningRule.WEIGHTED_MILESTONES | EarningRule.PERCENT_COMPLETE | EarningRule.LEVEL_OF_EFFORT:
            return done


def earned_value(task: BaselineTask, done: Fraction, planned: Fraction) -> Fraction:
    """Give what a task has earned of its baseline budget; `planned` is its planned value by then."""
    if task.earning_rule is EarningRule.LEVEL_OF_EFFORT:
        return planned
    if done == 0:
        return _NOTHING
    fraction = earned_fraction(task, done)
    return Fraction(task.budget) * fraction + Fraction(task.fixed_budget) * _fixed(task, fraction)


def _stepped(done: Fraction, at_start: Fraction) -> Fraction:
    if done >= 1:
        return _ALL
    return at_start if done > 0 else _NOTHING


def _weighted(task: BaselineTask, done: Fraction) -> Fraction:
    total = Fraction(sum(task.milestone_weights))
    reached = (Fraction(weight) / total for weight in accumulate(task.milestone_weights))
    return max((step for step in reached if step <= done), default=_NOTHING)


def _fixed(task: BaselineTask, fraction: Fraction) -> Fraction:
    match task.fixed_accrual:
        case FixedAccrual.START:
            return _ALL if fraction > 0 else _NOTHING
        case FixedAccrual.PRORATED:
            return fraction
        case FixedAccrual.END:
            return _ALL if fraction == 1 else _NOTHING
