from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chassis import ids
from chassis.batch import Result, Upsert
from chassis.past import Draft, changes_what_is_over, entries, faults_of
from chassis.rejection import Rejection, invalid

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ID = ids.new_id()


@dataclass
class Step:
    state: str
    at: datetime
    reason: str | None = None


def ago(minutes: int) -> datetime:
    return NOW - timedelta(minutes=minutes)


def draft(*steps: Step, **values: Any) -> Draft:
    return Draft(Upsert(values={"state": "new", "state_since": NOW} | values, named=frozenset()), steps)


def made(one: Draft, before: Any = None, *, written: bool = True) -> list[tuple[str | None, str, datetime]]:
    drafts: list[Draft | Rejection] = [invalid(), one]
    results = [Result(rejection=invalid()), Result(id=ID, written=written, before=before)]
    return [(entry.from_state, entry.to_state, entry.at) for entry in entries(drafts, results)]


def test_a_past_lies_in_the_past_and_ends_where_it_is_said_to() -> None:
    history = [Step("done", ago(1)), Step("new", ago(9))]
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


def test_a_new_resource_has_all_steps_and_a_known_one_those_after_its_last() -> None:
    told = draft(Step("new", ago(9)), Step("at_work", ago(5)), Step("done", ago(1)), state="done")
    assert made(told) == [(None, "new", ago(9)), ("new", "at_work", ago(5)), ("at_work", "done", ago(1))]
    assert made(told, {"state": "at_work", "state_since": ago(5)}) == [("at_work", "done", ago(1))]
    assert made(told, {"state": "done", "state_since": ago(1)}) == made(told, written=False) == []


def test_a_state_alone_is_one_step() -> None:
    assert made(draft(state="done", state_since=ago(3))) == [(None, "done", ago(3))]
    assert made(draft(state="done"), {"state": "new", "state_since": NOW}) == [("new", "done", NOW)]
    assert made(draft(state="done"), {"state": "done", "state_since": NOW}) == []


def test_a_step_says_what_belongs_to_it() -> None:
    told = draft(Step("new", ago(9)), Step("done", ago(1), "Ready."), state="done", outcome="good")
    steps = entries([told], [Result(id=ID, written=True)], lambda to, values: {to: values["outcome"]})
    assert [(step.reason, step.details) for step in steps] == [(None, {"new": "good"}), ("Ready.", {"done": "good"})]


def test_what_is_over_takes_labels_only() -> None:
    row: dict[str, Any] = {"state": "done", "title": "A", "labels": {}}
    same, other = {"title": "A", "labels": {"a": "b"}}, {"title": "B", "labels": {}}
    assert changes_what_is_over(row, {"done"}, other, ["title", "labels"])
    assert not changes_what_is_over(row, {"done"}, other, ["labels"])
    assert not changes_what_is_over(row, {"done"}, same, ["title", "labels"])
    assert not changes_what_is_over(row | {"state": "new"}, {"done"}, other, ["title"])
    assert not changes_what_is_over(None, {"done"}, other, ["title"])
