from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chassis import ids
from chassis.batch import Upsert
from chassis.past import Draft, Step, changes_what_is_over, entries, faults_of, faults_of_reach, reached, steps_of

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ID = ids.new_id()


@dataclass
class Told:
    state: str
    at: datetime
    reason: str | None = None


@dataclass
class Held(Told):
    hold_reason: str | None = None


def ago(minutes: int) -> datetime:
    return NOW - timedelta(minutes=minutes)


def draft(*steps: Step, names: str = "state", **values: Any) -> Draft:
    return Draft(Upsert(values={"state": "new", "state_since": NOW} | values, named=frozenset({names})), steps)


def made(one: Draft, before: Any = None, **given: Any) -> list[tuple[str | None, str, datetime]]:
    return [(entry.from_state, entry.to_state, entry.at) for entry in entries(one, ID, before, now=NOW, **given)]


def test_a_past_lies_in_the_past_and_ends_where_it_is_said_to() -> None:
    history = [Told("done", ago(1)), Told("new", ago(9))]
    assert faults_of(history, "done", {"ended_at": ago(1), "begun_at": None}, NOW) == []
    assert faults_of(history, None, {}, NOW) == faults_of([], "new", {}, NOW) == []
    wrong = faults_of([*history, Step("new", ago(-1))], "done", {"ended_at": ago(-2)}, NOW)
    assert [(fault.pointer, fault.code) for fault in wrong] == [
        ("/history/2/at", "in-the-future"),
        ("/ended_at", "in-the-future"),
        ("/state", "state-differs"),
    ]


def test_of_steps_at_one_instant_the_one_told_last_is_the_last() -> None:
    assert faults_of([Step("new", ago(1)), Step("done", ago(1))], "done", {}, NOW) == []


def test_steps_are_told_in_any_order() -> None:
    history = [Told("done", ago(1), "Ready."), Held("held", ago(5), hold_reason="vendor"), Told("new", ago(5))]
    assert steps_of(history) == [
        Step("held", ago(5), hold_reason="vendor"),
        Step("new", ago(5)),
        Step("done", ago(1), reason="Ready."),
    ]
    assert steps_of(None) == []


def test_a_history_is_told_whole_of_a_new_resource_and_of_a_known_one() -> None:
    told = draft(Step("new", ago(9)), Step("at_work", ago(5)), Step("done", ago(1)), state="done")
    whole = [(None, "new", ago(9)), ("new", "at_work", ago(5)), ("at_work", "done", ago(1))]
    assert made(told) == made(told, {"state": "at_work", "state_since": ago(5)}) == whole
    assert made(told, initial="new") == whole


def test_a_beginning_without_a_step_is_where_the_first_one_comes_from() -> None:
    told = draft(Step("at_work", ago(5)), state="at_work")
    assert made(told, initial="new") == [("new", "at_work", ago(5))]
    assert made(told) == [(None, "at_work", ago(5))]
    assert made(draft(state="done"), initial="new") == [("new", "done", NOW)]
    assert made(draft(), initial="new") == []


def test_a_state_alone_is_one_step() -> None:
    assert made(draft(state="done", state_since=ago(3))) == [(None, "done", ago(3))]
    assert made(draft(state="done"), {"state": "new", "state_since": NOW}) == [("new", "done", NOW)]
    assert made(draft(state="new"), {"state": "done"}, initial="new") == [("done", "new", NOW)]
    assert made(draft(state="done"), {"state": "done", "state_since": NOW}) == []


def test_who_does_not_name_the_state_of_a_known_resource_tells_no_step() -> None:
    assert made(draft(Step("done", ago(1)), names="title", state="done"), {"state": "new"}) == []


def test_a_step_says_what_belongs_to_it() -> None:
    told = draft(Step("new", ago(9), "vendor"), Step("done", ago(1), None, "Ready."), state="done", outcome="good")
    steps = entries(told, ID, None, now=NOW, details=lambda to, values: {to: values["outcome"]})
    assert [(step.reason, step.details) for step in steps] == [
        (None, {"hold_reason": "vendor", "new": "good"}),
        ("Ready.", {"done": "good"}),
    ]


def test_what_is_over_takes_labels_only() -> None:
    row: dict[str, Any] = {"state": "done", "title": "A", "labels": {}}
    same, other = {"title": "A", "labels": {"a": "b"}}, {"title": "B", "labels": {}}
    assert changes_what_is_over(row, {"done"}, other, ["title", "labels"])
    assert not changes_what_is_over(row, {"done"}, other, ["labels"])
    assert not changes_what_is_over(row, {"done"}, same, ["title", "labels"])
    assert not changes_what_is_over(row | {"state": "new"}, {"done"}, other, ["title"])
    assert not changes_what_is_over(None, {"done"}, other, ["title"])


def test_a_state_has_nothing_of_those_it_has_not_reached() -> None:
    reach = {"begun_at": {"at_work", "done"}, "ended_at": {"done"}}
    told = {"begun_at": ago(5), "ended_at": ago(1)}
    wrong = faults_of_reach("at_work", told, reach, "A thing")
    assert [(fault.pointer, fault.code) for fault in wrong] == [("/ended_at", "state-not-reached")]
    assert (
        faults_of_reach("done", told, reach, "A thing") == faults_of_reach("new", {"begun_at": None}, reach, "") == []
    )
    course = {"state": "at_work", "state_since": ago(5), **told}
    assert reached(course, reach) == course | {"ended_at": None}
