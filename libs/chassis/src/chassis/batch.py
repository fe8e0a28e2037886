"""Writing many at once: each item finds its resource by what it carries, and adds, changes or leaves it.

All items of a batch take four statements, however many there are: what is known is locked, what is new is added,
what differs is changed, what is equal costs nothing and has no event.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import chain
from typing import Any, Literal, NamedTuple, TypeVar
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import Uuid, and_, bindparam, column, func, literal_column, select, true
from sqlalchemy.dialects.postgresql import ARRAY

from chassis import ids
from chassis.database import Statement, Transaction
from chassis.outcome import Mode, Written
from chassis.problem import problem_members, status_of
from chassis.rejection import Fault, Overtaken, Rejection, UnmetGuard, invalid
from chassis.resource import Resource
from chassis.writing import Row, insert_many, update_many

Identity = tuple[str, tuple[Any, ...]]
Known = Mapping[Identity | None, Any]
EXTERNAL = ("external_source", "external_id")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upsert:
    """One item of a batch: every column of a new row, and which of them the client named.

    A known row changes in the named columns only, or in what `merge` makes of it. `verb` is that of a new row's event,
    `change_verb` that of a changed one; `change` goes with either and `at` says when it happened. `id` is what a new
    row is to have, where another row of the batch refers to it.
    """

    values: Mapping[str, Any]
    named: frozenset[str]
    verb: str = "created"
    change_verb: str = "updated"
    at: datetime | None = None
    change: Mapping[str, Any] | None = None
    merge: Callable[[Any], Mapping[str, Any]] | None = None
    id: UUID | None = None


class Result(NamedTuple):
    """What became of one item: the resource as written or as found, or why it was refused.

    `before` is the row as it was, of a resource that was known; `written` says whether it is new or changed now.
    """

    id: UUID | None = None
    version: int | None = None
    status: int = 200
    rejection: Rejection | None = None
    written: bool = False
    before: Any = None

    def document(self, index: int) -> dict[str, Any]:
        """Return the item of the answer."""
        shown: dict[str, Any] = {
            "index": index,
            "status": self.status if self.rejection is None else status_of(self.rejection),
            "id": self.id,
            "version": self.version,
        }
        if self.rejection is not None:
            shown["problem"] = problem_members(self.rejection)
        return shown


@dataclass(frozen=True, slots=True)
class Report:
    """What became of all items, in their order, and the last event of it."""

    results: Sequence[Result]
    last_event: UUID | None

    def answer(self) -> Written:
        """Return the answer to the batch."""
        documents = [result.document(index) for index, result in enumerate(self.results)]
        return Written(body=to_json({"items": documents}).decode(), event_id=self.last_event)


async def write_batch(
    tx: Transaction,
    resource: Resource,
    items: Sequence[Upsert | Rejection],
    *,
    mode: Mode,
    owner: UUID | None = None,
    known: Known | None = None,
) -> Written:
    """Add, change or leave each item's resource; answer per item, or refuse all if `atomic` and one is refused.

    `known` is what `known_rows` has found of these items in this transaction, if it was asked already.
    """
    return (await write_items(tx, resource, items, mode=mode, owner=owner, known=known)).answer()


async def write_items(
    tx: Transaction,
    resource: Resource,
    items: Sequence[Upsert | Rejection],
    *,
    mode: Mode,
    owner: UUID | None = None,
    known: Known | None = None,
) -> Report:
    """Do what `write_batch` does and report it, where something else is to follow in the same transaction."""
    results: dict[int, Result] = {}
    upserts: dict[int, Upsert] = {}
    if known is None:
        wanted = [identity_of(resource, item.values) for item in items if isinstance(item, Upsert)]
        known = await known_rows(tx, resource, wanted, owner=owner)
    for index, item in enumerate(without_repeated(resource, items, known)):
        if isinstance(item, Upsert):
            upserts[index] = item
        else:
            results[index] = Result(rejection=item)
    _refuse_if_atomic(mode, results)
    last_event = await _write_all(tx, resource, upserts, results, mode, owner, known)
    return Report([results[index] for index in range(len(items))], last_event)


async def _write_all(
    tx: Transaction,
    resource: Resource,
    upserts: Mapping[int, Upsert],
    results: dict[int, Result],
    mode: Mode,
    owner: UUID | None,
    known: Known,
) -> UUID | None:
    """Write all in bulk; where the database refuses, each by itself to learn which.

    Raises `Overtaken` where one is refused because another transaction has added it meanwhile: it was judged as new.
    """
    try:
        async with tx.savepoint():
            return await _write_bulk(tx, resource, upserts, results, known)
    except Rejection:
        last_event = None
    identities = {index: identity_of(resource, upsert.values) for index, upsert in upserts.items()}
    refused: list[Identity | None] = []
    for index in _in_one_order(identities):
        try:
            async with tx.savepoint():
                last_event = await _write_bulk(tx, resource, {index: upserts[index]}, results, known) or last_event
        except Rejection as rejection:
            results[index] = Result(rejection=rejection)
            refused.append(identities[index])
    if (await known_rows(tx, resource, refused, owner=owner)).keys() - known.keys():
        raise Overtaken("added-meanwhile", "Another request was adding the same resources.")
    _refuse_if_atomic(mode, results)
    return last_event


async def _write_bulk(
    tx: Transaction,
    resource: Resource,
    upserts: Mapping[int, Upsert],
    results: dict[int, Result],
    known: Known,
) -> UUID | None:
    identities = {index: identity_of(resource, upsert.values) for index, upsert in upserts.items()}
    added: dict[int, Row] = {}
    changed: dict[int, Row] = {}
    before: dict[int, Any] = {}
    for index, upsert in upserts.items():
        row = known.get(identities[index])
        if row is None:
            added[index] = Row(
                id=upsert.id or ids.new_id(), values=upsert.values, verb=upsert.verb, at=upsert.at, change=upsert.change
            )
            continue
        merged = upsert.merge(row) if upsert.merge else {name: upsert.values[name] for name in upsert.named}
        if all(row[name] == value for name, value in merged.items()):
            results[index] = Result(row["id"], row["version"], before=row)
            continue
        whole = {name: row[name] for name in upsert.values} | dict(merged)
        changed[index] = Row(id=row["id"], values=whole, verb=upsert.change_verb, at=upsert.at, change=upsert.change)
        before[index] = row
    rows = [added[index] for index in _in_one_order({index: identities[index] for index in added})]
    last_event = _record(results, added, 201, await insert_many(tx, resource, rows), before)
    updated = await update_many(tx, resource, list(changed.values()))
    return _record(results, changed, 200, updated, before) or last_event


def _in_one_order(identities: Mapping[int, Identity | None]) -> list[int]:
    """Return the places of items in the order of what they are found by: two batches wait for one another one way."""
    return sorted(identities, key=lambda index: str(identities[index]))


def _record(
    results: dict[int, Result],
    rows: Mapping[int, Row],
    status: int,
    written: Sequence[Any],
    before: Mapping[int, Any],
) -> UUID | None:
    versions = {record["id"]: record["version"] for record in written}
    for index, row in rows.items():
        results[index] = Result(row.id, versions[row.id], status, written=True, before=before.get(index))
    return written[-1]["event_id"] if written else None


def identity_of(resource: Resource, values: Mapping[str, Any]) -> Identity | None:
    """Return what an item's resource is found by: the external id, else the natural key, else nothing."""
    external_id = values.get("external_id")
    if external_id is not None:
        return ("external", (values["external_source"], external_id))
    if resource.natural_key:
        return ("natural", tuple(values[name] for name in resource.natural_key))
    return None


def without_repeated(resource: Resource, items: Sequence[Upsert | Rejection], known: Known) -> list[Upsert | Rejection]:
    """Return the items, with a refusal in place of each that names the resource of another one, even by another key."""
    names = [_names(resource, item.values, known) if isinstance(item, Upsert) else () for item in items]
    times = Counter(chain.from_iterable(names))
    repeated = Fault("", "repeated-in-batch", "The batch names the same resource twice.")
    return [
        invalid(repeated) if any(times[name] > 1 for name in those) else item
        for item, those in zip(items, names, strict=True)
    ]


def _names(resource: Resource, values: Mapping[str, Any], known: Known) -> Collection[object]:
    """Return all that a resource could be named by: what finds it, its natural key, and its id where it is known."""
    identity = identity_of(resource, values)
    if identity is None:
        return ()
    row = known.get(identity)
    natural = tuple(values[name] for name in resource.natural_key)
    names: set[object] = {identity} if row is None else {identity, row["id"]}
    if natural and None not in natural:
        names.add(("natural", natural))
    return names


async def known_rows(
    tx: Transaction, resource: Resource, identities: Iterable[Identity | None], *, owner: UUID | None = None
) -> dict[Identity | None, Any]:
    """Lock what is known by these identities and return the rows, before the items are judged or written.

    They are locked in the order of their ids, whichever way they are named, so that two batches cannot deadlock.
    """
    wanted: dict[str, list[tuple[Any, ...]]] = {"external": [], "natural": []}
    for identity in identities:
        if identity is not None:
            wanted[identity[0]].append(identity[1])
    ids_found: list[UUID] = []
    columns = {"external": EXTERNAL, "natural": resource.natural_key}
    for kind, keys in wanted.items():
        if keys:
            values = {f"k_{name}": [key[place] for key in keys] for place, name in enumerate(columns[kind])}
            lookup = _lookup(resource, columns[kind], owned=owner is not None)
            ids_found += [row["id"] for row in await tx.all(lookup, **values, wanted_owner=owner)]
    if not ids_found:
        return {}
    rows = await tx.all(_locked(resource), wanted_ids=ids_found)
    tx.not_before(*rows)
    return {
        (kind, key): row
        for kind, keys in wanted.items()
        for key, row in zip(keys, _matching(rows, columns[kind], keys), strict=True)
        if row is not None
    }


def _matching(rows: Sequence[Any], names: tuple[str, ...], keys: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Return for each key the row that carries it in these columns, None where there is none."""
    if not keys:
        return []
    carried = {tuple(row[name] for name in names): row for row in rows}
    return [carried.get(key) for key in keys]


@cache
def _lookup(resource: Resource, names: tuple[str, ...], *, owned: bool) -> Statement:
    """Find the ids of the rows that carry one of these keys.

    Each key is looked for along the index of its columns, however many rows there are (OFFSET 0 keeps the planner from
    reading the table instead).
    """
    table = resource.table
    keys = (
        func.unnest(*(bindparam(f"k_{name}", type_=ARRAY(table.c[name].type, dimensions=1)) for name in names))
        .table_valued(*(column(name, table.c[name].type) for name in names), name="wanted")
        .render_derived()
    )
    carries = and_(*(table.c[name] == keys.c[name] for name in names))
    if owned and resource.under is not None:
        carries &= table.c[resource.under[1]] == bindparam("wanted_owner", type_=Uuid)
    found = select(table.c.id).where(carries).offset(literal_column("0")).lateral("found")
    return Statement(select(found.c.id).select_from(keys.join(found, true())))


@cache
def _locked(resource: Resource) -> Statement:
    table = resource.table
    wanted = table.c.id == func.any(bindparam("wanted_ids", type_=ARRAY(Uuid, dimensions=1)))
    return Statement(select(*table.c).where(wanted).order_by(table.c.id).with_for_update(key_share=True))


def _refuse_if_atomic(mode: Mode, results: Mapping[int, Result]) -> None:
    refused = {index: result.rejection for index, result in results.items() if result.rejection is not None}
    if mode == "independent" or not refused:
        return
    faults: list[Fault] = []
    guards: list[UnmetGuard] = []
    for index, rejection in sorted(refused.items()):
        place = f"/items/{index}"
        own = rejection.faults or [Fault("", rejection.code, rejection.detail)]
        faults += [Fault(place + fault.pointer, fault.code, fault.message) for fault in own]
        guards += rejection.unmet
    kind: Literal["invalid", "conflict"] = (
        "invalid" if all(rejection.kind == "invalid" for rejection in refused.values()) else "conflict"
    )
    number = "1 item was" if len(refused) == 1 else f"{len(refused)} items were"
    detail = f"{number} refused, so nothing was written."
    raise Rejection(kind, "batch-refused", detail, faults=faults, guards=guards)
