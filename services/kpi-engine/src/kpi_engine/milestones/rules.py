"""How many of the milestones that were due have been missed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from chassis.working_time import STANDARD, WorkingCalendar
from kpi_engine.definitions.envelope import PERCENT, Figure
from kpi_engine.earned_value.facts import end_of_day

NONE_DUE = "none_due"

_DAYS_AHEAD_MAX = 3_660


@dataclass(frozen=True, slots=True)
class Milestone:
    """A milestone with its dates in the project's zone; None for not baselined, not achieved."""

    task_id: str
    baseline_on: date | None
    achieved_on: date | None = None


@dataclass(frozen=True, slots=True)
class MilestoneReview:
    """The figure with the milestones behind it; those without a baseline are listed, not counted.

    `kept` were achieved in time or still have some of their tolerance left.
    """

    figure: Figure
    kept: tuple[Milestone, ...]
    missed: tuple[Milestone, ...]
    unbaselined: tuple[Milestone, ...]


def milestones_missed(
    milestones: Iterable[Milestone],
    status_on: date,
    *,
    tolerance_days: int = 0,
    calendar: WorkingCalendar = STANDARD,
) -> MilestoneReview:
    """Review the milestones whose baseline date is not after the status date.

    One is missed when it was achieved more than the tolerance after its baseline date, or is still
    open when the tolerance is used up. The tolerance counts working days of the calendar.
    """
    kept: list[Milestone] = []
    missed: list[Milestone] = []
    unbaselined: list[Milestone] = []
    for milestone in milestones:
        if milestone.baseline_on is None:
            unbaselined.append(milestone)
        elif milestone.baseline_on <= status_on:
            limit = _later(milestone.baseline_on, tolerance_days, calendar)
            achieved = milestone.achieved_on
            known = achieved is not None and achieved <= status_on
            late = achieved > limit if achieved is not None and known else limit <= status_on
            (missed if late else kept).append(milestone)
    due = len(kept) + len(missed)
    if due == 0:
        figure = Figure.not_applicable(NONE_DUE)
    else:
        numerator, denominator = Fraction(len(missed)), Fraction(due)
        figure = Figure(PERCENT * numerator / denominator, numerator=numerator, denominator=denominator)
    return MilestoneReview(figure, tuple(kept), tuple(missed), tuple(unbaselined))


def _later(on: date, working_days: int, calendar: WorkingCalendar) -> date:
    """Give the date so many working days on; on a calendar that never opens, that many plain days."""
    if not calendar.has_working_time:
        return on + timedelta(days=working_days)
    latest = on + timedelta(days=_DAYS_AHEAD_MAX)
    while working_days > 0 and on < latest:
        on += timedelta(days=1)
        midnight = end_of_day(on - timedelta(days=1), calendar.timezone)
        if calendar.working_seconds(midnight, end_of_day(on, calendar.timezone)) > 0:
            working_days -= 1
    return on
