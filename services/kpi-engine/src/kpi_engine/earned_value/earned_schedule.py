"""Earned schedule: the time at which the baseline planned to have earned what is earned now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from chassis.working_time import to_instant, to_second
from kpi_engine.earned_value.earning import ProgressRecord
from kpi_engine.earned_value.facts import BaselineTask, EarningRule
from kpi_engine.earned_value.planned_value import PlannedValue

_HALF = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class EarnedSchedule:
    """ES, AT and PD in working seconds from the baseline start, and ES as an instant to the second."""

    earned: Fraction
    actual: Fraction
    planned: Fraction
    earned_at: datetime


def earned_schedule(plan: PlannedValue, progress: ProgressRecord, ev: Fraction, status_at: datetime) -> EarnedSchedule:
    """Measure earned schedule against the clock; actual time stops when every task is complete."""
    calendar = plan.calendar
    status, origin = to_second(status_at), calendar.position(plan.start)
    first, last = plan.reached(ev)
    position = min(max(Fraction(calendar.position(status)), first), last)
    completed = completed_at(plan.tasks, progress, status_at)
    stopped = status if completed is None else min(to_second(completed), status)
    return EarnedSchedule(
        earned=position - origin,
        actual=Fraction(max(calendar.position(stopped) - origin, 0)),
        planned=Fraction(plan.duration),
        earned_at=_instant(plan, position),
    )


def completed_at(tasks: Iterable[BaselineTask], progress: ProgressRecord, status_at: datetime) -> datetime | None:
    """Give when the last task became complete, or None while one is not.

    A level of effort is complete when it is reported so, at the latest when its planned time is over.
    """
    latest: datetime | None = None
    for task in tasks:
        when = progress.completed_at(task.task_id, status_at)
        if when is None and task.earning_rule is EarningRule.LEVEL_OF_EFFORT and task.finish <= status_at:
            when = task.finish
        if when is None:
            return None
        latest = when if latest is None else max(latest, when)
    return latest


def _instant(plan: PlannedValue, position: Fraction) -> datetime:
    nearest = (position + _HALF).__floor__()
    if nearest <= plan.calendar.position(plan.start):
        return to_instant(plan.start)
    return to_instant(plan.calendar.closing_second(nearest))
