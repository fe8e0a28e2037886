from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from service_catalog.changes.conflicts import Conflict
from service_catalog.changes.lifecycle import APPROVAL_AFTERWARDS, LIFECYCLE, Candidate, begun, entered
from service_catalog.changes.planning import PLANNED, fixed

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
FIRST, SECOND, THIRD = (UUID(int=number) for number in (1, 2, 3))


def after(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def change(**given: Any) -> dict[str, Any]:
    """Return a normal change that lacks nothing."""
    whole = {
        "id": FIRST,
        "service_ids": [str(FIRST)],
        "type": "normal",
        "risk": "medium",
        "reason": None,
        "implementation_plan": "Do it.",
        "backout_plan": "Undo it.",
        "requester": "alan",
        "planned_start": START,
        "planned_end": after(60),
        "opens_maintenance_window": False,
    }
    return whole | begun(START) | given


def unmet(source: str, target: str, *, command: dict[str, Any] | None = None, **given: Any) -> list[str]:
    """Return the codes of the guards that keep a change from going from a state to another."""
    way = LIFECYCLE.way(source, target)
    assert way is not None
    row = change(state=source, **given)
    candidate = Candidate(change=row, actor="ada", proposers=frozenset({row["requester"]}), **(command or {}))
    return [guard.code for guard in LIFECYCLE.unmet(way, candidate)]


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        ({}, []),
        ({"planned_end": None}, ["planned_window_set"]),
        ({"planned_start": None}, ["planned_window_set"]),
        ({"risk": None}, ["risk_assessed"]),
        ({"backout_plan": " "}, ["backout_plan_set"]),
        ({"backout_plan": None, "type": "standard"}, []),
        ({"backout_plan": None, "type": "standard", "risk": "high"}, ["backout_plan_set"]),
        ({"backout_plan": None, "type": "emergency"}, []),
        ({"requester": "ada"}, ["approver_is_another"]),
        (
            {"planned_start": None, "risk": None, "backout_plan": None, "requester": "ada"},
            ["planned_window_set", "risk_assessed", "backout_plan_set", "approver_is_another"],
        ),
    ],
)
def test_what_an_approval_needs(given: dict[str, Any], codes: list[str]) -> None:
    assert unmet("requested", "approved", **given) == codes


@pytest.mark.parametrize(
    ("type_", "risk", "codes"),
    [
        ("standard", "low", []),
        ("standard", "medium", ["pre_approved"]),
        ("standard", None, ["pre_approved"]),
        ("normal", "low", ["pre_approved"]),
        ("emergency", "low", ["pre_approved"]),
    ],
)
def test_a_standard_change_of_low_risk_alone_is_pre_approved(type_: str, risk: str | None, codes: list[str]) -> None:
    assert unmet("draft", "scheduled", type=type_, risk=risk) == codes
    expected = [] if not codes else ["approved"]
    assert unmet("scheduled", "implementing", type=type_, risk=risk) == expected
    assert unmet("scheduled", "implementing", type=type_, risk=risk, approved_at=START) == []


def test_what_is_in_the_way_keeps_a_change_from_being_scheduled_unless_it_is_accepted_for_a_reason() -> None:
    names = {"in_the_way": ["changes/1"]}
    assert unmet("approved", "scheduled", approved_at=START) == []
    assert unmet("approved", "scheduled", approved_at=START, command=names) == ["no_conflict"]
    accepted = names | {"accept_conflicts": True}
    assert unmet("approved", "scheduled", approved_at=START, command=accepted) == ["acceptance_reason_given"]
    assert unmet("approved", "scheduled", approved_at=START, command=accepted | {"reason": "It fits."}) == []
    lacking = {"approved_at": None, "planned_end": None, "backout_plan": None}
    assert unmet("approved", "scheduled", **lacking) == ["approved", "planned_window_set", "backout_plan_set"]


def test_some_of_what_is_in_the_way_is_named() -> None:
    way = LIFECYCLE.way("draft", "scheduled")
    assert way is not None
    standard = change(type="standard", risk="low")
    candidate = Candidate(change=standard, actor="ada", in_the_way=[f"changes/{number}" for number in range(5)])
    (guard,) = LIFECYCLE.unmet(way, candidate)
    assert "changes/0, changes/1, changes/2 and 2 more;" in guard.message


def test_an_emergency_begins_for_a_reason_and_closes_only_when_it_was_approved() -> None:
    for source in ("draft", "requested"):
        assert unmet(source, "implementing") == ["is_emergency", "emergency_reason_given"]
        assert unmet(source, "implementing", type="emergency", reason="It burns.") == []
        assert unmet(source, "implementing", type="emergency", command={"reason": "It burns."}) == []
    assert unmet("review", "closed", type="emergency") == ["outcome_given", "approved_afterwards"]
    assert unmet("review", "closed", type="emergency", outcome="failed", approved_at=START) == []
    assert unmet("review", "closed", command={"outcome": "failed"}) == []


def test_what_an_approval_afterwards_needs() -> None:
    def lacking(**given: Any) -> list[str]:
        row = change(**given)
        candidate = Candidate(change=row, actor="ada", proposers=frozenset({row["requester"]}))
        return [guard.code for guard in LIFECYCLE.unmet(APPROVAL_AFTERWARDS, candidate)]

    assert lacking(type="emergency", state="implementing") == []
    assert lacking(type="emergency", state="review") == []
    assert lacking(type="emergency", state="review", requester="ada") == ["approver_is_another"]
    assert lacking(state="closed", approved_at=START) == ["is_emergency", "under_way", "not_approved_yet"]


def test_rejections_and_cancellations_need_a_reason() -> None:
    assert unmet("requested", "rejected", command={"reason": " "}) == ["reason_given"]
    for source in ("draft", "requested", "approved", "scheduled"):
        assert unmet(source, "cancelled") == ["reason_given"]
        assert unmet(source, "cancelled", command={"reason": "Not needed."}) == []


def test_every_state_can_be_reached_and_no_final_one_left() -> None:
    reached = {LIFECYCLE.initial} | {one.target for one in LIFECYCLE.transitions}
    assert reached == set(LIFECYCLE.states)
    assert not {one.source for one in LIFECYCLE.transitions} & {"closed", "rejected", "cancelled"}


def test_a_change_begins_with_its_first_implementation_and_ends_with_the_last() -> None:
    course = begun(START)
    for minute, state in enumerate(("implementing", "review", "implementing", "closed")):
        course |= entered(course, state, after(minute))
    assert (course["actual_start"], course["actual_end"]) == (after(0), after(3))
    assert entered(begun(START), "closed", after(1)) == {"state": "closed", "state_since": after(1)}


@pytest.mark.parametrize("name", sorted(PLANNED))
def test_what_an_approval_is_about_stays_from_the_approval_on(name: str) -> None:
    for state in LIFECYCLE.states:
        refusal = fixed(change(state=state), {name: "other"})
        assert (refusal is None) == (state in {"draft", "requested"})
        assert fixed(change(state=state), {name: change()[name]}) is None


@pytest.mark.parametrize("name", ["backout_plan", "implementation_plan"])
def test_plans_stay_from_the_approval_on_and_an_emergency_writes_them_down_until_it_has_one(name: str) -> None:
    assert name in PLANNED
    for state in ("implementing", "review"):
        begun_at_once = change(type="emergency", state=state, implementation_plan=None)
        assert fixed(begun_at_once, {name: "Written down later."}) is None
        assert fixed(begun_at_once | {"approved_at": START}, {name: "Another."}) is not None
        assert fixed(begun_at_once, {"risk": "low"}) is not None


def test_the_requester_stays_once_the_change_is_requested() -> None:
    assert fixed(change(state="draft"), {"requester": "ada"}) is None
    refusal = fixed(change(state="requested"), {"requester": "ada", "title": "Other"})
    assert refusal is not None
    assert (refusal.code, refusal.extra) == ("change-fixed", {"fields": ["requester"]})


def conflict(state: str = "approved", *, approved_at: datetime | None = None, id_: UUID = SECOND) -> Conflict:
    row = {
        "id": id_,
        "title": "Other",
        "state": state,
        "planned_start": START,
        "planned_end": after(60),
        "actual_start": None,
        "begin": START,
        "open": False,
        "approved_at": approved_at,
        "service_ids": [str(FIRST), str(SECOND), str(THIRD)],
    }
    return Conflict.of("change", row, frozenset({FIRST}), frozenset({FIRST, SECOND}))


def test_a_conflict_tells_shared_services_from_linked_ones() -> None:
    assert (conflict().shared, conflict().linked) == ((str(FIRST),), (str(SECOND),))
    assert conflict().name == f"changes/{SECOND}"


def test_of_two_approved_for_one_time_the_first_gets_it() -> None:
    mine = change(state="approved", approved_at=after(5))
    assert conflict(approved_at=after(4)).is_in_the_way_of(mine)
    assert not conflict(approved_at=after(6)).is_in_the_way_of(mine)
    assert conflict(approved_at=after(5), id_=UUID(int=0)).is_in_the_way_of(mine)
    assert not conflict(approved_at=after(5)).is_in_the_way_of(mine)
    assert conflict(approved_at=after(6)).is_in_the_way_of(change(type="standard", risk="low"))
    assert conflict("scheduled", approved_at=after(6)).is_in_the_way_of(mine)
