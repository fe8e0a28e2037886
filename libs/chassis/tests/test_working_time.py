from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.durations import parse_duration
from chassis.working_time import CONTINUOUS, FIRST_INSTANT, LAST_INSTANT, STANDARD, WEEKDAYS, WorkingCalendar

MINUTE = timedelta(minutes=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def week(*days: str, intervals: list[list[str]]) -> list[dict[str, Any]]:
    return [{"weekday": day, "intervals": intervals} for day in days]


def calendar(timezone: str = "UTC", **document: Any) -> WorkingCalendar:
    return WorkingCalendar.from_document({"name": "any", "timezone": timezone, **document})


def office(timezone: str = "UTC", **document: Any) -> WorkingCalendar:
    weekly = week(*WEEKDAYS[:5], intervals=[["08:00", "12:00"], ["13:00", "17:00"]])
    return calendar(timezone, weekly=weekly, **document)


def test_a_document_of_office_hours_is_the_standard_calendar() -> None:
    assert office() == STANDARD
    assert hash(office()) == hash(STANDARD)


def test_working_seconds_are_signed() -> None:
    assert STANDARD.working_seconds(at("2026-01-02T16:00"), at("2026-01-05T09:00")) == 2 * 3600
    assert STANDARD.working_seconds(at("2026-01-05T09:00"), at("2026-01-02T16:00")) == -2 * 3600


def test_a_week_ends_on_friday_and_goes_on_on_monday() -> None:
    monday = at("2026-01-05T08:00")
    assert STANDARD.add(monday, 40 * 3600, ends=True) == at("2026-01-09T17:00")
    assert STANDARD.add(monday, 40 * 3600, ends=False) == at("2026-01-12T08:00")
    assert STANDARD.subtract(at("2026-01-09T17:00"), 40 * 3600) == monday
    assert STANDARD.subtract(at("2026-01-12T08:00"), 3600, ends=True) == at("2026-01-09T16:00")


def test_boundaries_belong_to_the_end_before_and_the_start_after() -> None:
    assert STANDARD.next_start(at("2026-01-05T12:00")) == at("2026-01-05T13:00")
    assert STANDARD.previous_end(at("2026-01-05T13:00")) == at("2026-01-05T12:00")
    assert STANDARD.next_start(at("2026-01-05T11:59")) == at("2026-01-05T11:59")
    assert STANDARD.previous_end(at("2026-01-05T08:00")) == at("2026-01-02T17:00")


def test_an_exception_overrides_a_holiday_and_a_holiday_the_week() -> None:
    changed = office(
        holidays=[{"date": "2026-12-24", "name": "Eve"}, {"date": "2026-12-25", "name": "Christmas"}],
        exceptions=[{"date": "2026-12-24", "intervals": [["08:00", "12:00"]]}],
    )
    assert list(changed.intervals(at("2026-12-24T00:00"), at("2026-12-28T00:00"))) == [
        (at("2026-12-24T08:00"), at("2026-12-24T12:00")),
    ]


def test_intervals_are_clipped_and_joined_across_midnight() -> None:
    late = calendar(
        weekly=week("monday", intervals=[["22:00", "24:00"]]) + week("tuesday", intervals=[["00:00", "06:00"]])
    )
    assert list(late.intervals(at("2026-01-05T23:00"), at("2026-01-13T01:00"))) == [
        (at("2026-01-05T23:00"), at("2026-01-06T06:00")),
        (at("2026-01-12T22:00"), at("2026-01-13T01:00")),
    ]
    assert list(CONTINUOUS.intervals(at("2026-01-01T00:00"), at("2029-01-01T00:00"))) == [
        (at("2026-01-01T00:00"), at("2029-01-01T00:00")),
    ]
    assert list(CONTINUOUS.intervals(at("2026-01-02T00:00"), at("2026-01-01T00:00"))) == []


def test_joined_intervals_are_followed_beyond_what_is_laid_out() -> None:
    endless_but_one_day = calendar(
        weekly=week(*WEEKDAYS, intervals=[["00:00", "24:00"]]),
        exceptions=[{"date": "2090-05-05", "intervals": []}],
    )
    assert next(endless_but_one_day.intervals(at("2026-01-01T00:00"), at("2091-01-01T00:00"))) == (
        at("2026-01-01T00:00"),
        at("2090-05-05T00:00"),
    )


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_a_day_is_as_long_as_the_zone_makes_it(day: str, hours: int) -> None:
    everyday = calendar("Europe/Berlin", weekly=week(*WEEKDAYS, intervals=[["00:00", "24:00"]]))
    sundays = calendar("Europe/Berlin", exceptions=[{"date": day, "intervals": [["00:00", "24:00"]]}])
    midnight = datetime.combine(date.fromisoformat(day), datetime.min.time(), ZoneInfo("Europe/Berlin"))
    span = (midnight.astimezone(UTC), (midnight + timedelta(days=1)).astimezone(UTC))
    assert everyday.working_seconds(*span) == hours * 3600
    assert list(sundays.intervals(at("2025-01-01T00:00"), at("2027-01-01T00:00"))) == [span]


def test_local_hours_move_in_utc_with_the_clocks() -> None:
    berlin = office("Europe/Berlin")
    assert berlin.next_start(at("2026-03-27T22:00")) == at("2026-03-30T06:00")
    assert berlin.next_start(at("2026-03-26T22:00")) == at("2026-03-27T07:00")


def test_hours_default_from_the_week() -> None:
    short = calendar(
        weekly=week("monday", intervals=[["08:00", "12:00"]]) + week("friday", intervals=[["08:00", "16:00"]])
    )
    assert (short.hours_per_week, short.hours_per_day) == (Decimal(12), Decimal(6))
    given_hours = office(hours_per_day="7.5", hours_per_week="37.5")
    assert (given_hours.hours_per_week, given_hours.hours_per_day) == (Decimal("37.5"), Decimal("7.5"))


def test_hours_that_come_out_uneven_have_ten_places_and_the_same_whole_seconds() -> None:
    odd = calendar(weekly=week("friday", intervals=[["04:05", "05:10"]]))
    assert (str(odd.hours_per_week), str(odd.hours_per_day)) == ("1.0833333333", "1.0833333333")
    assert parse_duration("1d", hours_per_day=odd.hours_per_day, hours_per_week=odd.hours_per_week).seconds == 3_900


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"timezone": "Mars/Olympus"}, "Not a time zone"),
        ({"timezone": "Europe"}, "Not a time zone"),
        ({"weekly": week("monday", intervals=[["12:00", "08:00"]])}, "ends after it starts"),
        ({"weekly": week("monday", intervals=[["08:00", "24:01"]])}, "Not a time of day"),
        ({"weekly": week("monday", intervals=[["08:00", "12:00"], ["11:00", "13:00"]])}, "do not overlap"),
        ({"weekly": week("Montag", intervals=[["08:00", "12:00"]])}, "Not a weekday"),
        ({"hours_per_day": "0"}, "hours_per_day lies above 0"),
        ({"hours_per_week": "many"}, "hours_per_week is no number"),
    ],
)
def test_a_wrong_document_is_refused_with_a_sentence(document: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        WorkingCalendar.from_document({"name": "wrong", "timezone": "UTC", "weekly": [], **document})


def test_a_calendar_without_working_time_counts_nothing_and_finds_nothing() -> None:
    idle = calendar(weekly=[])
    assert not idle.has_working_time
    assert idle.working_seconds(at("2026-01-01T00:00"), at("2027-01-01T00:00")) == 0
    with pytest.raises(ValueError, match="no working time"):
        idle.add(at("2026-01-01T00:00"), 60, ends=True)
    with pytest.raises(ValueError, match="no working time"):
        idle.next_start(at("2026-01-01T00:00"))


def test_a_search_beyond_the_last_working_time_ends() -> None:
    once = calendar(exceptions=[{"date": "2026-05-05", "intervals": [["08:00", "09:00"]]}])
    assert once.add(at("2026-01-01T00:00"), 3600, ends=True) == at("2026-05-05T09:00")
    assert once.previous_end(at("2100-01-01T00:00")) == at("2026-05-05T09:00")
    with pytest.raises(ValueError, match="not that much working time"):
        once.add(at("2026-01-01T00:00"), 3600, ends=False)
    with pytest.raises(ValueError, match="not that much working time"):
        STANDARD.add(at("2026-01-01T00:00"), 10**12, ends=True)
    with pytest.raises(ValueError, match="not that much working time"):
        STANDARD.subtract(at("2026-01-01T00:00"), 10**12)


def test_instants_are_aware_and_between_the_bounds() -> None:
    with pytest.raises(ValueError, match="UTC offset"):
        STANDARD.next_start(datetime(2026, 1, 1))  # noqa: DTZ001 - the naive instant is the case
    for instant in (FIRST_INSTANT, LAST_INSTANT):
        with pytest.raises(ValueError, match="from 1900 to 2199"):
            STANDARD.next_start(instant)
    first, last = at("1900-01-01T00:00"), at("2199-12-31T23:59")
    for calendar in (STANDARD, CONTINUOUS, office("Asia/Tokyo")):
        assert calendar.working_seconds(first, last) > 0
    assert CONTINUOUS.working_seconds(first, last) == (last - first).total_seconds()


def test_far_dates_keep_the_positions_of_near_ones() -> None:
    fresh = office("America/New_York")
    near = fresh.position(1_760_000_000)
    fresh.working_seconds(at("1950-01-01T00:00"), at("2150-01-01T00:00"))
    assert fresh.position(1_760_000_000) == near


def test_many_positions_are_found_at_once() -> None:
    fresh = office("Europe/Berlin")
    positions = [*range(-10_000_000, 100_000_000, 999_983), 0, 4 * 3600, 8 * 3600]
    assert fresh.opening_seconds(positions) == [fresh.opening_second(each) for each in positions]
    assert fresh.closing_seconds(positions) == [fresh.closing_second(each) for each in positions]
    assert fresh.opening_seconds([]) == fresh.closing_seconds([]) == []
    differing = {each for each in positions if fresh.opening_second(each) != fresh.closing_second(each)}
    assert set(fresh.edges(positions)) == differing
    assert differing


minutes_of_day = st.integers(min_value=0, max_value=24 * 60)


@st.composite
def spans(draw: st.DrawFn) -> list[list[str]]:
    edges = sorted(draw(st.sets(minutes_of_day, max_size=6)))
    if len(edges) % 2:
        edges.pop()
    return [
        [f"{start // 60:02}:{start % 60:02}", f"{end // 60:02}:{end % 60:02}"]
        for start, end in zip(edges[::2], edges[1::2], strict=True)
    ]


@st.composite
def documents(draw: st.DrawFn, year: int = 2026) -> dict[str, Any]:
    zone, around = draw(
        st.sampled_from(
            [
                ("UTC", date(year, 2, 27)),
                ("Europe/Berlin", date(year, 3, 28)),
                ("Europe/Berlin", date(year, 10, 24)),
                ("America/New_York", date(year, 3, 7)),
                ("Australia/Lord_Howe", date(year, 4, 4)),
                ("Africa/Cairo", date(year, 4, 23)),
                ("America/Santiago", date(year, 9, 5)),
                ("Asia/Kathmandu", date(year, 1, 1)),
            ]
        )
    )
    days = st.integers(min_value=0, max_value=3).map(lambda offset: (around + timedelta(days=offset)).isoformat())
    return {
        "timezone": zone,
        "weekly": [{"weekday": day, "intervals": draw(spans())} for day in WEEKDAYS],
        "holidays": [{"date": day, "name": "off"} for day in draw(st.sets(days, max_size=1))],
        "exceptions": [{"date": day, "intervals": draw(spans())} for day in draw(st.sets(days, max_size=1))],
        "around": around,
    }


def is_worked(document: dict[str, Any], instant: datetime) -> bool:
    """Look at the wall clock: the definition, one minute at a time."""
    wall = instant.astimezone(ZoneInfo(document["timezone"]))
    day, clock = wall.date().isoformat(), f"{wall:%H:%M}"
    intervals = next(entry["intervals"] for entry in document["weekly"] if entry["weekday"] == WEEKDAYS[wall.weekday()])
    if day in {entry["date"] for entry in document["holidays"]}:
        intervals = []
    for entry in document["exceptions"]:
        if entry["date"] == day:
            intervals = entry["intervals"]
    return any(start <= clock < end for start, end in intervals)


@settings(max_examples=60, deadline=None)
@given(documents(), st.integers(0, 3 * 24 * 60), st.integers(0, 24 * 60), st.integers(1, 600))
def test_arithmetic_agrees_with_counting_minutes(document: dict[str, Any], offset: int, span: int, amount: int) -> None:
    subject = WorkingCalendar.from_document(document)
    start = datetime.combine(document["around"], datetime.min.time(), UTC) + offset * MINUTE
    end = start + span * MINUTE
    worked = [start + n * MINUTE for n in range(span) if is_worked(document, start + n * MINUTE)]
    assert subject.working_seconds(start, end) == 60 * len(worked)
    assert [
        opens + n * MINUTE for opens, closes in subject.intervals(start, end) for n in range((closes - opens) // MINUTE)
    ] == worked
    if worked:
        assert subject.next_start(start) == worked[0]
        assert subject.previous_end(end) == worked[-1] + MINUTE
    if len(worked) >= amount:
        assert subject.add(start, 60 * amount, ends=True) == worked[amount - 1] + MINUTE
        assert subject.subtract(end, 60 * amount) == worked[-amount]
    if len(worked) > amount:
        assert subject.add(start, 60 * amount, ends=False) == worked[amount]
        assert subject.subtract(end, 60 * amount, ends=True) == worked[-amount - 1] + MINUTE
