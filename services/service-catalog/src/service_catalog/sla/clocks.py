"""SLA clocks as a pure function of an incident's history: which states ran, which paused, and what is left.

Everything is replayed from the beginning each time, so the order in which holds, changes of priority and reopenings
were told makes no difference, and a changed calendar or service level counts from then on. Instants are whole seconds.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from chassis.working_time import WorkingCalendar, to_instant, to_second

Metric = Literal["response_time", "resolution_time"]
State = Literal["running", "paused", "met", "breached", "cancelled"]
METRICS: tuple[Metric, ...] = ("response_time", "resolution_time")
PAUSING = frozenset({"awaiting_caller", "awaiting_vendor"})
OVER = frozenset({"resolved", "closed"})
_UNANSWERED = frozenset({"new"})


class Step(NamedTuple):
    """A state an incident entered."""

    state: str
    at: datetime
    hold_reason: str | None = None


class Urgency(NamedTuple):
    """A priority an incident was given, and when."""

    priority: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Course:
    """What happened to an incident, oldest first: it began as `new`; the first priority is the one it began with."""

    started_at: datetime
    steps: Sequence[Step]
    priorities: Sequence[Urgency]


@dataclass(frozen=True, slots=True)
class Target:
    """What a clock is measured against; `calendar` counts its minutes."""

    metric: Metric
    priority: str
    minutes: int
    calendar: WorkingCalendar = field(repr=False)
    calendar_id: UUID | None = None
    service_level_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """A time a clock stood still, and why; an open one has no end."""

    since: datetime
    until: datetime | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """One clock of an incident at an instant.

    `due_at` and `warning_at` are when these instants were reached, else when they will be if nothing pauses; None while
    it is paused. `superseded_at` is when the incident was given another priority than the clock's.
    """

    target: Target
    state: State
    started_at: datetime
    due_at: datetime | None
    warning_at: datetime | None
    is_warned: bool
    stopped_at: datetime | None
    superseded_at: datetime | None
    elapsed_seconds: int
    pauses: Sequence[Pause]


class _Stretch(NamedTuple):
    """A time in which a clock either runs (no pause) or stands still; an open one has no end."""

    since: int
    until: int | None
    pause: str | None


class _Reading(NamedTuple):
    """How far a clock has run; `reached` is when it got to the mark, and `passed` that it ran on after it."""

    elapsed: int
    reached: int | None
    passed: bool


def priorities_of(course: Course) -> list[tuple[str, datetime | None]]:
    """Return each priority an incident had, with the instant it last left it; the present one has none."""
    left: dict[str, datetime | None] = {}
    for here, following in zip(course.priorities, [*course.priorities[1:], None], strict=True):
        left.pop(here.priority, None)
        left[here.priority] = None if following is None else following.at
    return list(left.items())


def clock_of(course: Course, target: Target, now: datetime, superseded_at: datetime | None = None) -> Clock:
    """Return the clock of one target, as it stands now or stood when it was superseded."""
    stretches, stopped, cancelled = _stretches(course, target.metric)
    ends = [to_second(end) for end in (stopped, cancelled, superseded_at) if end is not None]
    end = min([*ends, to_second(now)])
    measured = list(_clipped(stretches, end))
    seconds = target.minutes * 60
    running = [(one.since, end if one.until is None else one.until) for one in measured if one.pause is None]
    due = _read(target.calendar, running, seconds)
    warning = _read(target.calendar, running, seconds * 3 // 4)
    was_stopped = stopped is not None and to_second(stopped) <= end
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
        started_at=course.started_at,
        due_at=_instant(target.calendar, due, seconds, end, stands=stands),
        warning_at=_instant(target.calendar, warning, seconds * 3 // 4, end, stands=stands),
        is_warned=warning.reached is not None,
        stopped_at=(stopped if was_stopped else cancelled) if is_over else None,
        superseded_at=superseded_at,
        elapsed_seconds=due.elapsed,
        pauses=[
            Pause(to_instant(one.since), None if one.until is None else to_instant(one.until), one.pause)
            for one in _joined(measured)
            if one.pause is not None
        ],
    )


def _stretches(course: Course, metric: Metric) -> tuple[list[_Stretch], datetime | None, datetime | None]:
    """Return how a clock ran, when it was stopped for good, and when it was given up with the incident."""
    here = Step("new", course.started_at)
    made: list[_Stretch] = []
    for following in course.steps:
        if metric == "response_time" and following.state not in _UNANSWERED:
            made.append(_Stretch(to_second(here.at), to_second(following.at), None))
            gone = following.state == "cancelled"
            return made, None if gone else following.at, following.at if gone else None
        made.append(_Stretch(to_second(here.at), to_second(following.at), _pause_of(here)))
        here = following
    if metric == "resolution_time" and here.state in OVER:
        return made, _resolved_at(course.steps), None
    if here.state == "cancelled":
        return made, None, here.at
    made.append(_Stretch(to_second(here.at), None, _pause_of(here) if metric == "resolution_time" else None))
    return made, None, None


def _pause_of(step: Step) -> str | None:
    """Return why the resolution clock stands still in a state that is left again, or None."""
    if step.state == "on_hold":
        return step.hold_reason if step.hold_reason in PAUSING else None
    return "resolved" if step.state in {*OVER, "cancelled"} else None


def _resolved_at(steps: Sequence[Step]) -> datetime:
    """Return when the last unbroken time in `resolved` or `closed` began."""
    first = len(steps) - 1
    while first > 0 and steps[first - 1].state in OVER:
        first -= 1
    return steps[first].at


def _clipped(stretches: Iterable[_Stretch], end: int) -> Iterator[_Stretch]:
    for one in stretches:
        if one.until is None and one.since <= end:
            yield one
        elif one.until is not None and one.since < min(one.until, end):
            yield one._replace(until=min(one.until, end))


def _joined(stretches: Iterable[_Stretch]) -> list[_Stretch]:
    """Join pauses for the same reason that follow one another."""
    joined: list[_Stretch] = []
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
