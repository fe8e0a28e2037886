"""How a clock of working time is reckoned: how far it has run, when it is due, and whether it was in time.

Everything is replayed from the beginning each time, so the order in which steps were told makes no difference, and a
changed calendar or target counts from then on. Instants are whole seconds.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Generic, Literal, NamedTuple, TypeVar
from uuid import UUID

from chassis.working_time import WorkingCalendar, to_instant, to_second

State = Literal["running", "paused", "met", "breached", "cancelled"]


class Step(NamedTuple):
    """A state that what is measured entered."""

    state: str
    at: datetime
    hold_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What a clock is measured against; `calendar` counts its minutes."""

    minutes: int
    calendar: WorkingCalendar = field(repr=False)
    calendar_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """A time a clock stood still, and why; an open one has no end."""

    since: datetime
    until: datetime | None
    reason: str


MeasureT = TypeVar("MeasureT", bound=Measure)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock(Generic[MeasureT]):
    """One clock at an instant.

    `due_at` and `warning_at` are when these instants were reached, else when they will be if nothing pauses; None while
    it is paused. `superseded_at` is when another clock took its place.
    """

    target: MeasureT
    state: State
    started_at: datetime
    due_at: datetime | None
    warning_at: datetime | None
    is_warned: bool
    stopped_at: datetime | None
    superseded_at: datetime | None
    elapsed_seconds: int
    pauses: Sequence[Pause]


class Stretch(NamedTuple):
    """A time in which a clock either runs (no pause) or stands still; an open one has no end."""

    since: int
    until: int | None
    pause: str | None


class Run(NamedTuple):
    """How a clock ran from its start, when it was stopped for good, and when it was given up, if it was."""

    started_at: datetime
    stretches: Sequence[Stretch]
    stopped_at: datetime | None = None
    given_up_at: datetime | None = None


class _Reading(NamedTuple):
    """How far a clock has run; `reached` is when it got to the mark, and `passed` that it ran on after it."""

    elapsed: int
    reached: int | None
    passed: bool


def run_of(
    steps: Sequence[Step], *, pause_of: Callable[[Step], str | None], over: frozenset[str], given_up: frozenset[str]
) -> Run:
    """Return how a clock ran that starts with the first step.

    `pause_of` says why it stands still in a state, or None where it runs. It is stopped when the last unbroken time in
    states that are `over` began, and given up in one of `given_up`.
    """
    made = [Stretch(to_second(here.at), to_second(following.at), pause_of(here)) for here, following in pairwise(steps)]
    last = steps[-1]
    if last.state in over:
        return Run(steps[0].at, made, stopped_at=_over_since(steps, over))
    if last.state in given_up:
        return Run(steps[0].at, made, given_up_at=last.at)
    return Run(steps[0].at, [*made, Stretch(to_second(last.at), None, pause_of(last))])


def clock_of(target: MeasureT, run: Run, now: datetime, superseded_at: datetime | None = None) -> Clock[MeasureT]:
    """Return the clock of one target, as it stands now or stood when it was superseded."""
    ends = [to_second(end) for end in (run.stopped_at, run.given_up_at, superseded_at) if end is not None]
    end = min([*ends, to_second(now)])
    measured = list(_clipped(run.stretches, end, is_over=bool(ends)))
    seconds = target.minutes * 60
    running = [(one.since, end if one.until is None else one.until) for one in measured if one.pause is None]
    due = _read(target.calendar, running, seconds)
    warning = _read(target.calendar, running, seconds * 3 // 4)
    was_stopped = (
        run.stopped_at is not None
        and to_second(run.stopped_at) <= end
        and (superseded_at is None or run.stopped_at <= superseded_at)  # within one second the order counts
    )
    is_over = was_stopped or bool(ends)
    is_paused = not is_over and bool(measured) and measured[-1].until is None and measured[-1].pause is not None
    state: State
    if due.passed:
        state = "breached"
    elif was_stopped:
        state = "met"
    elif is_over:
        state = "cancelled"
    else:
        state = "paused" if is_paused else "running"
    stands = state in {"paused", "cancelled"} or is_paused
    return Clock(
        target=target,
        state=state,
        started_at=run.started_at,
        due_at=_instant(target.calendar, due, seconds, end, stands=stands),
        warning_at=_instant(target.calendar, warning, seconds * 3 // 4, end, stands=stands),
        is_warned=warning.reached is not None,
        stopped_at=(run.stopped_at if was_stopped else run.given_up_at) if is_over else None,
        superseded_at=superseded_at,
        elapsed_seconds=due.elapsed,
        pauses=[
            Pause(to_instant(one.since), None if one.until is None else to_instant(one.until), one.pause)
            for one in _joined(measured)
            if one.pause is not None
        ],
    )


def _over_since(steps: Sequence[Step], over: frozenset[str]) -> datetime:
    """Return when the last unbroken time in states that are over began."""
    first = len(steps) - 1
    while first > 0 and steps[first - 1].state in over:
        first -= 1
    return steps[first].at


def _clipped(stretches: Iterable[Stretch], end: int, *, is_over: bool) -> Iterator[Stretch]:
    """Give what lies before the end; what lasts ends with a clock that is over."""
    for one in stretches:
        until = end if one.until is None else min(one.until, end)
        if one.until is None and not is_over and one.since <= end:
            yield one
        elif one.since < until:
            yield one._replace(until=until)


def _joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Join pauses for the same reason that follow one another."""
    joined: list[Stretch] = []
    for one in stretches:
        if joined and (joined[-1].until, joined[-1].pause) == (one.since, one.pause):
            joined[-1] = joined[-1]._replace(until=one.until)
        else:
            joined.append(one)
    return joined


def _read(calendar: WorkingCalendar, running: Iterable[tuple[int, int]], mark: int) -> _Reading:
    """Add up the working time of what ran; exactly on the mark is not past it."""
    elapsed, reached, passed = 0, None, False
    for since, until in running:
        if until <= since:
            continue
        start = calendar.position(since)
        worked = calendar.position(until) - start
        if reached is not None:
            passed = True
        elif elapsed + worked >= mark:
            reached = calendar.closing_second(start + mark - elapsed)
            passed = reached < until
        elapsed += worked
    return _Reading(elapsed, reached, passed)


def _instant(calendar: WorkingCalendar, reading: _Reading, mark: int, end: int, *, stands: bool) -> datetime | None:
    """Return when the mark was reached, or will be where the clock does not stand still."""
    if reading.reached is not None:
        return to_instant(reading.reached)
    if stands:
        return None
    try:
        return to_instant(calendar.closing_second(calendar.position(end) + mark - reading.elapsed))
    except ValueError:  # the calendar has not so much time left
        return None
