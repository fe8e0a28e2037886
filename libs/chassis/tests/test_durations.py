from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.durations import Duration, PercentLag, format_duration, format_lag, parse_duration, parse_lag

EIGHT, FORTY = Decimal(8), Decimal(40)
HOUR, DAY = 3600, 86_400


def lag(text: str) -> Duration | PercentLag:
    return parse_lag(text, hours_per_day=EIGHT, hours_per_week=FORTY)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5d", Duration(40 * HOUR)),
        ("4h", Duration(4 * HOUR)),
        ("30m", Duration(1800)),
        ("2w", Duration(80 * HOUR)),
        ("1w2d4h", Duration(60 * HOUR)),
        ("-1w2d", Duration(-56 * HOUR)),
        ("+1w 2d", Duration(56 * HOUR)),
        ("1.5d", Duration(12 * HOUR)),
        ("0.5m", Duration(30)),
        ("0", Duration(0)),
        ("3ed", Duration(3 * DAY, elapsed=True)),
        ("1ew1eh1em", Duration(7 * DAY + HOUR + 60, elapsed=True)),
        ("-2ed", Duration(-2 * DAY, elapsed=True)),
        ("-50%", PercentLag(Decimal(-50))),
        ("12.5 %", PercentLag(Decimal("12.5"))),
    ],
)
def test_notations_are_read(text: str, expected: Duration | PercentLag) -> None:
    assert lag(text) == expected


def test_days_and_weeks_are_those_of_the_calendar() -> None:
    assert parse_lag("1w1d", hours_per_day=Decimal("7.5"), hours_per_week=Decimal(30)) == Duration(37 * HOUR + 1800)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Not a duration"),
        ("5", "Not a duration"),
        ("d", "Not a duration"),
        ("5D", "Not a duration"),
        ("5d-2h", "Not a duration"),
        ("1d3ed", "do not mix"),
        ("1d1d", "occurs twice"),
        ("9" * 12 + "w", "300 years"),
        ("1d" * 40, "at most 64"),
        ("10001%", "percent"),
        ("٣d", "Not a duration"),
    ],
)
def test_other_texts_are_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        lag(text)


@pytest.mark.parametrize(
    ("text", "sentence"), [("-1d", "not negative"), ("-0d", "not negative"), ("50%", "percentage")]
)
def test_a_duration_is_neither_negative_nor_a_percentage(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_duration(text, hours_per_day=EIGHT, hours_per_week=FORTY)


def test_durations_are_written_shortly() -> None:
    assert format_duration(Duration(60 * HOUR + 90), hours_per_day=EIGHT) == "7d4h1.5m"
    assert format_duration(Duration(-3 * DAY, elapsed=True), hours_per_day=EIGHT) == "-3ed"
    assert format_duration(Duration(0), hours_per_day=EIGHT) == "0d"
    assert format_lag(PercentLag(Decimal("-50.0")), hours_per_day=EIGHT) == "-50%"


@given(st.integers(-(10**9), 10**9), st.booleans(), st.decimals("0.5", "24", places=4))
def test_what_is_written_is_read_back(seconds: int, elapsed: bool, hours_per_day: Decimal) -> None:  # noqa: FBT001
    written = format_duration(Duration(seconds, elapsed), hours_per_day=hours_per_day)
    assert parse_lag(written, hours_per_day=hours_per_day, hours_per_week=FORTY) == Duration(seconds, elapsed)
