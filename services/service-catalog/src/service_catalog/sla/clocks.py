"""SLA clocks as a pure function of an incident's history: which states ran, and which paused."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from service_catalog.clocks import reckoning
from service_catalog.clocks.reckoning import Clock, Measure, Run, Step, run_of

Metric = Literal["response_time", "resolution_time"]
METRICS: tuple[Metric, ...] = ("response_time", "resolution_time")
PAUSING = frozenset({"awaiting_caller", "awaiting_vendor"})
OVER = frozenset({"resolved", "closed"})
_ANSWERED = frozenset({"acknowledged", "in_progress", "on_hold", *OVER})
_GIVEN_UP = frozenset({"cancelled"})


class GivenPriority(NamedTuple):
    """A priority an incident was given, and when."""

    priority: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Course:
    """What happened to an incident, oldest first: it began as `new`; the first priority is the one it began with."""

    started_at: datetime
    steps: Sequence[Step]
    priorities: Sequence[GivenPriority]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target(Measure):
    """What a clock of incidents is measured against."""

    metric: Metric
    priority: str
    service_level_id: UUID | None = None


def priorities_of(course: Course) -> list[tuple[str, datetime | None]]:
    """Return each priority an incident had, with the instant it last left it; the present one has none."""
    left: dict[str, datetime | None] = {}
    for here, following in zip(course.priorities, [*course.priorities[1:], None], strict=True):
        left.pop(here.priority, None)
        left[here.priority] = None if following is None else following.at
    return list(left.items())


def clock_of(course: Course, target: Target, now: datetime, superseded_at: datetime | None = None) -> Clock[Target]:
    """Return the clock of one target, as it stands now or stood when it was superseded."""
    return reckoning.clock_of(target, _run(course, target.metric), now, superseded_at)


def _run(course: Course, metric: Metric) -> Run:
    """Return how a clock ran: that of the response to the first state after `new`, never pausing."""
    steps = [Step("new", course.started_at), *course.steps]
    if metric == "resolution_time":
        return run_of(steps, pause_of=_pause_of, over=OVER, given_up=_GIVEN_UP)
    first = next((place for place, step in enumerate(steps) if step.state != "new"), len(steps) - 1)
    return run_of(steps[: first + 1], pause_of=lambda _: None, over=_ANSWERED, given_up=_GIVEN_UP)


def _pause_of(step: Step) -> str | None:
    """Return why the resolution clock stands still in a state that is left again, or None."""
    if step.state == "on_hold":
        return step.hold_reason if step.hold_reason in PAUSING else None
    return "resolved" if step.state in {*OVER, "cancelled"} else None
