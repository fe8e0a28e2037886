"""What makes a service level sound, and which one is in force."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from chassis.rejection import Fault, Rejection, UnmetGuard

Metric = Literal["availability", "response_time", "resolution_time", "csat"]
TIMES = frozenset({"response_time", "resolution_time"})
MINUTES_MAX = 1_000_000
PERCENT_MAX = 100


def faults_of(level: Mapping[str, Any]) -> list[Fault]:
    """Return what is wrong with a service level as it is to be."""
    metric, target = level["metric"], Decimal(level["target"])
    faults = []
    if metric in TIMES:
        if target != target.to_integral_value() or not 0 < target <= MINUTES_MAX:
            faults.append(Fault("/target", "out-of-range", f"A time is 1 to {MINUTES_MAX} whole minutes."))
    elif target > PERCENT_MAX:
        faults.append(Fault("/target", "out-of-range", "A share is at most 100 percent."))
    if level["priority"] is not None and metric not in TIMES:
        faults.append(Fault("/priority", "not-allowed", "Only the times of incidents depend on their priority."))
    if level["calendar_id"] is not None and metric == "csat":
        faults.append(Fault("/calendar_id", "not-allowed", "Satisfaction is not measured by a calendar."))
    start, end = level["valid_from"], level["valid_to"]
    if start is not None and end is not None and end <= start:
        faults.append(Fault("/valid_to", "before-start", "It ends after it starts."))
    return faults


def overlap(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether there is an instant at which both are in force."""
    return _begins_before_end(one, other) and _begins_before_end(other, one)


def matter_of(level: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what a level is about; two about the same are never in force at once."""
    return level["service_id"], level["metric"], level["priority"]


def clash(level: Mapping[str, Any], others: Iterable[Mapping[str, Any]]) -> Rejection | None:
    """Refuse a level if one of the others about the same is in force with it."""
    message = "Another service level is in force for the same thing."
    guards = [
        UnmetGuard("no_overlap", message, f"service-levels/{other['id']}" if "id" in other else None)
        for other in others
        if overlap(other, level)
    ]
    return Rejection("conflict", "service-level-overlaps", message, guards=guards) if guards else None


def _begins_before_end(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    start, end = one["valid_from"], other["valid_to"]
    return start is None or end is None or bool(start < end)


def in_force(levels: Iterable[Mapping[str, Any]], metric: str, priority: str, at: datetime) -> Mapping[str, Any] | None:
    """Return the level of a metric at an instant: one for this very priority goes before one for all."""
    moment = {"valid_from": at, "valid_to": at}
    found: Mapping[str, Any] | None = None
    for level in levels:
        is_meant = level["metric"] == metric and level["priority"] in {None, priority}
        starts_in_time = level["valid_from"] is None or level["valid_from"] <= at
        if (
            is_meant
            and starts_in_time
            and _begins_before_end(moment, level)
            and (found is None or found["priority"] is None)
        ):
            found = level
    return found
