"""Which steps an outage went through, given the span that it has."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from chassis.history import Course, Entry


def course_of(row: Mapping[str, Any], changes: Mapping[str, Any], now: datetime) -> Course:
    """Return the function that dates the steps of an outage by the span that it has with these changes."""
    started_at, ended_at = (changes.get(name, row[name]) for name in ("started_at", "ended_at"))
    return partial(_steps, id_=row["id"], started_at=started_at, ended_at=ended_at, now=now)


def is_moved(row: Mapping[str, Any], changes: Mapping[str, Any]) -> bool:
    """Tell whether changes give an outage another span."""
    return any(changes.get(name, row[name]) != row[name] for name in ("started_at", "ended_at"))


def _steps(
    recorded: Sequence[Entry], *, id_: Any, started_at: datetime, ended_at: datetime | None, now: datetime
) -> list[Entry]:
    """Return the steps: an outage begins with its span, ends with it, and goes on from now on where it has no end.

    What lies before its beginning did not happen to it, nor did a reopening that lies after its end.
    """
    beginning = next(step for step in recorded if step.from_state is None)
    later = [step for step in recorded if step is not beginning and step.at >= started_at]
    if later and later[0].to_state == "open":
        del later[0]
    steps = [replace(beginning, at=started_at), *later]
    last = steps[-1]
    if ended_at is None:
        if last.to_state == "ended":
            steps.append(Entry(resource_id=id_, at=max(now, last.at), from_state="ended", to_state="open"))
        return steps
    end = Entry(resource_id=id_, at=ended_at, from_state="open", to_state="ended")
    if last.to_state == "ended":
        end = replace(last, at=ended_at)
    while len(steps) > 1 and (steps[-1].at > ended_at or steps[-1].to_state == "ended"):
        del steps[-1]
    return [*steps, end]
