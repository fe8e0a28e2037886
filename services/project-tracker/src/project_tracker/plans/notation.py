"""Durations, lags and codes of the work breakdown as fields of what clients send."""

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError

from chassis.durations import parse_duration, parse_lag
from chassis.schemas import Written

# Whatever calendar a task gets, a day and a week of it are no longer than these.
_DAY_MAX, _WEEK_MAX = Decimal(24), Decimal(168)


def _duration(text: str) -> str:
    try:
        parse_duration(text, hours_per_day=_DAY_MAX, hours_per_week=_WEEK_MAX)
    except ValueError:
        message = "A duration is written like 5d, 1w2d4h, 30m or 3ed (elapsed), and is at most 300 years."
        raise PydanticCustomError("duration", message) from None
    return text.strip()


def _lag(text: str) -> str:
    try:
        parse_lag(text, hours_per_day=_DAY_MAX, hours_per_week=_WEEK_MAX)
    except ValueError:
        message = "A lag is written like 2d, -1w2d, 3ed (elapsed) or -50% (of the predecessor's duration)."
        raise PydanticCustomError("lag", message) from None
    return text.strip()


DurationText = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_duration)]
LagText = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_lag)]
# Control characters are named, because not every dialect of patterns counts the same of them among the spaces.
_PIECE = r"[^\s\x00-\x1f\x7f-\x9f.]+"
Wbs = Annotated[
    str,
    StringConstraints(max_length=64),
    Written(rf"^{_PIECE}(\.{_PIECE})*$", "A wbs is pieces without spaces, between dots: 1.2.3."),
]
