"""The value envelope: how every figure leaves the engine, and how it is rounded on its way out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

MONEY_PLACES = 4
OTHER_PLACES = 6
PERCENT = 100
PERIOD_OPEN = "period_open"


class Unit(StrEnum):
    """What a value counts."""

    PERCENT = "percent"
    RATIO = "ratio"
    MONEY = "money"
    COUNT = "count"
    SECONDS = "seconds"
    MINUTES = "minutes"
    DAYS = "days"
    SCORE = "score"

    @property
    def places(self) -> int:
        """Decimal places with which a value of this unit is written."""
        match self:
            case Unit.MONEY:
                return MONEY_PLACES
            case Unit.COUNT:
                return 0
            case Unit.PERCENT | Unit.RATIO | Unit.SECONDS | Unit.MINUTES | Unit.DAYS | Unit.SCORE:
                return OTHER_PLACES


class Status(StrEnum):
    """How far a value can be relied on; only `ok` and `partial` carry a number."""

    OK = "ok"
    PARTIAL = "partial"
    NO_DATA = "no_data"
    NOT_APPLICABLE = "not_applicable"


class Standing(StrEnum):
    """Where a value stands against the target in force."""

    MET = "met"
    AT_RISK = "at_risk"
    MISSED = "missed"
    UNKNOWN = "unknown"


class SubjectType(StrEnum):
    """What a KPI is about."""

    SERVICE = "service"
    PROJECT = "project"
    ORGANISATION = "organisation"


@dataclass(frozen=True, slots=True)
class Figure:
    """An exact value, or the reason why there is none. Nothing in it has been rounded yet."""

    value: Fraction | None
    status: Status = Status.OK
    reason: str | None = None
    numerator: Fraction | None = None
    denominator: Fraction | None = None
    sample_size: int | None = None
    provisional: bool = False

    def __post_init__(self) -> None:
        carries_value = self.status in {Status.OK, Status.PARTIAL}
        if carries_value == (self.value is None):
            raise ValueError(f"a figure with the status {self.status} and the value {self.value}")
        if (self.status is Status.OK) != (self.reason is None):
            raise ValueError(f"a figure with the status {self.status} and the reason {self.reason}")

    @classmethod
    def of(cls, value: Fraction | Decimal | int) -> Figure:
        """Make a value that leaves nothing open."""
        return cls(Fraction(value))

    @classmethod
    def missing(cls, reason: str) -> Figure:
        """No value, because something it needs is not there."""
        return cls(None, Status.NO_DATA, reason)

    @classmethod
    def not_applicable(cls, reason: str) -> Figure:
        """No value, because the question does not arise."""
        return cls(None, Status.NOT_APPLICABLE, reason)

    def while_open(self) -> Figure:
        """Say that its period is not over: what is known so far is not the last word."""
        if self.status is not Status.OK:
            return replace(self, provisional=True)
        return replace(self, status=Status.PARTIAL, reason=PERIOD_OPEN, provisional=True)

    def document(self, unit: Unit, *, share: bool = False) -> dict[str, str | None]:
        """Write the figure as `{value, status, reason}`."""
        return {
            "value": written_or_none(self.value, unit, share=share),
            "status": str(self.status),
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Subject:
    """The service, project or organisation a value is about."""

    type: SubjectType
    id: str


@dataclass(frozen=True, slots=True)
class Period:
    """The half-open span of a value; `timezone` is the IANA zone that its ends were cut in."""

    start: datetime
    end: datetime
    timezone: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """One KPI value with everything a reader needs to judge it; decimals are already written out."""

    kpi: str
    subject: Subject
    period: Period
    value: str | None
    unit: Unit
    currency: str | None
    status: Status
    reason: str | None
    numerator: str | None
    denominator: str | None
    sample_size: int | None
    target: str | None
    standing: Standing
    provisional: bool
    formula: str
    as_of: tuple[tuple[str, str], ...] = ()
    evidence: str | None = None


def rounded(value: Fraction, places: int) -> Decimal:
    """Give the nearest decimal with `places` digits after the point; halves go away from zero."""
    scale = 10**places
    doubled = 2 * abs(value.numerator) * scale + value.denominator
    magnitude = doubled // (2 * value.denominator)
    digits = tuple(int(digit) for digit in str(magnitude))
    return Decimal((int(value < 0 and magnitude > 0), digits, -places))


def written(value: Fraction, unit: Unit, *, share: bool = False) -> str:
    """Write a value as it leaves the engine.

    A `share` is a part of a whole, between 0 and 100 percent: rounding never makes it the whole or
    nothing when it is not, so 99.9999996 is written 99.999999.
    """
    places = unit.places
    result = rounded(value, places)
    if share:
        step = Decimal(1).scaleb(-places)
        if result >= PERCENT and value < PERCENT:
            result = PERCENT - step
        elif result <= 0 < value:
            result = step
    return f"{result:f}"


def written_or_none(value: Fraction | None, unit: Unit, *, share: bool = False) -> str | None:
    """Likewise where there may be no value; none stays none."""
    return None if value is None else written(value, unit, share=share)
