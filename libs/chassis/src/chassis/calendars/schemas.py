"""What clients send and see of calendars."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from chassis.schemas import (
    UNSET,
    Day,
    DecimalString,
    DecimalText,
    ExternalIdentity,
    Input,
    Instant,
    LabelChanges,
    Labels,
    Name,
    Output,
    Patch,
    Traceable,
    Written,
)

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
ClockTime = Annotated[
    str, Written(r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$", "A time of day is written 08:30, the end of a day 24:00.")
]
Country = Annotated[str, Written("^[A-Z]{2}$", "A country is two letters of ISO 3166, such as DE.")]
Interval = Annotated[list[ClockTime], Field(min_length=2, max_length=2)]
Intervals = Annotated[list[Interval], Field(max_length=24)]
Hours = Annotated[DecimalString, DecimalText(before=3, places=4, at_least=0)]

EXAMPLE: dict[str, Any] = {
    "name": "office",
    "timezone": "Europe/Berlin",
    "weekly": [
        {"weekday": weekday, "intervals": [["08:00", "12:00"], ["13:00", "17:00"]]}
        for weekday in ("monday", "tuesday", "wednesday", "thursday", "friday")
    ],
    "holidays": [{"date": "2026-06-05", "name": "The day after the town's fair"}],
    "holiday_country": "DE",
    "exceptions": [{"date": "2026-12-24", "intervals": [["08:00", "12:00"]]}],
    "hours_per_day": "8",
    "hours_per_week": "40",
}


class DayOfWeek(Input):
    """The opening intervals of one weekday, to the minute, in the calendar's zone; ends are exclusive."""

    weekday: Weekday
    intervals: Intervals


class Holiday(Input):
    """A day without working time."""

    date: Day
    name: Annotated[str, StringConstraints(max_length=200)] = ""


class DatedException(Input):
    """A date that has intervals of its own, whatever its weekday or holiday says; none means closed."""

    date: Day
    intervals: Intervals


class NewCalendar(ExternalIdentity):
    """A calendar to be created."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    name: Name
    timezone: Name
    """IANA zone, such as `Europe/Berlin`; the intervals are its local time."""
    weekly: Annotated[list[DayOfWeek], Field(max_length=7)]
    holidays: Annotated[list[Holiday], Field(max_length=1000)] = []
    holiday_country: Country | None = None
    """ISO 3166 code; its public holidays of 2000 to 2050 are added to `holidays`.

    Where these are very many, they are those of as many years around 2025 as there is room for.
    """
    holiday_subdivision: Annotated[str, StringConstraints(max_length=16)] | None = None
    exceptions: Annotated[list[DatedException], Field(max_length=1000)] = []
    hours_per_day: Hours | None = None
    """What `1d` means in durations; by default the weekly hours divided by the working days."""
    hours_per_week: Hours | None = None
    """What `1w` means in durations; by default the sum of the week."""
    labels: Labels = {}


class CalendarPatch(Patch):
    """Changes of a calendar (a merge patch); lists are replaced whole."""

    model_config = ConfigDict(json_schema_extra={"example": {"exceptions": EXAMPLE["exceptions"]}})

    name: Name = UNSET
    timezone: Name = UNSET
    weekly: Annotated[list[DayOfWeek], Field(max_length=7)] = UNSET
    holidays: Annotated[list[Holiday], Field(max_length=1000)] = UNSET
    """The own ones; those of the country that are sent back as they were read stay the country's."""
    holiday_country: Country | None = UNSET
    holiday_subdivision: Annotated[str, StringConstraints(max_length=16)] | None = UNSET
    exceptions: Annotated[list[DatedException], Field(max_length=1000)] = UNSET
    hours_per_day: Hours | None = UNSET
    """Null lets it follow from the week again; so does the value that follows from it, sent back as it was read."""
    hours_per_week: Hours | None = UNSET
    """Null lets it follow from the week again; so does the value that follows from it, sent back as it was read."""
    labels: LabelChanges = UNSET


class Calendar(Traceable):
    """A calendar: working or opening intervals, holidays and exceptions."""

    name: str
    timezone: str
    weekly: list[DayOfWeek]
    holidays: list[Holiday]
    """Own holidays and the country's, in the order of their dates."""
    holiday_country: str | None
    holiday_subdivision: str | None
    exceptions: list[DatedException]
    hours_per_day: DecimalString
    """What `1d` means in durations: what was said, else the weekly hours divided by the working days."""
    hours_per_week: DecimalString
    """What `1w` means in durations: what was said, else the sum of the week."""


class WorkingInterval(Output):
    """A span of working time without a break."""

    start_at: Instant
    end_at: Instant
    """Exclusive."""


class WorkingTime(Output):
    """The working time between two instants, as long as it really lasts where clocks are moved."""

    calendar_id: UUID
    since: Instant = Field(alias="from")
    to: Instant
    working_seconds: int
    intervals: list[WorkingInterval]
    """In order, cut off at both ends; those that touch are one, even across midnight."""
