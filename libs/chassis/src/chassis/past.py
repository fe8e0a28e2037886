"""The past of resources as another tool tells it: the states they went through, free of the transition table.

A *course* is what a row holds of that past: its state, since when, and the instants and values that states left behind.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Protocol
from uuid import UUID

from pydantic import BaseModel

from chassis.batch import Known, Report, Upsert, write_items
from chassis.database import Transaction
from chassis.history import Entry, record, retell
from chassis.outcome import Mode
from chassis.rejection import Fault, Rejection
from chassis.resource import Resource
from chassis.writing import Row, update_many

STEPS_MAX = 500
"""How many steps a history may have that an item of a batch tells."""
Details = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]


class PastStep(Protocol):
    """A state a resource was in from an instant on."""

    @property
    def state(self) -> str:
        """The state it entered."""

    @property
    def at(self) -> datetime:
        """When it entered it."""

    @property
    def reason(self) -> str | None:
        """Why, if that was told."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a history that is told: the state it led to, and why it was held there, if it was."""

    state: str
    at: datetime
    hold_reason: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """How an item of a batch is written, and all steps it tells of, oldest first."""

    upsert: Upsert
    steps: Sequence[Step] = ()


def steps_of(history: Iterable[PastStep] | None) -> list[Step]:
    """Return the steps that a history tells, oldest first; of several at one instant, as they are told."""
    steps = [Step(one.state, one.at, getattr(one, "hold_reason", None), one.reason) for one in history or ()]
    return sorted(steps, key=lambda step: step.at)


def told_beside(item: BaseModel, names: Iterable[str], steps: Sized) -> dict[str, Any]:
    """Return what an item tells in fields of these names; beside steps, null tells nothing: they do."""
    told = {name: getattr(item, name) for name in names if name in item.model_fields_set}
    return {name: value for name, value in told.items() if value is not None} if steps else told


def faults_of(
    history: Sequence[PastStep], state: str | None, instants: Mapping[str, datetime | None], now: datetime
) -> list[Fault]:
    """Return what is wrong with a past: nothing of it lies in the future, and its last state is the one told."""
    places = [(f"/history/{place}/at", step.at) for place, step in enumerate(history)]
    places += [(f"/{name}", at) for name, at in instants.items() if at is not None]
    faults = [Fault(place, "in-the-future", "A history tells of the past.") for place, at in places if at > now]
    if history and state not in {None, max(reversed(history), key=lambda step: step.at).state}:
        faults.append(Fault("/state", "state-differs", "The state is the last one of the history."))
    return faults


def faults_of_course(
    course: Mapping[str, Any], row: Mapping[str, Any] | None, names: Sequence[str], told: Collection[str], steps: Sized
) -> list[Fault]:
    """Return what cannot be of a course: an instant before the one it follows, or a step before the last one known.

    `names` are its instants in their order, `told` the fields that say something of it, `steps` the history told with
    them: without one, a known resource, `row`, only goes on from where it is.
    """
    if row is not None and not steps and course["state"] != row["state"] and course["state_since"] < row["state_since"]:
        place = next((name for name in sorted(told) if course.get(name) == course["state_since"]), "state")
        return [Fault(f"/{place}", "before-last", "This lies before the last step known; tell the whole history.")]
    known = [name for name in names if course[name] is not None]
    return [
        Fault(f"/{then if then in told else first}", "out-of-order", f"{then} does not lie before {first}.")
        for first, then in pairwise(known)
        if course[then] < course[first] and not {first, then}.isdisjoint(told)
    ]


def faults_of_reach(
    state: str, told: Mapping[str, Any], reach: Mapping[str, Collection[str]], noun: str
) -> list[Fault]:
    """Return what is wrong with values that a resource in this state cannot have.

    `told` are the values by their fields, `reach` the states in which it has each; `noun` is what it is called.
    """
    return [
        Fault(f"/{name}", "state-not-reached", f"{noun} that is {state} has none.")
        for name, value in told.items()
        if value is not None and state not in reach[name]
    ]


def reached(course: Mapping[str, Any], reach: Mapping[str, Collection[str]]) -> dict[str, Any]:
    """Return a course without the values that its state does not have, given the states in which it has each."""
    return dict(course) | {name: None for name, states in reach.items() if course["state"] not in states}


def changes_what_is_over(
    row: Mapping[str, Any] | None, over: Collection[str], values: Mapping[str, Any], columns: Iterable[str]
) -> bool:
    """Tell whether an item changes more than the labels of a known resource that is in one of the states `over`."""
    if row is None or row["state"] not in over:
        return False
    return any(row[name] != values[name] for name in columns if name != "labels")


def no_details(_: str, __: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what belongs to a step beside its state, its reason and that of a hold: nothing."""
    return {}


async def write_told(
    tx: Transaction,
    resource: Resource,
    drafts: Sequence[Draft | Rejection],
    *,
    mode: Mode,
    known: Known,
    initial: str | None = None,
    details: Details = no_details,
) -> Report:
    """Write the items of a batch with the steps they tell of, and report it.

    The history that an item tells is the truth: what was recorded otherwise of a known resource is superseded. One
    that changes in its steps alone has a new version and an event too, as its history is part of what it is.

    `initial` is the state that a resource begins in without a step; `details` says what belongs to a step into a
    state, given the values that are written.
    """
    upserts = [draft.upsert if isinstance(draft, Draft) else draft for draft in drafts]
    report = await write_items(tx, resource, upserts, mode=mode, known=known)
    added: list[Entry] = []
    told: dict[UUID, Sequence[Entry]] = {}
    for draft, result in zip(drafts, report.results, strict=True):
        if not isinstance(draft, Draft) or result.id is None:
            continue
        steps = entries(draft, result.id, result.before, now=tx.now, initial=initial, details=details)
        if steps and draft.steps and result.before is not None:
            told[result.id] = steps
        else:
            added += steps
    await record(tx, resource, added)
    return await _touched(tx, resource, report, await retell(tx, resource, told))


async def _touched(tx: Transaction, resource: Resource, report: Report, retold: Collection[UUID]) -> Report:
    """Give a new version to what was told anew and has not been written by its columns."""
    rows = [
        Row(id=result.id, values={}, verb="updated")
        for result in report.results
        if result.id is not None and result.id in retold and not result.written
    ]
    touched = {record["id"]: record for record in await update_many(tx, resource, rows)}
    if not touched:
        return report
    results = [
        result._replace(version=touched[result.id]["version"], written=True) if result.id in touched else result
        for result in report.results
    ]
    return Report(results, touched[rows[-1].id]["event_id"])


def entries(
    draft: Draft, id_: UUID, before: Any, *, now: datetime, initial: str | None = None, details: Details = no_details
) -> list[Entry]:
    """Return all steps that an item tells, or the one into the state it tells alone: `now`, if it says no instant.

    Nothing is told of a known resource, `before`, by an item that does not name its state.
    """
    values = draft.upsert.values
    if before is not None and "state" not in draft.upsert.named:
        return []
    steps, state = draft.steps, initial
    if not steps:
        state = initial if before is None else before["state"]
        steps = () if state == values["state"] else (Step(values["state"], values.get("state_since", now)),)
    made: list[Entry] = []
    for step in steps:
        held = {"hold_reason": step.hold_reason} if step.hold_reason else {}
        made.append(
            Entry(
                resource_id=id_,
                at=step.at,
                from_state=None if not made and step.state == state else state,
                to_state=step.state,
                reason=step.reason,
                details={**held, **details(step.state, values)},
            )
        )
        state = step.state
    return made
