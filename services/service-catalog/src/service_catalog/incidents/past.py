"""The course of an incident as another tool tells it, free of the transition table."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from chassis.past import Step
from chassis.rejection import Fault
from service_catalog.incidents.lifecycle import LIFECYCLE, UNRESOLVED, begun, entered

INSTANTS = ("acknowledged_at", "resolved_at", "closed_at")
_OF_AN_END = ("resolved_at", "closed_at")
_HOW_FAR = {"new": 0, "acknowledged": 1, "in_progress": 1, "on_hold": 1, "resolved": 2, "closed": 3, "cancelled": 3}


def course_of(steps: Sequence[Step], occurred_at: datetime) -> dict[str, Any]:
    """Return the course that these steps make, in the order of their instants."""
    course = begun(occurred_at)
    for step in steps:
        if step.state == LIFECYCLE.initial and course["state"] == LIFECYCLE.initial:
            course["state_since"] = step.at
        else:
            course |= entered(course, step.state, step.at, step.hold_reason)
    return course


def reached(state: str, instants: Mapping[str, datetime | None]) -> str:
    """Return the state that the instants lead to, or the one there is where they lead no further."""
    told_of = (name.removesuffix("_at") for name, at in instants.items() if at is not None)
    return max([state, *told_of], key=_HOW_FAR.__getitem__)


def faults_of_reach(state: str, instants: Mapping[str, datetime | None], steps: Sequence[Step]) -> list[Fault]:
    """Return which instants tell of what an incident in this state has not reached, nor before by these steps."""
    ahead = _OF_AN_END if state in UNRESOLVED else ("resolved_at",) if state == "cancelled" else ()
    faults = [
        Fault(f"/{name}", "state-not-reached", f"What is {state} has not been resolved.")
        for name in ahead
        if instants.get(name) is not None
    ]
    if state == LIFECYCLE.initial and not steps and instants.get("acknowledged_at") is not None:
        faults.append(Fault("/acknowledged_at", "state-not-reached", "What is new has not been acknowledged."))
    return faults


def differing(steps: Sequence[Step], occurred_at: datetime, instants: Mapping[str, datetime | None]) -> list[Fault]:
    """Return which instants say something else than the history told with them."""
    course: Mapping[str, Any] = course_of(steps, occurred_at) if steps and instants else {}
    message = "The history tells another instant."
    return [
        Fault(f"/{name}", "instant-differs", message)
        for name, at in instants.items()
        if at is not None and course.get(name) not in {None, at}
    ]


def told(state: str, occurred_at: datetime, instants: dict[str, datetime | None]) -> dict[str, Any]:
    """Return the course of an incident of which only the state and perhaps some instants are known."""
    course: dict[str, Any] = begun(occurred_at) | {"state": state} | instants
    known = [instant for instant in instants.values() if instant is not None]
    return course | {"state_since": max(known, default=occurred_at)}


def faults_of(
    steps: Sequence[Step], occurred_at: datetime, instants: Mapping[str, datetime | None], now: datetime
) -> list[Fault]:
    """Return what is wrong: nothing happened in the future, and nothing before the incident occurred."""
    faults = [Fault("/occurred_at", "in-the-future", "An incident has occurred already.")] if occurred_at > now else []
    named = [(f"/history/{place}/at", step.at) for place, step in enumerate(steps)]
    named += [(f"/{name}", at) for name, at in instants.items() if at is not None]
    for pointer, at in named:
        if at > now:
            faults.append(Fault(pointer, "in-the-future", "A history tells of the past."))
        elif at < occurred_at:
            faults.append(Fault(pointer, "before-occurrence", "This lies before the incident occurred."))
    return faults
