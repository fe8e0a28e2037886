from datetime import UTC, datetime, timedelta

import pytest

from chassis.past import Step
from service_catalog.incidents.lifecycle import LIFECYCLE, begun, entered
from service_catalog.incidents.past import course_of, faults_of, told
from service_catalog.incidents.priority import priority_of

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def after(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def steps(*named: str) -> list[Step]:
    """Return steps written `state@minute`."""
    parted = [one.partition("@") for one in named]
    return [Step(state, after(int(minute))) for state, _, minute in parted]


@pytest.mark.parametrize(
    ("priority", "pairs"),
    [
        ("P1", ["high/high"]),
        ("P2", ["high/medium", "medium/high"]),
        ("P3", ["high/low", "medium/medium", "low/high"]),
        ("P4", ["medium/low", "low/medium"]),
        ("P5", ["low/low"]),
    ],
)
def test_the_priority_weighs_impact_and_urgency(priority: str, pairs: list[str]) -> None:
    assert {priority_of(*pair.split("/")) for pair in pairs} == {priority}


def test_the_response_is_the_first_state_after_new() -> None:
    for first in ("acknowledged", "in_progress", "resolved"):
        assert course_of(steps(f"{first}@5"), START)["acknowledged_at"] == after(5)
    assert course_of(steps("cancelled@5"), START)["acknowledged_at"] is None
    assert course_of(steps("acknowledged@5", "in_progress@9"), START)["acknowledged_at"] == after(5)


def test_a_reopening_adds_up_the_time_it_stood_resolved() -> None:
    course = course_of(
        steps("in_progress@5", "resolved@30", "in_progress@45", "resolved@60", "in_progress@70", "resolved@90"), START
    )
    assert course["reopened_count"] == 2
    assert course["resolved_before_reopening_seconds"] == 25 * 60
    assert course["resolved_at"] == after(90)
    assert (course["state"], course["state_since"]) == ("resolved", after(90))


def test_a_reopening_takes_the_resolution_away() -> None:
    resolved = begun(START) | entered(begun(START), "resolved", after(5)) | {"resolution": "done"}
    reopened = resolved | entered(resolved, "in_progress", after(6))
    assert (reopened["resolution"], reopened["resolved_at"]) == (None, None)


def test_a_closed_incident_was_resolved_at_the_latest_when_it_was_closed() -> None:
    assert course_of(steps("closed@50"), START)["resolved_at"] == after(50)
    assert course_of(steps("resolved@40", "closed@50"), START)["resolved_at"] == after(40)


def test_a_hold_reason_belongs_to_the_hold() -> None:
    course = course_of([Step("on_hold", after(1), "scheduled")], START)
    assert course["hold_reason"] == "scheduled"
    assert entered(course, "in_progress", after(2), "scheduled")["hold_reason"] is None


def test_of_a_state_alone_nothing_else_is_made_up() -> None:
    course = told("resolved", START, {})
    assert (course["resolved_at"], course["acknowledged_at"]) == (None, None)
    assert told("closed", START, {"closed_at": after(9)})["state_since"] == after(9)


def test_the_past_lies_between_the_occurrence_and_now() -> None:
    wrong = faults_of(steps("acknowledged@-1", "resolved@99"), START, {"closed_at": after(200)}, after(60))
    assert [(fault.pointer, fault.code) for fault in wrong] == [
        ("/history/0/at", "before-occurrence"),
        ("/history/1/at", "in-the-future"),
        ("/closed_at", "in-the-future"),
    ]


def test_every_state_can_be_reached_and_no_final_one_left() -> None:
    reached = {LIFECYCLE.initial} | {one.target for one in LIFECYCLE.transitions}
    assert reached == set(LIFECYCLE.states)
    assert not {one.source for one in LIFECYCLE.transitions} & {"closed", "cancelled"}
