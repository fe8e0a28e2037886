"""The project KPIs of the catalogue, from the earned-value figures and the finish dates."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from fractions import Fraction

from chassis.working_time import WorkingCalendar, to_instant
from kpi_engine.definitions.envelope import PERCENT, Figure
from kpi_engine.earned_value.figures import NO_BASELINE, ZERO_BUDGET, EarnedValue
from kpi_engine.earned_value.planned_value import PlannedValue

NO_FORECAST = "no_forecast"

_SIXTY = 60  # seconds of a minute, minutes of an hour

_KPI_OF_FIGURE = {
    "budget_at_completion": "bac",
    "planned_value": "pv",
    "earned_value": "ev",
    "actual_cost": "ac",
    "schedule_variance": "sv",
    "schedule_variance_percent": "sv_percent",
    "cost_variance": "cv",
    "cost_variance_percent": "cv_percent",
    "spi": "spi",
    "cpi": "cpi",
    "eac": "eac",
    "etc": "etc",
    "vac": "vac",
    "tcpi": "tcpi",
    "spi_time": "spi_time",
}
_DAYS_OF_FIGURE = {
    "earned_schedule": "earned_schedule",
    "actual_time": "actual_time",
    "planned_duration": "planned_duration",
    "schedule_variance_time": "sv_time",
    "ieac_time": "ieac_time",
}


def project_kpis(
    plan: PlannedValue | None,
    result: EarnedValue,
    *,
    is_finished: bool = False,
    actual_finish: datetime | None = None,
    forecast_finish: datetime | None = None,
) -> dict[str, Figure]:
    """Give the KPIs of one assessment by their codes; times are in working days of the baseline's calendar.

    A project is finished when it is over, also by termination: its cost is then what was spent. The
    actual finish counts where it is known, else the forecast of the schedule, else the one that
    follows from earned schedule.
    """
    kpis = {code: result.figures[figure] for code, figure in _KPI_OF_FIGURE.items()}
    kpis["budget_deviation"] = budget_deviation(result, is_finished=is_finished)
    if plan is None:
        missing = Figure.missing(NO_BASELINE)
        return kpis | dict.fromkeys((*_DAYS_OF_FIGURE, "finish_variance"), missing)
    calendar = plan.calendar
    kpis |= {code: in_days(result.figures[figure], calendar) for code, figure in _DAYS_OF_FIGURE.items()}
    forecast = forecast_finish or forecast_by_earned_schedule(plan, result)
    kpis["finish_variance"] = finish_variance(plan, actual_finish, forecast)
    return kpis


def budget_deviation(result: EarnedValue, *, is_finished: bool) -> Figure:
    """Compare the cost with the budget at completion: what was spent once finished, else the estimate."""
    bac, eac = result.figures["bac"], result.figures["eac"]
    cost = result.figures["ac"] if is_finished else eac
    if bac.value is None:
        return bac
    if bac.value <= 0:
        return Figure.missing(ZERO_BUDGET)
    if cost.value is None:
        return cost
    difference = cost.value - bac.value
    return Figure(
        PERCENT * difference / bac.value,
        numerator=difference,
        denominator=bac.value,
        provisional=not is_finished,
    )


def finish_variance(plan: PlannedValue, actual: datetime | None, forecast: datetime | None) -> Figure:
    """Count the working days from the baseline finish to the actual finish, or to the forecast."""
    finish = forecast if actual is None else actual
    if finish is None:
        return Figure.missing(NO_FORECAST)
    seconds = plan.calendar.working_seconds(to_instant(plan.finish), finish)
    days = in_days(Figure.of(Fraction(seconds, _SIXTY)), plan.calendar)
    return replace(days, provisional=actual is None)


def forecast_by_earned_schedule(plan: PlannedValue, result: EarnedValue) -> datetime | None:
    """Give the finish if the schedule goes on as it did: IEAC(t) after the baseline start."""
    minutes = result.figures["ieac_time"].value
    if minutes is None or not plan.calendar.has_working_time:
        return None
    seconds = round(minutes * _SIXTY)
    try:
        return plan.calendar.add(to_instant(plan.start), seconds, ends=True)
    except ValueError:  # beyond the years that calendars know
        return None


def in_days(figure: Figure, calendar: WorkingCalendar) -> Figure:
    """Turn a figure in working minutes into working days of the calendar."""
    if figure.value is None:
        return figure
    minutes_per_day = Fraction(calendar.hours_per_day) * _SIXTY
    return replace(figure, value=figure.value / minutes_per_day, numerator=None, denominator=None)
