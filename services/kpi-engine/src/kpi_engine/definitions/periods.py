"""Periods of time: cut along a calendar's days, weeks, months, quarters or years in a zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from chassis.rejection import Fault, invalid
from chassis.working_time import is_zone
from kpi_engine.definitions.envelope import Period

PERIODS_MAX = 1000
YEARS_MAX = 50
FIRST = datetime(1901, 1, 1, tzinfo=UTC)
LAST = datetime(2199, 1, 1, tzinfo=UTC)

_YEAR_LONGEST = timedelta(days=366)
_DAYS_OF_WEEK = 7
_MONTHS_OF_QUARTER = 3
_MONTHS_OF_YEAR = 12


class Grain(StrEnum):
    """How long each period of a series is; `total` is one period for all."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    TOTAL = "total"


def zone_of(name: str) -> ZoneInfo:
    """Return an IANA zone, or refuse the name."""
    if not is_zone(name):
        raise invalid(Fault("timezone", "timezone-unknown", "There is no such IANA time zone."))
    return ZoneInfo(name)


def midnight(on: date, zone: ZoneInfo) -> datetime:
    """Return the instant at which a day begins in a zone."""
    return datetime.combine(on, time.min, zone).astimezone(UTC)


def checked(at: datetime, parameter: str) -> datetime:
    """Return an instant of the years that figures are computed for, or refuse it."""
    if not FIRST <= at < LAST:
        raise invalid(Fault(parameter, "instant-range", "Figures are computed for the years 1901 to 2198."))
    return at


def split(start: datetime, end: datetime, grain: Grain, timezone: str) -> list[Period]:
    """Cut a span into the calendar's periods of a zone; the first and last are as much of theirs as lies within."""
    if end <= start:
        raise invalid(Fault("to", "period-empty", "The period ends after it starts."))
    if end - start > YEARS_MAX * _YEAR_LONGEST:
        raise invalid(Fault("to", "period-too-long", f"A period is at most {YEARS_MAX} years long."))
    zone = zone_of(timezone)
    if grain is Grain.TOTAL:
        return [Period(start, end, timezone)]
    periods: list[Period] = []
    on, cursor = start.astimezone(zone).date(), start
    while cursor < end:
        on = _next(on, grain)
        closes = min(midnight(on, zone), end)
        if closes > cursor:
            periods.append(Period(cursor, closes, timezone))
            cursor = closes
        if len(periods) > PERIODS_MAX:
            raise invalid(Fault("grain", "too-many-periods", f"A series has at most {PERIODS_MAX} periods."))
    return periods


def _next(on: date, grain: Grain) -> date:
    """Return the day on which the period after the one with this day begins."""
    match grain:
        case Grain.WEEK:
            return on + timedelta(days=_DAYS_OF_WEEK - on.weekday())
        case Grain.MONTH:
            return _month_after(on, 1)
        case Grain.QUARTER:
            return _month_after(on, _MONTHS_OF_QUARTER)
        case Grain.YEAR:
            return _month_after(on, _MONTHS_OF_YEAR)
        case Grain.DAY | Grain.TOTAL:
            return on + timedelta(days=1)


def _month_after(on: date, months: int) -> date:
    """Return the first day of the block of so many months after the one with this day."""
    begun = (on.month - 1) // months * months + months
    return date(on.year + begun // _MONTHS_OF_YEAR, begun % _MONTHS_OF_YEAR + 1, 1)
