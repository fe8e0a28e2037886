"""What states a resource went through: who, when, why; written with the change itself.

Nothing is lost where a history is told anew: steps that were superseded are kept, and only those in force are read.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Identity,
    Index,
    MetaData,
    Table,
    Text,
    Uuid,
    bindparam,
    cast,
    column,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from chassis.database import Reading, Statement, Transaction
from chassis.resource import Instant, JsonDocument, Resource, json_object, shown

HISTORY_METADATA = MetaData()

history_entry = Table(
    "history_entry",
    HISTORY_METADATA,
    Column("place", BigInteger, Identity(always=True), primary_key=True),
    Column("org", Text, nullable=False),
    Column("collection", Text, nullable=False),
    Column("resource_id", Uuid, nullable=False),
    Column("at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("from_state", Text),
    Column("to_state", Text, nullable=False),
    Column("reason", Text),
    Column("actor", Text, nullable=False),
    Column("details", JsonDocument, nullable=False),
    Column("superseded_at", Instant),
    Index("history_entry_resource", "org", "collection", "resource_id", "at", "place"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One step: `at` is when it happened (an import may say the past); `details` what else belongs to it."""

    resource_id: UUID
    at: datetime
    to_state: str
    from_state: str | None = None
    reason: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


Course = Callable[[Sequence[Entry]], Sequence[Entry]]
"""Is given a resource's steps in force, oldest first, and returns the steps that are to be in force."""
_COLUMNS = ("resource_id", "at", "from_state", "to_state", "reason", "details")
_LINES = (
    func.unnest(*(bindparam(name, type_=ARRAY(history_entry.c[name].type, dimensions=1)) for name in _COLUMNS))
    .table_valued(*(column(name, history_entry.c[name].type) for name in _COLUMNS), with_ordinality="n", name="line")
    .render_derived()
)
_RECORD = Statement(
    insert(history_entry).from_select(
        ["org", "collection", "recorded_at", "actor", *_COLUMNS],
        select(
            bindparam("org", type_=Text),
            bindparam("collection", type_=Text),
            bindparam("recorded_at", type_=Instant),
            bindparam("actor", type_=Text),
            *(_LINES.c[name] for name in _COLUMNS),
        ).order_by(_LINES.c.n),
    )
)
_ENTRY_FIELDS = {
    "at": shown(history_entry.c.at),
    "from": history_entry.c.from_state,
    "to": history_entry.c.to_state,
    "reason": history_entry.c.reason,
    "actor": history_entry.c.actor,
    "recorded_at": shown(history_entry.c.recorded_at),
    "details": history_entry.c.details,
}
_CORRECTING = history_entry.alias("correcting")
_CORRECTED_BY = (
    select(_CORRECTING.c.actor)
    .where(
        *(_CORRECTING.c[name] == history_entry.c[name] for name in ("org", "collection", "resource_id")),
        _CORRECTING.c.recorded_at == history_entry.c.superseded_at,
    )
    .limit(1)
    .scalar_subquery()
)


def _array_items(fields: Mapping[str, ColumnElement[Any]], *order: ColumnElement[Any]) -> ColumnElement[str]:
    """Write steps as what stands in a JSON array, in an order; of those that are equal in it, as they were recorded."""
    return func.string_agg(
        cast(json_object(fields), Text),
        aggregate_order_by(literal_column("','"), *order, history_entry.c.place),
    )


_STEPS = _array_items(_ENTRY_FIELDS, history_entry.c.at)
_IS_OF_COLLECTION = history_entry.c.collection == bindparam("collection", type_=Text)
_IS_OF_ONE = history_entry.c.resource_id == bindparam("resource_id", type_=Uuid)
_IS_OF_SEVERAL = history_entry.c.resource_id == func.any(bindparam("resource_ids", type_=ARRAY(Uuid, dimensions=1)))
_IS_IN_FORCE = history_entry.c.superseded_at.is_(None)
_OF_ONE = Statement(
    select(func.coalesce(_STEPS, literal_column("''"))).where(_IS_OF_COLLECTION, _IS_OF_ONE, _IS_IN_FORCE)
)
_SUPERSEDED_FIELDS = _ENTRY_FIELDS | {
    "superseded_at": shown(history_entry.c.superseded_at),
    "superseded_by": _CORRECTED_BY,
}
_SUPERSEDED_STEPS = _array_items(_SUPERSEDED_FIELDS, history_entry.c.superseded_at, history_entry.c.at)
_SUPERSEDED_OF_ONE = Statement(
    select(func.coalesce(_SUPERSEDED_STEPS, literal_column("''"))).where(
        _IS_OF_COLLECTION, _IS_OF_ONE, history_entry.c.superseded_at.is_not(None)
    )
)
_OF_SEVERAL = Statement(
    select(history_entry.c.collection, history_entry.c.resource_id, _STEPS.label("steps"))
    .where(
        history_entry.c.collection == func.any(bindparam("collections", type_=ARRAY(Text, dimensions=1))),
        _IS_OF_SEVERAL,
        _IS_IN_FORCE,
    )
    .group_by(history_entry.c.collection, history_entry.c.resource_id)
)
_ACTORS = Statement(
    select(history_entry.c.actor)
    .where(
        _IS_OF_COLLECTION,
        _IS_OF_ONE,
        history_entry.c.to_state == func.any(bindparam("states", type_=ARRAY(Text, dimensions=1))),
    )
    .distinct()
)
_RECORDED = Statement(
    select(history_entry.c.place, *(history_entry.c[name] for name in _COLUMNS))
    .where(_IS_OF_COLLECTION, _IS_OF_SEVERAL, _IS_IN_FORCE)
    .order_by(history_entry.c.at, history_entry.c.place)
)
_SUPERSEDE = Statement(
    update(history_entry)
    .where(history_entry.c.place == func.any(bindparam("places", type_=ARRAY(BigInteger, dimensions=1))))
    .values(superseded_at=bindparam("now", type_=Instant))
)


async def record(tx: Transaction, resource: Resource, entries: Sequence[Entry]) -> None:
    """Write down steps in the order given; a caller's subject is the actor."""
    if entries:
        await tx.run(
            _RECORD,
            org=tx.caller.org,
            collection=resource.collection,
            recorded_at=tx.now,
            actor=tx.caller.subject,
            **{name: [getattr(entry, name) for entry in entries] for name in _COLUMNS},
        )


async def history(tx: Reading, resource: Resource, id_: UUID) -> str:
    """Return a resource's steps, oldest first, as a JSON array's text."""
    return f"[{await tx.value(_OF_ONE, collection=resource.collection, resource_id=id_)}]"


async def superseded_steps(tx: Reading, resource: Resource, id_: UUID) -> str:
    """Return a resource's steps that were superseded, with when and by whom, as a JSON array's text.

    They come in the order in which they were superseded. Nobody is named where no other step took the place of one.
    """
    return f"[{await tx.value(_SUPERSEDED_OF_ONE, collection=resource.collection, resource_id=id_)}]"


async def histories(tx: Reading, resources: Sequence[Resource], ids: Sequence[UUID]) -> Mapping[UUID, Sequence[str]]:
    """Return, in one statement, what `history` does of each id: one for each of the histories that it has."""
    names = [resource.collection for resource in resources]
    rows = await tx.all(_OF_SEVERAL, collections=names, resource_ids=ids)
    told = {(row["resource_id"], row["collection"]): row["steps"] for row in rows}
    return {id_: [f"[{told.get((id_, name), '')}]" for name in names] for id_ in ids}


async def actors(tx: Reading, resource: Resource, id_: UUID, states: Collection[str]) -> frozenset[str]:
    """Return who ever brought a resource to one of these states, by steps that were superseded too."""
    rows = await tx.all(_ACTORS, collection=resource.collection, resource_id=id_, states=list(states))
    return frozenset(row["actor"] for row in rows)


async def retell(tx: Transaction, resource: Resource, told: Mapping[UUID, Sequence[Entry]]) -> frozenset[UUID]:
    """Have the steps of locked resources be those that are told, oldest first; return whose were others.

    What is recorded as it is told stays. From the first step on that is not, the recorded ones are superseded and the
    told ones recorded.
    """
    if not told:
        return frozenset()
    recorded = await _recorded(tx, resource, told)
    others: set[UUID] = set()
    superseded: list[int] = []
    entries: list[Entry] = []
    for id_, steps in told.items():
        pairs = zip(recorded[id_], steps, strict=False)
        same = sum(1 for _ in takewhile(lambda pair: _is_told(*pair), pairs))
        if same < max(len(recorded[id_]), len(steps)):
            others.add(id_)
            superseded += [row["place"] for row in recorded[id_][same:]]
            entries += steps[same:]
    await _supersede(tx, resource, superseded, entries)
    return frozenset(others)


async def steps_in_force(tx: Reading, resource: Resource, id_: UUID) -> Sequence[Entry]:
    """Return a resource's steps, oldest first."""
    return [_entry(row) for row in (await _recorded(tx, resource, [id_]))[id_]]


async def correct(tx: Transaction, resource: Resource, courses: Mapping[UUID, Course]) -> None:
    """Have the steps of locked resources be what a function makes of those in force, oldest first.

    Unlike by `retell`, a step that stays as it is keeps who took it, also behind one that does not. Where steps are
    taken away and none is put in their place, the last that stays is recorded anew: so it is known by whom.
    """
    if not courses:
        return
    superseded: list[int] = []
    entries: list[Entry] = []
    for id_, rows in (await _recorded(tx, resource, courses)).items():
        left = [(row["place"], _entry(row)) for row in rows]
        anew: list[Entry] = []
        stays: list[tuple[int, Entry]] = []
        for step in courses[id_]([entry for _, entry in left]):
            same = next((one for one in left if one[1] == step), None)
            # of steps at one instant the one recorded first is read first
            if same is None or any(step.at == other.at for other in anew):
                anew.append(step)
            else:
                left.remove(same)
                stays.append(same)
        if left and stays and not anew:
            left.append(stays[-1])
            anew.append(stays[-1][1])
        superseded += [place for place, _ in left]
        entries += anew
    await _supersede(tx, resource, superseded, entries)


async def _recorded(tx: Reading, resource: Resource, ids: Collection[UUID]) -> Mapping[UUID, list[Any]]:
    recorded: dict[UUID, list[Any]] = {id_: [] for id_ in ids}
    for row in await tx.all(_RECORDED, collection=resource.collection, resource_ids=list(recorded)):
        recorded[row["resource_id"]].append(row)
    return recorded


async def _supersede(tx: Transaction, resource: Resource, places: Sequence[int], entries: Sequence[Entry]) -> None:
    if places:
        await tx.run(_SUPERSEDE, places=places, now=tx.now)
    await record(tx, resource, entries)


def _entry(row: Any) -> Entry:
    return Entry(**{name: row[name] for name in _COLUMNS})


def _is_told(recorded: Any, told: Entry) -> bool:
    """Tell whether a recorded step is the one told: what else was recorded with it may go beyond what is told."""
    if any(recorded[name] != getattr(told, name) for name in ("from_state", "to_state", "at", "reason")):
        return False
    details = recorded["details"]
    is_held_alike = details.get("hold_reason") == told.details.get("hold_reason")
    return is_held_alike and all(details.get(name, value) == value for name, value in told.details.items())
