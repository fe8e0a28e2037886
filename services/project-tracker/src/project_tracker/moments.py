"""Instants that may also be said as dates: a date means its end, or as a beginning its start, in the project's zone."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from chassis.schemas import Day, Instant

Moment = Instant | Day


def ending(moment: datetime | date, timezone: str) -> datetime:
    """Return the instant itself, or the end of a date."""
    return moment if isinstance(moment, datetime) else _midnight(moment + timedelta(days=1), timezone)


def beginning(moment: datetime | date, timezone: str) -> datetime:
    """Return the instant itself, or the start of a date."""
    return moment if isinstance(moment, datetime) else _midnight(moment, timezone)


def _midnight(day: date, timezone: str) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(timezone)).astimezone(UTC)
