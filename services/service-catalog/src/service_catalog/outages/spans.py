"""What makes the span of an outage a sound one."""

from datetime import datetime

from chassis.rejection import Fault


def faults_of(started_at: datetime, ended_at: datetime | None, now: datetime) -> list[Fault]:
    """Return what is wrong with a span: nothing begins or ends in the future, nothing ends before it began."""
    faults = []
    if started_at > now:
        faults.append(Fault("/started_at", "in-the-future", "An outage has begun already."))
    if ended_at is not None and ended_at > now:
        faults.append(Fault("/ended_at", "in-the-future", "An outage that goes on has no end yet."))
    if ended_at is not None and ended_at < started_at:
        faults.append(Fault("/ended_at", "before-start", "An outage ends at or after its start."))
    return faults


def state_of(ended_at: datetime | None) -> str:
    """Return the state that follows from a span."""
    return "open" if ended_at is None else "ended"
