"""The clock of a fulfilment by itself: what starts it, what pauses it, what stops it, and which step did so last."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from chassis.working_time import CONTINUOUS, WorkingCalendar
from service_catalog.clocks.reckoning import Clock, Measure, Step
from service_catalog.requests.fulfilment import clock_of, counted, driver_of

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
OFFICE = WorkingCalendar.from_document(
    {"timezone": "UTC", "weekly": [{"weekday": day, "intervals": [["08:00", "18:00"]]} for day in DAYS]}
)
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def at(text: str) -> datetime:
    """Read `mon 16:00` of the week that begins on 2026-03-02."""
    day, _, clock = text.partition(" ")
    hour, minute = clock.split(":")
    days = [name[:3] for name in DAYS].index(day)
    return MONDAY + timedelta(days=days, hours=int(hour), minutes=int(minute))


def course(*told: tuple[str, str]) -> list[Step]:
    """Read steps; a hold is written `on_hold:reason`."""
    return [Step(state.partition(":")[0], at(when), state.partition(":")[2] or None) for when, state in told]


def clock(steps: Sequence[Step], now: str, *, hours: float = 4, by: WorkingCalendar = OFFICE) -> Clock[Measure]:
    return clock_of(counted(steps), Measure(minutes=round(hours * 60), calendar=by), at(now))


SUBMITTED = ("mon 09:00", "awaiting_approval")
APPROVED = ("mon 16:00", "approved")


def test_it_starts_with_the_approval() -> None:
    assert counted(course(SUBMITTED)) == []
    assert counted(course(SUBMITTED, ("mon 10:00", "rejected"))) == []
    made = clock(course(SUBMITTED, APPROVED), "mon 17:00")
    assert (made.state, made.started_at, made.due_at) == ("running", at("mon 16:00"), at("tue 10:00"))
    assert (made.elapsed_seconds, made.warning_at) == (3600, at("tue 09:00"))
    assert clock(course(APPROVED), "mon 17:00") == made


def test_a_history_that_leaves_the_approval_out_starts_with_the_work() -> None:
    made = clock(course(SUBMITTED, ("mon 16:00", "in_fulfilment")), "mon 17:00")
    assert (made.started_at, made.elapsed_seconds) == (at("mon 16:00"), 3600)


@pytest.mark.parametrize("reason", ["awaiting_requester", "awaiting_vendor"])
def test_it_pauses_while_others_are_waited_for(reason: str) -> None:
    steps = course(APPROVED, ("mon 16:30", "in_fulfilment"), ("mon 17:00", f"on_hold:{reason}"))
    made = clock(steps, "tue 12:00")
    assert (made.state, made.due_at, made.elapsed_seconds) == ("paused", None, 3600)
    assert driver_of(steps) == steps[2]
    resumed = clock([*steps, *course(("tue 12:00", "in_fulfilment"))], "tue 13:00")
    assert (resumed.state, resumed.due_at, resumed.elapsed_seconds) == ("running", at("tue 15:00"), 7200)
    assert [(pause.since, pause.until, pause.reason) for pause in resumed.pauses] == [
        (at("mon 17:00"), at("tue 12:00"), reason)
    ]


@pytest.mark.parametrize("hold", ["on_hold:other", "on_hold"])
def test_another_hold_does_not_pause_it(hold: str) -> None:
    steps = course(APPROVED, ("mon 16:30", "in_fulfilment"), ("mon 17:00", hold))
    made = clock(steps, "mon 18:00")
    assert (made.state, made.pauses, made.elapsed_seconds) == ("running", [], 7200)
    assert driver_of(steps) == steps[0]


def test_it_stops_when_it_is_fulfilled_and_exactly_on_time_is_met() -> None:
    steps = course(APPROVED, ("mon 17:00", "in_fulfilment"), ("tue 10:00", "fulfilled"), ("tue 16:00", "closed"))
    made = clock(steps, "fri 10:00")
    assert (made.state, made.stopped_at, made.elapsed_seconds) == ("met", at("tue 10:00"), 4 * 3600)
    assert driver_of(steps) == steps[2]
    late = clock(course(APPROVED, ("tue 10:01", "fulfilled")), "fri 10:00")
    assert (late.state, late.due_at) == ("breached", at("tue 10:00"))
    assert clock(course(APPROVED), "tue 10:00").state == "running"
    assert clock(course(APPROVED), "tue 10:01").state == "breached"


def test_what_is_reopened_runs_again_and_its_time_fulfilled_is_a_pause() -> None:
    steps = course(APPROVED, ("mon 17:00", "fulfilled"), ("tue 12:00", "in_fulfilment"))
    made = clock(steps, "tue 13:00")
    assert (made.state, made.elapsed_seconds, made.due_at) == ("running", 7200, at("tue 15:00"))
    assert [pause.reason for pause in made.pauses] == ["fulfilled"]
    assert driver_of(steps) == steps[2]
    breached = clock([*steps, *course(("tue 15:01", "fulfilled"))], "fri 10:00")
    assert (breached.state, breached.due_at, breached.stopped_at) == ("breached", at("tue 15:00"), at("tue 15:01"))


def test_what_is_given_up_has_no_verdict_but_a_breach() -> None:
    steps = course(APPROVED, ("mon 17:00", "cancelled"))
    assert (clock(steps, "fri 10:00").state, driver_of(steps)) == ("cancelled", steps[1])
    assert clock(course(APPROVED, ("tue 12:00", "cancelled")), "fri 10:00").state == "breached"


def test_without_a_calendar_it_counts_around_the_clock() -> None:
    assert clock(course(APPROVED), "mon 17:00", by=CONTINUOUS).due_at == at("mon 20:00")
