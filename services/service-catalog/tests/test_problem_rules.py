from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.rejection import Rejection
from service_catalog.problems.lifecycle import LIFECYCLE, Candidate, begun, emptied, entered, is_reopened

START = datetime(2026, 3, 4, 10, tzinfo=UTC)
SAID = {"root_cause": "A race.", "workaround": "Restart it.", "resolution": "A lock.", "factor": "technical"}
NOTHING = dict.fromkeys(SAID)


def after(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def walked(*states: str) -> dict[str, Any]:
    course = begun(START)
    for minutes, state in enumerate(states, start=1):
        course |= entered(course, state, after(minutes))
    return course


def unmet(state: str, to: str, candidate: Candidate) -> list[str]:
    try:
        LIFECYCLE.decide(state, to, candidate)
    except Rejection as refusal:
        return [guard.code for guard in refusal.guards]
    return []


@pytest.mark.parametrize("state", ["open", "investigating"])
@pytest.mark.parametrize("missing", ["root_cause", "workaround"])
def test_a_known_error_needs_its_root_cause_and_a_workaround(state: str, missing: str) -> None:
    for nothing in (None, "", " \n"):
        problem = SAID | {missing: nothing}
        assert unmet(state, "known_error", Candidate(problem=problem)) == [f"{missing}_given"]
        assert unmet(state, "known_error", Candidate(problem=problem, said={missing: "Now said."})) == []
    assert unmet(state, "known_error", Candidate(problem=SAID | {"resolution": None, "factor": None})) == []


@pytest.mark.parametrize(
    ("state", "to"), [("investigating", "resolved"), ("known_error", "resolved"), ("resolved", "closed")]
)
def test_what_is_solved_needs_a_resolution_a_root_cause_and_a_factor(state: str, to: str) -> None:
    all_missing = ["resolution_given", "root_cause_given", "factor_given"]
    assert unmet(state, to, Candidate(problem=NOTHING)) == all_missing
    assert unmet(state, to, Candidate(problem=SAID | {"workaround": None})) == []
    assert unmet(state, to, Candidate(problem=SAID, said={"root_cause": " "})) == ["root_cause_given"]


@pytest.mark.parametrize("state", ["open", "investigating", "known_error"])
def test_a_cancellation_needs_a_reason(state: str) -> None:
    for nothing in (None, "", " "):
        assert unmet(state, "cancelled", Candidate(problem=NOTHING, reason=nothing)) == ["reason_given"]
    assert unmet(state, "cancelled", Candidate(problem=NOTHING, reason="A duplicate.")) == []


@pytest.mark.parametrize(
    ("state", "names"),
    [
        ("open", []),
        ("investigating", []),
        ("known_error", ["root_cause", "workaround"]),
        ("resolved", ["resolution", "root_cause", "factor"]),
        ("closed", ["resolution", "root_cause", "factor"]),
    ],
)
def test_a_state_keeps_what_it_rests_on(state: str, names: list[str]) -> None:
    assert [fault.pointer for fault in emptied(state, NOTHING)] == [f"/{name}" for name in names]
    assert [fault.pointer for fault in emptied(state, dict.fromkeys(SAID, " "))] == [f"/{name}" for name in names]
    assert emptied(state, SAID) == emptied(state, {}) == []


def test_what_once_was_a_known_error_stays_one() -> None:
    course = walked("known_error", "resolved", "investigating", "known_error")
    assert course["known_error_at"] == after(1)
    assert walked("investigating", "resolved", "closed")["known_error_at"] is None


def test_a_reopening_takes_the_end_away() -> None:
    course = walked("investigating", "resolved", "closed", "investigating")
    assert (course["resolved_at"], course["closed_at"], course["state_since"]) == (None, None, after(4))
    assert [is_reopened({"state": state}, "investigating") for state in LIFECYCLE.states] == [
        state in {"resolved", "closed"} for state in LIFECYCLE.states
    ]
    assert not is_reopened({"state": "resolved"}, "closed")


def test_what_is_closed_was_resolved_at_the_latest_then() -> None:
    assert walked("closed")["resolved_at"] == walked("closed")["closed_at"] == after(1)
    solved = walked("investigating", "resolved", "closed")
    assert (solved["resolved_at"], solved["closed_at"]) == (after(2), after(3))
