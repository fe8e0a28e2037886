"""Short ways to write plans down: days are eight hours of Monday to Friday, January 2026 begins on a Thursday."""

from datetime import UTC, datetime
from typing import Any

from chassis.durations import parse_duration, parse_lag
from chassis.working_time import STANDARD
from project_tracker.schedules.engine import compute_schedule
from project_tracker.schedules.plan import Constraint, ConstraintType, Link, LinkType, Plan, PlannedTask
from project_tracker.schedules.schedule import Schedule, TaskSchedule

HOURS = {"hours_per_day": STANDARD.hours_per_day, "hours_per_week": STANDARD.hours_per_week}


def at(text: str) -> datetime:
    """`05 08:00` is the fifth of January 2026, a Monday, at eight; longer texts are ISO 8601."""
    written = f"2026-01-{text.replace(' ', 'T')}" if len(text) < 10 else text
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


MONDAY = at("05 08:00")


def task(name: str, duration: str = "1d", wish: str = "", **given: Any) -> PlannedTask:
    """`task("a", "2d", "SNET 06 08:00", parent="s")`: the name is id and wbs."""
    kind, _, when = wish.partition(" ")
    constraint = Constraint(ConstraintType(kind), at(when) if when else None) if wish else None
    fields: dict[str, Any] = {key: at(value) if key.endswith("_at") else value for key, value in given.items()}
    fields["parent_id"] = fields.pop("parent", None)
    return PlannedTask(name, name, parse_duration(duration, **HOURS), constraint=constraint, **fields)


def links(*texts: str) -> list[Link]:
    """`a b`, `a b SS`, `a b FS -1d`."""
    found = []
    for text in texts:
        before, after, kind, lag = (*text.split(), *["FS", "0"][len(text.split()) - 2 :])[:4]
        found.append(Link(before, after, LinkType(kind), parse_lag(lag, **HOURS)))
    return found


def plan(*tasks: PlannedTask, of: list[Link] | None = None, start: datetime = MONDAY, **given: Any) -> Plan:
    return Plan(start, tasks, of or (), **given)


def schedule(*tasks: PlannedTask, of: list[Link] | None = None, status: str = "", **given: Any) -> Schedule:
    return compute_schedule(plan(*tasks, of=of, **given), at(status) if status else None)


def rows(found: Schedule) -> dict[str, TaskSchedule]:
    return {row.wbs: row for row in found.tasks}


def dates(found: Schedule) -> dict[str, str]:
    """Start and finish of each task, day and time."""
    return {row.wbs: f"{row.start:%d %H:%M} – {row.finish:%d %H:%M}" for row in found.tasks}


def codes(found: Schedule) -> list[tuple[str, str]]:
    return [(warning.code.value, warning.wbs) for warning in found.warnings]
