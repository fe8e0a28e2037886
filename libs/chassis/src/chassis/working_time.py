"""Working calendars: when work or agreed service happens, and arithmetic in that time."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache, cached_property
from itertools import pairwise
from typing import Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from chassis.working_table import DAY, FIRST_SECOND, LAST_SECOND, DayRule, GrowingTable, Spans

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FIRST_INSTANT = datetime.fromtimestamp(FIRST_SECOND, UTC)
LAST_INSTANT = datetime.fromtimestamp(LAST_SECOND, UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_SECOND = timedelta(seconds=1)
_CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)", re.ASCII)
_HOUR = 3_600
_PLACES = 10  # as many as a decimal of an API may have


def to_second(instant: datetime) -> int:
    """Count the whole seconds since 1970 of an aware instant, fractions cut off."""
    if instant.tzinfo is None:
        raise ValueError("An instant needs a UTC offset.")
    return (instant - _EPOCH) // _SECOND


def to_instant(second: int) -> datetime:
    """Give the aware UTC instant of a number of seconds since 1970."""
    return datetime.fromtimestamp(second, UTC)


@dataclass(frozen=True)
class WorkingCalendar:
    """Weekly working intervals in an IANA zone, changed on single dates; interval ends are exclusive.

    An instant is working time when the clock on the zone's wall shows a working minute, so an interval across
    a change of clocks is as long as it really lasts. Instants are aware, results UTC in whole seconds, from
    1900 to 2199; beyond that, and for a calendar without working time where some is needed, ValueError. What
    ends in `_second` or takes a position does the same in plain numbers; a position counts working seconds.
    """

    timezone: str
    weekly: tuple[Spans, ...]
    dated: tuple[tuple[date, Spans], ...] = ()
    hours_per_day: Decimal = Decimal(8)
    hours_per_week: Decimal = Decimal(40)
    _growing: GrowingTable = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.weekly) != len(WEEKDAYS):
            raise ValueError("A calendar names the intervals of seven weekdays.")
        for spans in (*self.weekly, *(spans for _, spans in self.dated)):
            _check_spans(spans)
        if self.hours_per_day <= 0 or self.hours_per_week <= 0:
            raise ValueError("hours_per_day and hours_per_week are above zero.")
        days = {day.toordinal() - _EPOCH_DAY: spans for day, spans in self.dated}
        object.__setattr__(self, "_growing", GrowingTable(DayRule(self.weekly, days), _zone(self.timezone)))

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read a calendar from its JSON; an exception overrides a holiday, a holiday the week."""
        weekly: list[Spans] = [()] * len(WEEKDAYS)
        for entry in document.get("weekly") or ():
            weekday = _weekday(entry["weekday"])
            weekly[weekday] = tuple(sorted((*weekly[weekday], *_spans(entry["intervals"]))))
        dated: dict[date, Spans] = {_date(entry["date"]): () for entry in document.get("holidays") or ()}
        dated |= {_date(entry["date"]): _spans(entry["intervals"]) for entry in document.get("exceptions") or ()}
        per_week = _hours(document, "hours_per_week", weekly_hours(weekly))
        per_day = _hours(document, "hours_per_day", daily_hours(weekly))
        return cls(document["timezone"], tuple(weekly), tuple(sorted(dated.items())), per_day, per_week)

    @cached_property
    def has_working_time(self) -> bool:
        """Whether any working time exists at all."""
        return any(self.weekly) or any(spans for _, spans in self.dated)

    def working_seconds(self, start: datetime, end: datetime) -> int:
        """Count the working time from start to end, negative where end comes first."""
        return self.position(to_second(end)) - self.position(to_second(start))

    def add(self, start: datetime, seconds: int, *, ends: bool = False) -> datetime:
        """Find the instant after so much working time, counted on from start (back, where negative).

        `ends` gives the end of the interval in which it is completed, otherwise the start of the next. With
        zero seconds that is `previous_end` or `next_start`.
        """
        position = self.position(to_second(start)) + seconds
        return to_instant(self.closing_second(position) if ends else self.opening_second(position))

    def subtract(self, end: datetime, seconds: int, *, ends: bool = False) -> datetime:
        """Find the instant that lies so much working time before end, chosen as in `add`."""
        return self.add(end, -seconds, ends=ends)

    def next_start(self, instant: datetime) -> datetime:
        """Give the instant itself where work goes on after it, else the next start of work."""
        return to_instant(self.opening_second(self.position(to_second(instant))))

    def previous_end(self, instant: datetime) -> datetime:
        """Give the instant itself where work went on before it, else the last end of work."""
        return to_instant(self.closing_second(self.position(to_second(instant))))

    def intervals(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Walk the working intervals clipped to a range, those that touch joined even across days."""
        position, second, last = self.position(to_second(start)), to_second(start), to_second(end)
        final = self.position(last)
        while position < final:
            second = self.opening_second(position)
            closes = min(self.interval_end_second(second), last)
            yield to_instant(second), to_instant(closes)
            position += closes - second

    def position(self, second: int) -> int:
        """Count the working seconds between a fixed origin and a second: the calendar's own axis."""
        return self._growing.covering(second).position(second)

    def opening_second(self, position: int) -> int:
        """Find the second from which work continues at a position."""
        second = self._growing.table.opening(position)
        return self._search(position, ends=False) if second is None else second

    def closing_second(self, position: int) -> int:
        """Find the second at which a position was reached."""
        second = self._growing.table.closing(position)
        return self._search(position, ends=True) if second is None else second

    def opening_seconds(self, positions: Sequence[int]) -> list[int]:
        """Find the second from which work continues at each of many positions."""
        if not positions:
            return []
        self.opening_second(min(positions))
        self.opening_second(max(positions))
        return self._growing.table.openings(positions)

    def closing_seconds(self, positions: Sequence[int]) -> list[int]:
        """Find the second at which each of many positions was reached."""
        if not positions:
            return []
        self.closing_second(min(positions))
        self.closing_second(max(positions))
        return self._growing.table.closings(positions)

    def edges(self, positions: Iterable[int]) -> list[int]:
        """Give those of many positions, all found before, at which one interval ends and the next begins."""
        return list(set(self._growing.table.sums).intersection(positions))

    def interval_end_second(self, second: int) -> int:
        """Find the end of the working interval that holds a second; off work it is the second itself."""
        growing = self._growing
        table = growing.covering(second)
        while True:
            end = table.interval_end(second)
            if end < table.high or table.high == LAST_SECOND:
                return end
            table = growing.covering(table.high)

    def _search(self, position: int, *, ends: bool) -> int:
        if not self.has_working_time:
            raise ValueError("The calendar has no working time.")
        return self._growing.closing(position) if ends else self._growing.opening(position)


def weekly_hours(weekly: Sequence[Spans]) -> Decimal:
    """Add up the working hours of a week, the meaning of `1w`; 40 where it has none."""
    return _as_hours(_week_seconds(weekly) or 40 * _HOUR)


def daily_hours(weekly: Sequence[Spans]) -> Decimal:
    """Average the hours of a working day, the meaning of `1d`; 8 where the week has none."""
    days = sum(1 for spans in weekly if spans)
    return _as_hours(_week_seconds(weekly), days) if days else Decimal(8)


def _as_hours(seconds: int, days: int = 1) -> Decimal:
    """Write seconds, spread over days, in hours, without an endless row of places."""
    hours = Decimal(seconds) / (_HOUR * days)
    rounded = round(hours, _PLACES)
    return hours if hours == rounded else rounded


def _week_seconds(weekly: Sequence[Spans]) -> int:
    return sum(end - start for spans in weekly for start, end in spans)


def _hours(document: Mapping[str, Any], name: str, default: Decimal) -> Decimal:
    given = document.get(name)
    if given is None:
        return default
    try:
        hours = Decimal(str(given))
    except InvalidOperation:
        raise ValueError(f"{name} is no number: {given!r}.") from None
    if not hours.is_finite() or not 0 < hours <= 7 * 24:
        raise ValueError(f"{name} lies above 0 and at most 168: {given!r}.")
    return hours


def _weekday(name: object) -> int:
    if name not in WEEKDAYS:
        raise ValueError(f"Not a weekday: {name!r}.")
    return WEEKDAYS.index(str(name))


def _date(text: str | date) -> date:
    return text if isinstance(text, date) else date.fromisoformat(text)


def _spans(intervals: Sequence[Sequence[str]]) -> Spans:
    return tuple(sorted((_clock(start), _clock(end)) for start, end in intervals))


def _clock(text: str) -> int:
    found = _CLOCK.fullmatch(text)
    seconds = int(found[1]) * _HOUR + int(found[2]) * 60 if found else DAY + 1
    if seconds > DAY:
        raise ValueError(f"Not a time of day from 00:00 to 24:00: {text!r}.")
    return seconds


def _check_spans(spans: Spans) -> None:
    if any(not 0 <= start < end <= DAY for start, end in spans):
        raise ValueError("An interval ends after it starts, on the same day.")
    if any(end > start for (_, end), (start, _) in pairwise(spans)):
        raise ValueError("The intervals of a day do not overlap.")


def is_zone(name: str) -> bool:
    """Whether this is the name of an IANA zone: one that means the same on every machine."""
    return name in _zone_names()


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones() - {"localtime", "posixrules", "Factory"})


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"Not a time zone: {name!r}.") from None


_OFFICE: Spans = ((8 * _HOUR, 12 * _HOUR), (13 * _HOUR, 17 * _HOUR))

CONTINUOUS = WorkingCalendar("UTC", (((0, DAY),),) * 7, (), Decimal(24), Decimal(168))
STANDARD = WorkingCalendar("UTC", (*((_OFFICE,) * 5), (), ()))
