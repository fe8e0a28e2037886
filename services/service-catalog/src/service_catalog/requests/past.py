"""The course of a request as another tool tells it, free of the transition table."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chassis.past import Step
from chassis.rejection import Fault
from service_catalog.requests.lifecycle import APPROVED, AWAITING, begun, entered


def with_beginning(steps: Sequence[Step], submitted_at: datetime, *, approval_required: bool) -> list[Step]:
    """Return the steps with the one a request begins with, which may have been left untold.

    What waited for its approval first, or was approved later than it was submitted, began by waiting.
    """
    first = steps[0] if steps else None
    if first is not None and first.state == AWAITING:
        return [Step(AWAITING, submitted_at, reason=first.reason), *steps[1:]]
    if first is not None and (first.state, first.at) == (APPROVED, submitted_at):
        return list(steps)
    waited = approval_required or (first is not None and first.state == APPROVED)
    return [Step(AWAITING if waited else APPROVED, submitted_at), *steps]


def course_of(steps: Sequence[Step]) -> dict[str, Any]:
    """Return the course that these steps make; the first one is where it began."""
    course = begun(steps[0].at, approval_required=steps[0].state == AWAITING)
    for step in steps[1:]:
        course |= entered(course, step.state, step.at, reason=step.reason, hold_reason=step.hold_reason)
    return course


def faults_of(steps: Sequence[Step], submitted_at: datetime, now: datetime) -> list[Fault]:
    """Return what is wrong: nothing happened in the future, and nothing before the request was submitted."""
    faults = [Fault("/submitted_at", "in-the-future", "A request has been submitted.")] if submitted_at > now else []
    for place, step in enumerate(steps):
        if step.at > now:
            faults.append(Fault(f"/history/{place}/at", "in-the-future", "A history tells of the past."))
        elif step.at < submitted_at:
            faults.append(Fault(f"/history/{place}/at", "before-submission", "This lies before it was submitted."))
    return faults
