"""Agreed service time, downtime and down periods of one service, over any number of periods."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from kpi_engine.availability.facts import MaintenanceWindow, Outage, Policy, ServiceFacts, Severity
from kpi_engine.availability.intervals import (
    SECOND,
    Span,
    clip,
    heaviest,
    instant,
    intersection,
    length,
    micros,
    span,
    subtraction,
    union,
)

_BEGINNING = micros(datetime(1900, 1, 2, tzinfo=UTC))
_END = micros(datetime(2199, 12, 30, tzinfo=UTC))
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Account:
    """Times of one service in one period, in seconds, or of several services pooled by `+`.

    `agreed` is AST, `unmeasured` U and `downtime` DT; `down` is the unweighted time within AST of the
    down periods, `agreed_whole` the AST of the whole period with its future.
    """

    agreed: Fraction = Fraction(0)
    unmeasured: Fraction = Fraction(0)
    downtime: Fraction = Fraction(0)
    down: Fraction = Fraction(0)
    down_periods: int = 0
    agreed_whole: Fraction = Fraction(0)
    outages: int = 0
    period_open: bool = False
    outage_open: bool = False

    def __add__(self, other: Account) -> Account:
        return Account(
            self.agreed + other.agreed,
            self.unmeasured + other.unmeasured,
            self.downtime + other.downtime,
            self.down + other.down,
            self.down_periods + other.down_periods,
            self.agreed_whole + other.agreed_whole,
            self.outages + other.outages,
            self.period_open or other.period_open,
            self.outage_open or other.outage_open,
        )


class Timeline:
    """The facts of one service, sorted and merged once, so that each period costs only what lies in it."""

    def __init__(self, facts: ServiceFacts, policies: Sequence[Policy], now: datetime) -> None:
        self._hours = facts.hours
        self._now = micros(now)
        self._live = (
            _END if facts.live_from is None else micros(facts.live_from),
            _END if facts.retired_at is None else micros(facts.retired_at),
        )
        eras = list(_eras(policies))
        spans = _outage_spans(facts.outages, self._now)
        self._layers = _weigh(spans, eras)
        self._down = union(run for _, layer in self._layers for run in layer)
        self._starts = sorted(start for of_severity in spans.values() for start, _ in of_severity)
        self._ends = sorted(end for of_severity in spans.values() for _, end in of_severity)
        self._first_open = min(
            (micros(o.started_at) for o in facts.outages if o.ended_at is None and not o.withdrawn),
            default=_END,
        )
        self._excused = union(_qualifying(facts.windows, eras))
        self._unmeasured = union(span(start, end) for start, end in facts.unmeasured)

    def account(self, start: datetime, end: datetime) -> Account:
        """Give the account of the half-open period from start to end."""
        first, last = micros(start), micros(end)
        live_start, live_end = max(first, self._live[0]), min(last, self._live[1])
        past_end = min(live_end, self._now)
        whole = self._agreed(live_start, live_end)
        agreed = clip(whole, live_start, past_end)
        runs = clip(self._down, live_start, past_end)
        down_periods = [shared for run in runs if (shared := length(clip(agreed, *run)))]
        downtime = sum(
            (weight * length(intersection(layer, agreed)) for weight, layer in self._layers),
            start=Fraction(0),
        )
        return Account(
            agreed=Fraction(length(agreed), SECOND),
            unmeasured=Fraction(length(intersection(self._unmeasured, agreed)), SECOND),
            downtime=downtime / SECOND,
            down=Fraction(sum(down_periods), SECOND),
            down_periods=len(down_periods),
            agreed_whole=Fraction(length(whole), SECOND),
            outages=self._count(live_start, past_end),
            period_open=self._now < last,
            outage_open=self._first_open < past_end,
        )

    def _agreed(self, start: int, end: int) -> list[Span]:
        """Service hours between two instants without the maintenance that is excused."""
        if end <= start:
            return []
        hours: list[Span] = [(start, end)]
        if self._hours is not None:
            around = self._hours.intervals(instant(start), instant(end) + _SECOND)
            hours = clip([span(opens, closes) for opens, closes in around], start, end)
        return subtraction(hours, clip(self._excused, start, end))

    def _count(self, start: int, end: int) -> int:
        if end <= start:
            return 0
        return bisect_left(self._starts, end) - bisect_right(self._ends, start)


def _eras(policies: Sequence[Policy]) -> Iterator[tuple[int, int, Policy]]:
    """Each policy with the span in which it is in force; before the first one, the first holds."""
    ordered = sorted(policies or (Policy(),), key=_valid_from)
    for index, policy in enumerate(ordered):
        start = _BEGINNING if index == 0 else _valid_from(policy)
        end = _END if index + 1 == len(ordered) else _valid_from(ordered[index + 1])
        yield start, end, policy


def _valid_from(policy: Policy) -> int:
    return _BEGINNING if policy.valid_from is None else micros(policy.valid_from)


def _outage_spans(outages: Iterable[Outage], now: int) -> dict[Severity, list[Span]]:
    """Spans of the outages that count, by severity; one that is open runs to now."""
    spans: dict[Severity, list[Span]] = {}
    for outage in outages:
        if outage.withdrawn:
            continue
        end = now if outage.ended_at is None else micros(outage.ended_at)
        start = micros(outage.started_at)
        if start < end:
            spans.setdefault(outage.severity, []).append((start, end))
    return spans


def _weigh(
    spans: dict[Severity, list[Span]], eras: Sequence[tuple[int, int, Policy]]
) -> list[tuple[Fraction, list[Span]]]:
    """Find the largest weight at each instant; weights of zero are left out."""
    weighted: dict[Fraction, list[Span]] = {}
    for severity, of_severity in spans.items():
        merged = union(of_severity)
        for start, end, policy in eras:
            weight = Fraction(policy.weights.get(severity, 0))
            if weight > 0:
                weighted.setdefault(weight, []).extend(clip(merged, start, end))
    return heaviest(weighted)


def _qualifying(windows: Iterable[MaintenanceWindow], eras: Sequence[tuple[int, int, Policy]]) -> Iterator[Span]:
    for window in windows:
        planned = micros(window.planned_start)
        policy = next((policy for start, end, policy in eras if start <= planned < end), eras[0][2])
        if window.qualifies(policy.notice):
            yield span(*window.excused)
