"""The past of resources as another tool tells it: the states they went through, free of the transition table."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from chassis.batch import Result, Upsert
from chassis.history import Entry
from chassis.rejection import Fault, Rejection

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
class Draft:
    """How an item of a batch is written, and the steps it tells of, oldest first."""

    upsert: Upsert
    steps: Sequence[PastStep] = ()


def upserts_of(drafts: Sequence[Draft | Rejection]) -> list[Upsert | Rejection]:
    """Return how each item is written, or why not."""
    return [draft.upsert if isinstance(draft, Draft) else draft for draft in drafts]


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


def changes_what_is_over(
    row: Mapping[str, Any] | None, over: Collection[str], values: Mapping[str, Any], columns: Iterable[str]
) -> bool:
    """Tell whether an item changes more than the labels of a known resource that is in one of the states `over`."""
    if row is None or row["state"] not in over:
        return False
    return any(row[name] != values[name] for name in columns if name != "labels")


def no_details(_: str, __: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what belongs to a step beside its state and its reason: nothing."""
    return {}


def entries(
    drafts: Sequence[Draft | Rejection], results: Sequence[Result], details: Details = no_details
) -> list[Entry]:
    """Return the steps of history that a batch has made; of a known resource only those later than its last.

    `details` says what belongs to a step into a state, given the values that are written.
    """
    made: list[Entry] = []
    for draft, result in zip(drafts, results, strict=True):
        if isinstance(draft, Draft) and result.written and result.id is not None:
            made += _entries(draft, result.id, result.before, details)
    return made


def _entries(draft: Draft, id_: UUID, before: Any, details: Details) -> Iterator[Entry]:
    values = draft.upsert.values
    state = None if before is None else before["state"]
    steps = [(one.state, one.at, one.reason) for one in draft.steps if before is None or one.at > before["state_since"]]
    if not draft.steps and state != values["state"]:
        steps = [(values["state"], values["state_since"], None)]
    for to, at, reason in steps:
        yield Entry(resource_id=id_, at=at, from_state=state, to_state=to, reason=reason, details=details(to, values))
        state = to


def entered_by_batch(upserts: Sequence[Upsert | Rejection], results: Sequence[Result], now: datetime) -> list[Entry]:
    """Return the steps of items that tell a state but no history: where each began, and which changed its state."""
    made: list[Entry] = []
    for upsert, result in zip(upserts, results, strict=True):
        if not isinstance(upsert, Upsert) or not result.written or result.id is None:
            continue
        before = result.before["state"] if result.before else None
        state = upsert.values["state"]
        if before != state and (before is None or "state" in upsert.named):
            made.append(Entry(resource_id=result.id, at=now, from_state=before, to_state=state))
    return made
