"""How far a begun task has come, read once from its actual dates and its percentage."""

from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from chassis.working_time import to_second
from project_tracker.schedules.plan import PlannedTask

_ALL = Decimal(100)


class Progress(NamedTuple):
    """Progress of a begun task; instants in seconds since 1970, `remaining` in seconds of its duration."""

    start: int | None
    finish: int | None
    remaining: int
    is_done: bool

    @property
    def is_started(self) -> bool:
        """Tell whether the start is a fact rather than a forecast."""
        return self.start is not None or self.is_done


def progress_of(task: PlannedTask) -> Progress | None:
    """Read the progress of a task; None where it has not begun."""
    begun = task.actual_start_at is not None or task.actual_finish_at is not None
    duration, percent = task.duration.seconds, task.percent_complete
    if not begun and (percent <= 0 or (not duration and percent < _ALL)):
        return None
    start = None if task.actual_start_at is None else to_second(task.actual_start_at)
    finish = None if task.actual_finish_at is None else to_second(task.actual_finish_at)
    is_done = finish is not None or percent >= _ALL or not duration
    left = Decimal(0) if is_done else _ALL - percent
    remaining = int((left * duration / _ALL).to_integral_value(ROUND_HALF_UP))
    return Progress(start, finish, remaining, is_done)
