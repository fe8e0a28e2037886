"""Which steps a maintenance window went through, given its actual span."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from chassis.history import Course, Entry

_INSTANTS = {"actual_start": "in_progress", "actual_end": "completed"}


def course_of(row: Mapping[str, Any], changes: Mapping[str, Any]) -> Course:
    """Return the function that dates the steps of a window by the actual span that it has with these changes."""
    return partial(_dated, instants={state: changes.get(name, row[name]) for name, state in _INSTANTS.items()})


def is_moved(row: Mapping[str, Any], changes: Mapping[str, Any]) -> bool:
    """Tell whether changes give a window another actual span."""
    return any(changes.get(name, row[name]) != row[name] for name in _INSTANTS)


def begun_by(at: datetime) -> Course:
    """Return the function that dates no step of a window later than it began, perhaps before it was written down."""
    return lambda recorded: [replace(step, at=min(step.at, at)) for step in recorded]


def _dated(recorded: Sequence[Entry], instants: Mapping[str, datetime | None]) -> list[Entry]:
    """Return the steps with those dated that began and ended the window last; none before them lies after them."""
    left = dict(instants)
    steps: list[Entry] = []
    for step in reversed(recorded):
        at = left.pop(step.to_state, None) or step.at
        steps.append(replace(step, at=min(at, steps[-1].at) if steps else at))
    return steps[::-1]
