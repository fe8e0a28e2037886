"""The notation of durations and lags: `5d`, `1w2d4h`, `30m`, `3ed` (elapsed), `-50%`."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

_LENGTH_MAX = 64
_SECONDS_MAX = 300 * 366 * 86_400
_PERCENT_MAX = 10_000
_NUMBER = r"\d{1,12}(?:\.\d{1,12})?"
_PART = re.compile(rf"({_NUMBER})\s*(e?)([wdhm])\s*", re.ASCII)
_PERCENT = re.compile(rf"([+-]?)\s*({_NUMBER})\s*%", re.ASCII)
_SHAPE = re.compile(rf"([+-]?)\s*((?:{_NUMBER}\s*e?[wdhm]\s*)+|0)", re.ASCII)
_ELAPSED = {"w": 7 * 86_400, "d": 86_400, "h": 3_600, "m": 60}


@dataclass(frozen=True, slots=True)
class Duration:
    """An amount of time in seconds, of working time or, when elapsed, of all time."""

    seconds: int
    elapsed: bool = False


@dataclass(frozen=True, slots=True)
class PercentLag:
    """A lag as a share of the predecessor's duration, in percent."""

    percent: Decimal


def parse_duration(text: str, *, hours_per_day: Decimal, hours_per_week: Decimal) -> Duration:
    """Read a duration, never negative; ValueError says what is wrong with the text."""
    lag = parse_lag(text, hours_per_day=hours_per_day, hours_per_week=hours_per_week)
    if isinstance(lag, PercentLag):
        raise ValueError(f"A duration is no percentage: {text!r}.")  # noqa: TRY004 - the value is wrong, not its type
    if lag.seconds < 0 or text.lstrip().startswith("-"):
        raise ValueError(f"A duration is not negative: {text!r}.")
    return lag


def parse_lag(text: str, *, hours_per_day: Decimal, hours_per_week: Decimal) -> Duration | PercentLag:
    """Read a lag: a leading sign holds for the whole, units are joined, each at most once."""
    stripped = text.strip()
    if len(stripped) > _LENGTH_MAX:
        raise ValueError(f"A duration has at most {_LENGTH_MAX} characters.")
    if found := _PERCENT.fullmatch(stripped):
        return _percent(-Decimal(found[2]) if found[1] == "-" else Decimal(found[2]), text)
    shape = _SHAPE.fullmatch(stripped)
    if shape is None:
        raise ValueError(f"Not a duration such as 5d, 1w2d4h, 30m or 3ed: {text!r}.")
    working = {"w": _seconds(hours_per_week), "d": _seconds(hours_per_day), "h": 3_600, "m": 60}
    parts = _PART.findall(shape[2])
    if len({elapsed for _, elapsed, _ in parts}) > 1:
        raise ValueError(f"Working and elapsed units do not mix: {text!r}.")
    if len({unit for _, _, unit in parts}) < len(parts):
        raise ValueError(f"A unit occurs twice: {text!r}.")
    is_elapsed = bool(parts and parts[0][1])
    units = _ELAPSED if is_elapsed else working
    total = sum((Decimal(number) * units[unit] for number, _, unit in parts), Decimal())
    seconds = int(total.to_integral_value(ROUND_HALF_UP))
    if seconds > _SECONDS_MAX:
        raise ValueError(f"Longer than 300 years: {text!r}.")
    return Duration(-seconds if shape[1] == "-" else seconds, is_elapsed)


def format_duration(duration: Duration, *, hours_per_day: Decimal) -> str:
    """Write a duration in days, hours and minutes; parsing the text gives the same duration back."""
    day = 86_400 if duration.elapsed else _seconds(hours_per_day)
    days, rest = divmod(abs(duration.seconds), day)
    hours, rest = divmod(rest, 3_600)
    minutes = (Decimal(rest) / 60).quantize(Decimal("0.0001")).normalize()
    kind = "e" if duration.elapsed else ""
    parts = [(Decimal(days), "d"), (Decimal(hours), "h"), (minutes, "m")]
    text = "".join(f"{number:f}{kind}{unit}" for number, unit in parts if number)
    return ("-" if duration.seconds < 0 else "") + (text or f"0{kind}d")


def format_lag(lag: Duration | PercentLag, *, hours_per_day: Decimal) -> str:
    """Write a lag as `parse_lag` reads it."""
    if isinstance(lag, PercentLag):
        return f"{lag.percent.normalize():f}%"
    return format_duration(lag, hours_per_day=hours_per_day)


def _percent(percent: Decimal, text: str) -> PercentLag:
    if abs(percent) > _PERCENT_MAX:
        raise ValueError(f"A lag has at most {_PERCENT_MAX} percent: {text!r}.")
    return PercentLag(percent)


def _seconds(hours: Decimal) -> int:
    return int((hours * 3_600).to_integral_value(ROUND_HALF_UP))
