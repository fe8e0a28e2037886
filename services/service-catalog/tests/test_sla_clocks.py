"""The clocks by themselves: vectors, edges, and a count minute by minute as the oracle."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.working_time import CONTINUOUS, WorkingCalendar
from service_catalog.clocks.reckoning import Clock, Step
from service_catalog.sla.clocks import Course, GivenPriority, Metric, Target, clock_of, priorities_of
from service_catalog.sla.targets import targets_of

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")


def calendar(start: str, end: str, timezone: str = "UTC", days: Sequence[str] = WEEKDAYS) -> WorkingCalendar:
    weekly = [{"weekday": day, "intervals": [[start, end]]} for day in days]
    return WorkingCalendar.from_document({"timezone": timezone, "weekly": weekly})


OFFICE = calendar("08:00", "18:00")
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def at(text: str) -> datetime:
    """Read `mon 16:00` of the week that begins on 2026-03-02."""
    day, clock = text.split()
    hour, minute = clock.split(":")
    return (
        MONDAY
        + timedelta(days=[*(name[:3] for name in WEEKDAYS), "sat", "sun"].index(day))
        + timedelta(hours=int(hour), minutes=int(minute))
    )


def target(metric: Metric, priority: str, minutes: int, by: WorkingCalendar) -> Target:
    return Target(metric=metric, priority=priority, minutes=minutes, calendar=by)


def clock(
    start: str,
    steps: Sequence[tuple[str, str]],
    now: str,
    *,
    hours: float = 4,
    metric: Metric = "resolution_time",
    by: WorkingCalendar = OFFICE,
) -> Clock[Target]:
    """Reckon a clock; a step on hold is written `hold:reason`."""
    made = [
        Step(*("on_hold", at(when), state.partition(":")[2]) if ":" in state else (state, at(when)))
        for when, state in steps
    ]
    course = Course(at(start), made, [GivenPriority("P3", at(start))])
    return clock_of(course, target(metric, "P3", round(hours * 60), by), at(now))


HELD = [("mon 16:30", "in_progress"), ("mon 17:00", "hold:awaiting_caller"), ("mon 18:00", "in_progress")]


def test_the_vector_of_the_definitions() -> None:
    made = clock("mon 16:00", HELD, "mon 18:30")
    assert (made.state, made.due_at, made.elapsed_seconds) == ("running", at("tue 11:00"), 3600)
    assert made.warning_at == at("tue 10:00")
    assert [(pause.since, pause.until, pause.reason) for pause in made.pauses] == [
        (at("mon 17:00"), at("mon 18:00"), "awaiting_caller")
    ]


def test_a_pause_outside_opening_hours_gives_nothing() -> None:
    overnight = [("mon 16:30", "in_progress"), ("mon 18:00", "hold:awaiting_vendor"), ("tue 08:00", "in_progress")]
    assert clock("mon 16:00", overnight, "tue 09:00").due_at == at("tue 10:00")
    longer = [*overnight[:2], ("tue 09:00", "in_progress")]
    assert clock("mon 16:00", longer, "tue 09:30").due_at == at("tue 11:00")


@pytest.mark.parametrize("reason", ["awaiting_change", "scheduled", "other"])
def test_other_holds_do_not_pause(reason: str) -> None:
    made = clock("mon 10:00", [("mon 11:00", f"hold:{reason}")], "mon 12:00")
    assert (made.state, made.due_at, made.pauses) == ("running", at("mon 14:00"), [])


def test_while_paused_nobody_knows_when_it_is_due() -> None:
    made = clock("mon 10:00", [("mon 11:00", "hold:awaiting_caller")], "wed 12:00")
    assert (made.state, made.due_at, made.warning_at, made.elapsed_seconds) == ("paused", None, None, 3600)
    assert made.pauses[0].until is None


def test_the_response_clock_never_pauses_and_stops_at_the_first_state_after_new() -> None:
    steps = [("mon 09:00", "hold:awaiting_caller"), ("mon 15:00", "in_progress")]
    made = clock("mon 08:00", steps, "fri 08:00", hours=1, metric="response_time")
    assert (made.state, made.stopped_at, made.due_at, made.pauses) == ("met", at("mon 09:00"), at("mon 09:00"), [])
    late = clock("mon 08:00", [], "mon 09:01", hours=1, metric="response_time")
    assert (late.state, late.due_at) == ("breached", at("mon 09:00"))


def test_created_outside_opening_hours() -> None:
    made = clock("sat 12:00", [], "sat 13:00")
    assert (made.elapsed_seconds, made.due_at) == (0, at("mon 12:00") + timedelta(days=7))


def test_exactly_on_the_deadline_is_met() -> None:
    on_it = clock("mon 10:00", [("mon 14:00", "resolved")], "tue 10:00")
    assert (on_it.state, on_it.stopped_at, on_it.due_at) == ("met", at("mon 14:00"), at("mon 14:00"))
    assert clock("mon 10:00", [("mon 14:01", "resolved")], "tue 10:00").state == "breached"
    assert clock("mon 10:00", [], "mon 14:00").state == "running"
    # The day's last minute is the deadline: after closing time it is past.
    assert clock("mon 14:00", [("mon 18:00", "resolved")], "tue 10:00").state == "met"
    assert clock("mon 14:00", [("mon 20:00", "resolved")], "tue 10:00").state == "breached"


def test_a_hold_on_the_deadline_is_no_breach_until_work_goes_on() -> None:
    held = [("mon 14:00", "hold:awaiting_caller")]
    assert clock("mon 10:00", held, "mon 17:00").state == "paused"
    assert clock("mon 10:00", [*held, ("mon 17:00", "resolved")], "tue 17:00").state == "met"
    assert clock("mon 10:00", [*held, ("mon 17:00", "in_progress")], "mon 17:01").state == "breached"


def test_three_quarters_are_a_warning() -> None:
    assert not clock("mon 10:00", [], "mon 12:59").is_warned
    made = clock("mon 10:00", [], "mon 13:00")
    assert (made.is_warned, made.warning_at) == (True, at("mon 13:00"))


def test_a_clock_that_was_met_runs_again_and_time_in_resolved_paused_it() -> None:
    steps = [("mon 11:00", "resolved"), ("mon 15:00", "in_progress")]
    made = clock("mon 10:00", steps, "mon 16:00")
    assert (made.state, made.elapsed_seconds, made.due_at) == ("running", 2 * 3600, at("mon 18:00"))
    assert [pause.reason for pause in made.pauses] == ["resolved"]
    assert clock("mon 10:00", [*steps, ("mon 18:00", "resolved")], "fri 10:00").state == "met"
    assert clock("mon 10:00", [*steps, ("tue 08:01", "resolved")], "fri 10:00").state == "breached"


def test_a_breach_stays_after_a_reopening() -> None:
    steps = [
        ("mon 15:00", "resolved"),
        ("mon 15:30", "closed"),
        ("tue 08:00", "in_progress"),
        ("tue 08:05", "resolved"),
    ]
    for number in range(1, 5):
        made = clock("mon 10:00", steps[:number], "tue 08:10")
        assert (made.state, made.due_at) == ("breached", at("mon 14:00"))
    assert clock("mon 10:00", steps[:2], "wed 08:00").stopped_at == at("mon 15:00")


def test_a_cancelled_incident_has_no_verdict_unless_it_was_broken_before() -> None:
    assert clock("mon 10:00", [("mon 11:00", "cancelled")], "fri 10:00").state == "cancelled"
    assert clock("mon 10:00", [("mon 15:00", "cancelled")], "fri 10:00").state == "breached"
    answered = clock("mon 10:00", [("mon 11:00", "cancelled")], "fri 10:00", metric="response_time")
    assert (answered.state, answered.stopped_at) == ("cancelled", at("mon 11:00"))


def test_a_new_priority_starts_with_the_incident_and_inherits_the_pauses() -> None:
    steps = [Step("in_progress", at("mon 09:00")), Step("on_hold", at("mon 10:00"), "awaiting_caller")]
    steps.append(Step("in_progress", at("mon 12:00")))
    given_ = [
        GivenPriority("P3", at("mon 08:00")),
        GivenPriority("P1", at("mon 11:00")),
        GivenPriority("P3", at("mon 16:00")),
    ]
    course = Course(at("mon 08:00"), steps, given_)
    assert priorities_of(course) == [("P1", at("mon 16:00")), ("P3", None)]
    urgent = clock_of(course, target("resolution_time", "P1", 240, CONTINUOUS), at("tue 08:00"), at("mon 16:00"))
    assert (urgent.state, urgent.due_at, urgent.superseded_at) == ("breached", at("mon 14:00"), at("mon 16:00"))
    assert urgent.started_at == at("mon 08:00")
    earlier = clock_of(course, target("resolution_time", "P1", 240, CONTINUOUS), at("tue 08:00"), at("mon 13:00"))
    assert (earlier.state, earlier.elapsed_seconds) == ("cancelled", 3 * 3600)
    present = clock_of(course, target("resolution_time", "P3", 1440, OFFICE), at("mon 16:00"))
    assert (present.state, present.elapsed_seconds) == ("running", 6 * 3600)


def test_a_pause_that_lasts_ends_with_a_clock_that_was_superseded() -> None:
    held, on = Step("on_hold", at("mon 10:00"), "awaiting_caller"), Step("in_progress", at("mon 12:00"))
    measured = target("resolution_time", "P3", 1440, OFFICE)
    for steps in ([held], [held, on]):
        course = Course(
            at("mon 08:00"), steps, [GivenPriority("P3", at("mon 08:00")), GivenPriority("P1", at("mon 11:00"))]
        )
        (pause,) = clock_of(course, measured, at("mon 16:00"), at("mon 11:00")).pauses
        assert (pause.since, pause.until) == (at("mon 10:00"), at("mon 11:00"))
        assert clock_of(course, measured, at("mon 16:00"), at("mon 10:00")).pauses == []


@pytest.mark.parametrize(
    ("start", "due", "hours"),
    [
        ("2026-03-28T12:00:00+01:00", "2026-03-29T12:00:00+02:00", 23),
        ("2026-10-24T12:00:00+02:00", "2026-10-25T12:00:00+01:00", 25),
    ],
)
def test_the_days_on_which_clocks_are_moved(start: str, due: str, hours: int) -> None:
    every_day = calendar("00:00", "24:00", "Europe/Berlin", (*WEEKDAYS, "saturday", "sunday"))
    started = datetime.fromisoformat(start)
    course = Course(started, [], [GivenPriority("P3", started)])
    made = clock_of(course, target("resolution_time", "P3", hours * 60, every_day), started)
    assert made.due_at == datetime.fromisoformat(due)


def test_a_calendar_without_enough_time_left_has_no_deadline() -> None:
    once = WorkingCalendar.from_document(
        {"timezone": "UTC", "exceptions": [{"date": "2026-03-02", "intervals": [["08:00", "09:00"]]}]}
    )
    made = clock("mon 08:00", [], "fri 08:00", by=once)
    assert (made.state, made.due_at, made.elapsed_seconds) == ("running", None, 3600)


def test_a_changed_calendar_counts_from_the_beginning() -> None:
    assert clock("mon 16:00", [], "mon 17:00").due_at == at("tue 10:00")
    assert clock("mon 16:00", [], "mon 17:00", by=calendar("08:00", "22:00")).due_at == at("mon 20:00")
    assert clock("mon 16:00", [], "mon 17:00", by=calendar("16:30", "17:00")).elapsed_seconds == 30 * 60


def test_the_usual_targets_and_what_overrides_them() -> None:
    def told(priority: str, levels: Sequence[dict[str, object]] = ()) -> list[tuple[str, int, object]]:
        agreed = targets_of(priority, levels, "hours", at("mon 10:00"))  # type: ignore[arg-type]
        return [(one.metric, one.minutes, one.calendar_id) for one in agreed]

    assert told("P1") == [("response_time", 15, None), ("resolution_time", 240, None)]
    assert told("P2") == [("response_time", 60, None), ("resolution_time", 480, None)]
    assert told("P3") == [("response_time", 240, "hours"), ("resolution_time", 1440, "hours")]
    assert told("P4") == [("response_time", 480, "hours"), ("resolution_time", 4320, "hours")]
    assert told("P5") == []
    blank = {"id": 1, "metric": "resolution_time", "priority": None, "calendar_id": None}
    blank |= {"valid_from": None, "valid_to": None}
    for_all, for_one = blank | {"target": 100}, blank | {"target": 50, "priority": "P1", "calendar_id": "own"}
    for levels in ([for_all, for_one], [for_one, for_all]):
        assert told("P1", levels)[1] == ("resolution_time", 50, "own")
        assert told("P3", levels)[1] == ("resolution_time", 100, "hours")
        assert told("P5", levels) == [("resolution_time", 100, "hours")]
    assert told("P1", [for_one | {"valid_to": at("mon 10:00")}])[1][1] == 240
    assert told("P1", [for_one | {"valid_from": at("mon 10:00")}])[1][1] == 50


STATES = st.sampled_from(["in_progress", "on_hold:awaiting_caller", "on_hold:other", "resolved", "closed"])
STORIES = st.lists(st.tuples(st.integers(0, 600), STATES, st.sampled_from(["P1", "P2", "P3"])), max_size=8)


@given(STORIES, st.integers(0, 1440), st.integers(1, 900), st.integers(0, 3000))
def test_any_course_counts_as_minute_by_minute(
    story: list[tuple[int, str, str]], start: int, minutes: int, later: int
) -> None:
    started = MONDAY + timedelta(minutes=start)
    steps, given_, here = list[Step](), [GivenPriority("P3", started)], started
    for gap, state, priority in story:
        here += timedelta(minutes=gap)
        name, _, reason = state.partition(":")
        steps.append(Step(name, here, reason or None))
        given_.append(GivenPriority(priority, here))
    now = here + timedelta(minutes=later)
    course = Course(started, steps, given_)
    for priority, left_at in priorities_of(course):
        made = clock_of(course, target("resolution_time", priority, minutes, OFFICE), now, left_at)
        elapsed, breached = counted(course, minutes, min(now, left_at or now))
        assert (made.elapsed_seconds, made.state == "breached") == (elapsed * 60, breached)
        # Told anew with what happened afterwards left out, an open clock says the same.
        known = [step for step in steps if step.at <= (left_at or now)]
        again = clock_of(Course(started, known, given_), made.target, left_at or now, left_at)
        assert (again.elapsed_seconds, again.state == "breached") == (elapsed * 60, breached)


def counted(course: Course, minutes: int, end: datetime) -> tuple[int, bool]:
    """Walk through the minutes: how many were worked, and whether it went on after the deadline."""
    elapsed, breached, here = 0, False, course.started_at
    while here < end:
        past = [step for step in course.steps if step.at <= here]
        state = past[-1] if past else Step("new", course.started_at)
        runs = state.state not in {"resolved", "closed"} and state.hold_reason != "awaiting_caller"
        if runs:
            breached = breached or elapsed >= minutes
            elapsed += here.weekday() < 5 and 8 <= here.hour < 18
        here += timedelta(minutes=1)
    return elapsed, breached
