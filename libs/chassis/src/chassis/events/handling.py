"""What a service does about the events of others: handlers, and how a batch is put to them."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal, TypeVar

import asyncpg
from pydantic import BaseModel, TypeAdapter
from sqlalchemy import text

from chassis import tracing
from chassis.caller import Caller
from chassis.database import Statement, Transaction
from chassis.events.envelope import Event
from chassis.events.interruptions import DATABASE_AWAY
from chassis.faults import strictly_read
from chassis.rejection import Rejection

Handler = Callable[[Transaction, list[Event]], Awaitable[int | None]]
"""Does something about events; says how many of them were news, None if all were."""
_Model = TypeVar("_Model", bound=BaseModel)

_RECORD_EFFECTS = Statement(
    text(
        """INSERT INTO event_effect (source, event_id, org)
        SELECT cast(:source AS text), id, cast(:org AS text) FROM unnest(cast(:ids AS text[])) AS id
        ON CONFLICT DO NOTHING RETURNING event_id"""
    )
)

# SQLSTATE classes that say something about the moment, not about the data.
_PASSING_CLASSES = ("08", "40", "53", "55", "57", "58")
_PASSING_KINDS = ("unavailable", "rate_limited")
REASON_MAX = 2000
_OF_DATA = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.ProgramLimitExceededError)


@dataclass(frozen=True, slots=True)
class Handling:
    """A handler and how it wants its events."""

    handle: Handler
    kind: Literal["projection", "in_order", "effect"]


Handlers = Mapping[str, Handling]


def projection(handle: Handler) -> Handling:
    """Handle only the newest event of each subject in a batch, in no order across subjects.

    The handler's upsert is guarded by epoch and version: it may get an event again, and after a newer one.
    Projections come before all other handlers, in the order in which they were registered.
    """
    return Handling(handle, "projection")


def in_order(handle: Handler) -> Handling:
    """Handle every event, in the order of the log; the handler bears getting one again."""
    return Handling(handle, "in_order")


def effect(handle: Handler) -> Handling:
    """Handle each event once, one at a time, on behalf of whom it names as cause; never again, also in a rebuild."""
    return Handling(handle, "effect")


async def apply_events(tx: Transaction, source: str, events: Iterable[Event], handlers: Handlers) -> int:
    """Put events to their handlers, organisation by organisation; events without a handler are passed over.

    Returns how many of them were news.
    """
    by_org: dict[str, list[Event]] = {}
    for event in events:
        if event.type in handlers:
            by_org.setdefault(_organisation(event), []).append(event)
    news = 0
    for org, own in by_org.items():
        await tx.act_for(org)
        caller = Caller(org=org, subject=f"events:{source}")
        news += await _apply_for_one(Transaction(tx.connection, caller, tx.now), source, own, handlers)
    return news


async def _apply_for_one(tx: Transaction, source: str, events: list[Event], handlers: Handlers) -> int:
    projected: dict[Handling, list[Event]] = {
        handling: [] for handling in handlers.values() if handling.kind == "projection"
    }
    others: list[Event] = []
    news = 0
    for event in events:
        projected.get(handlers[event.type], others).append(event)
    for handling, own in projected.items():
        if own:
            with tracing.applied(source, own):
                news += await _handled(handling.handle, tx, newest(own))
    for handling, run in groupby(others, key=lambda event: handlers[event.type]):
        if handling.kind == "effect":
            news += await _effect(tx, source, list(run), handling.handle)
        else:
            batch = list(run)
            with tracing.applied(source, batch):
                news += await _handled(handling.handle, tx, batch)
    return news


async def _effect(tx: Transaction, source: str, events: list[Event], handle: Handler) -> int:
    rows = await tx.all(_RECORD_EFFECTS, source=source, org=tx.caller.org, ids=[event.id for event in events])
    unseen = {row["event_id"] for row in rows}
    news = 0
    for event in events:
        if event.id in unseen:
            unseen.remove(event.id)
            with tracing.effect(source, event, tx.caller.org) as traceparent:
                news += await _handled(handle, on_behalf(tx, event, traceparent), [event])
    return news


async def _handled(handle: Handler, tx: Transaction, events: list[Event]) -> int:
    news = await handle(tx, events)
    return len(events) if news is None else news


def newest(events: Iterable[Event]) -> list[Event]:
    """Return the newest event of each subject; of two with the same version, the later one."""
    latest: dict[str, Event] = {}
    for event in events:
        subject = event.subject or event.id
        known = latest.get(subject)
        if known is None or (event.aggregateversion or 0) >= (known.aggregateversion or 0):
            latest[subject] = event
    return list(latest.values())


def data_of(event: Event, model: type[_Model]) -> _Model:
    """Return what an event tells; data that is not as it should be is refused, each fault where it is."""
    return strictly_read(TypeAdapter(model), event.data)


def on_behalf(tx: Transaction, event: Event, traceparent: str | None = None) -> Transaction:
    """Return the transaction as one whose writes name an event as their cause, in its trace or below a span of it."""
    caller = replace(
        tx.caller,
        correlation_id=event.correlationid,
        causation_id=event.id,
        traceparent=traceparent or event.traceparent,
    )
    return Transaction(tx.connection, caller, tx.now)


def is_lasting(error: Exception) -> bool:
    """Whether an event will fail in the same way whenever it is tried: its data or a rule is against it."""
    if isinstance(error, Rejection):
        return error.kind not in _PASSING_KINDS and error.code != "busy"
    if isinstance(error, _OF_DATA):
        return True
    if isinstance(error, OSError | asyncpg.PostgresError):
        return False
    return isinstance(error, ValueError | LookupError | TypeError | ArithmeticError)


def is_passing(error: Exception) -> bool:
    """Whether the failure is one of the moment: a database or a network that is away, a lock, a time-out."""
    if isinstance(error, Rejection):
        return not is_lasting(error)
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "")[:2] in _PASSING_CLASSES
    return isinstance(error, DATABASE_AWAY)


def reason(error: Exception) -> tuple[str, str]:
    """Return a code and a sentence that say why an event was not applied, as the database can keep them."""
    code, sentence = _reason(error)
    return code, sentence.replace("\0", "")[:REASON_MAX]


def _reason(error: Exception) -> tuple[str, str]:
    if isinstance(error, Rejection):
        details = [error.detail, *(f"{fault.pointer}: {fault.message}" for fault in error.faults)]
        details += [guard.message for guard in error.guards]
        return error.code, " ".join(details)
    if isinstance(error, asyncpg.PostgresError):
        return "database-refuses", str(error)
    return "data-unreadable", f"{type(error).__name__}: {error}"


def _organisation(event: Event) -> str:
    if not event.orgid:
        raise ValueError(f"the event {event.id} belongs to no organisation")
    return event.orgid
