"""The clock of a request's fulfilment as a pure function of its history."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chassis.schemas import instant_text
from service_catalog.clocks import reckoning
from service_catalog.clocks.documents import document_of
from service_catalog.clocks.reckoning import Clock, Measure, Step, run_of
from service_catalog.requests.lifecycle import OVER, WENT_ON

PAUSING = frozenset({"awaiting_requester", "awaiting_vendor"})
_GIVEN_UP = frozenset({"cancelled", "rejected"})


def counted(steps: Sequence[Step]) -> Sequence[Step]:
    """Return the steps from the approval on; none where it is still to come."""
    started = next((place for place, step in enumerate(steps) if step.state in WENT_ON), len(steps))
    return steps[started:]


def clock_of(steps: Sequence[Step], target: Measure, now: datetime) -> Clock[Measure]:
    """Return the clock of a request whose steps begin with its approval."""
    run = run_of(steps, pause_of=_pause_of, over=OVER, given_up=_GIVEN_UP)
    return reckoning.clock_of(target, run, now)


def driver_of(steps: Sequence[Step]) -> Step:
    """Return the step since which the clock has been as it is: running, standing still for a reason, or stopped."""
    first = len(steps) - 1
    while first > 0 and _pause_of(steps[first - 1]) == _pause_of(steps[first]):
        first -= 1
    return steps[first]


def shown(clock: Clock[Measure], steps: Sequence[Step]) -> dict[str, Any]:
    """Return the clock as JSON."""
    driver, consumed = driver_of(steps), clock.elapsed_seconds // 60
    return document_of(clock) | {
        "consumed_minutes": consumed,
        "remaining_minutes": clock.target.minutes - consumed,
        "driven_by": {"state": driver.state, "at": instant_text(driver.at), "hold_reason": driver.hold_reason},
    }


def _pause_of(step: Step) -> str | None:
    """Return why the clock stands still in a state, or would if it were left again; None where it runs."""
    match step.state:
        case "on_hold":
            return step.hold_reason if step.hold_reason in PAUSING else None
        case "fulfilled" | "closed":
            return "fulfilled"
        case "awaiting_approval" | "rejected" | "cancelled":
            return step.state
        case _:
            return None
