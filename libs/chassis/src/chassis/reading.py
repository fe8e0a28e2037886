"""Reading resources: one by its id, a page of many, one to be changed; always as JSON that PostgreSQL has built."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache, lru_cache
from typing import Any
from unicodedata import normalize
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    Integer,
    Numeric,
    Text,
    Uuid,
    bindparam,
    cast,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.cursors import CursorSeal
from chassis.database import STATEMENTS_KEPT, Reading, Statement, Transaction
from chassis.listing import Listing
from chassis.outcome import Found, Page
from chassis.rejection import Fault, Rejection, invalid, not_found
from chassis.resource import Resource, json_object

_SUFFIXES = ("_from", "_to")


class _Lock(Enum):
    """What a row that is read is locked against until the transaction ends."""

    NONE = "nothing"
    CHANGE = "changes, not references to it"
    DELETE = "changes and references to it"


async def get(
    tx: Reading,
    resource: Resource,
    id_: UUID,
    *,
    owner: UUID | None = None,
    fields: tuple[str, ...] | None = None,
) -> Found:
    """Return one resource, or refuse as `not-found`."""
    statement = _one(resource, owned=owner is not None, fields=_checked_fields(resource, fields))
    row = await tx.one(statement, wanted_id=id_, wanted_owner=owner)
    if row is None:
        raise not_found(resource.called)
    return Found(row["body"], row["version"])


async def get_by(tx: Reading, resource: Resource, name: str, value: Any) -> Found:
    """Return the one resource with this value in a unique column, or refuse as `not-found`."""
    row = await tx.one(_one_by(resource, name), wanted=value)
    if row is None:
        raise not_found(resource.called)
    return Found(row["body"], row["version"])


async def find(tx: Reading, resource: Resource, id_: UUID, *, owner: UUID | None = None) -> Any:
    """Return the row of one resource, all columns and `body`, or None."""
    return await tx.one(_row(resource, owned=owner is not None, lock=_Lock.NONE), wanted_id=id_, wanted_owner=owner)


async def get_row(tx: Reading, resource: Resource, id_: UUID, *, owner: UUID | None = None) -> Any:
    """Return the row of one resource, all columns and `body`, or refuse as `not-found`."""
    row = await find(tx, resource, id_, owner=owner)
    if row is None:
        raise not_found(resource.called)
    return row


async def find_to_change(tx: Transaction, resource: Resource, id_: UUID, *, owner: UUID | None = None) -> Any:
    """Lock one resource and return its row, all columns and `body`, or None; others may still come to refer to it."""
    return await _locked(tx, resource, id_, _Lock.CHANGE, owner)


async def get_to_change(
    tx: Transaction, resource: Resource, id_: UUID, *, owner: UUID | None = None, expected: int | None = None
) -> Any:
    """Lock one resource and return its row, all columns and `body`, or refuse as `not-found`.

    `expected` is the version the caller has seen: another one is refused as stale, showing the newest; None takes any.
    """
    return _expected(resource, await find_to_change(tx, resource, id_, owner=owner), expected)


async def get_to_delete(
    tx: Transaction, resource: Resource, id_: UUID, *, owner: UUID | None = None, expected: int | None = None
) -> Any:
    """Do what `get_to_change` does; who was about to refer to it has done so, and nobody else does."""
    return _expected(resource, await _locked(tx, resource, id_, _Lock.DELETE, owner), expected)


async def _locked(tx: Transaction, resource: Resource, id_: UUID, lock: _Lock, owner: UUID | None) -> Any:
    row = await tx.one(_row(resource, owned=owner is not None, lock=lock), wanted_id=id_, wanted_owner=owner)
    if row is not None:
        tx.not_before(row)
    return row


def _expected(resource: Resource, row: Any, version: int | None) -> Any:
    if row is None:
        raise not_found(resource.called)
    if version is not None and row["version"] != version:
        raise stale(row)
    return row


async def lock_free(tx: Transaction, resource: Resource, ids: Sequence[UUID]) -> Sequence[Any]:
    """Lock those of the resources that nobody holds, in the order of their ids, and return their rows."""
    rows = await tx.all(_free(resource), ids=ids)
    tx.not_before(*rows)
    return rows


def stale(current: Any) -> Rejection:
    """Refuse a change of a version that is no longer the newest, showing the newest."""
    return Rejection(
        "stale",
        "version-stale",
        "The resource was changed since you read it.",
        current=(current["body"], current["version"]),
    )


async def list_page(tx: Reading, resource: Resource, listing: Listing, seal: CursorSeal) -> Page:
    """Return one page in keyset order; the cursor of the next is bound to what was asked."""
    sort, descending = _sort(resource, listing.sort)
    question = listing.question(tx.caller.org, resource.collection)
    values: dict[str, Any] = {f"f_{name}": value for name, value in listing.filters.items()}
    values |= {"wanted_owner": listing.owner, "since": listing.updated_since, "pattern": _pattern(resource, listing.q)}
    shape = _Shape(
        resource=resource,
        filters=tuple((name, isinstance(value, list)) for name, value in listing.filters.items()),
        owned=listing.owner is not None,
        empty=_checked_empty(resource, listing.empty),
        since=listing.updated_since is not None,
        searched=listing.q is not None,
    )
    count = await tx.value(_count(shape), **values) if listing.count else None
    if listing.after is not None:
        key, id_ = seal.open(question, listing.after)
        values |= {"after_key": _typed(resource.table.c[sort], key), "after_id": id_}
    statement = _page(
        shape,
        sort,
        descending=descending,
        continued=listing.after is not None,
        fields=_checked_fields(resource, listing.fields),
        size=listing.limit,
    )
    row = await tx.one(statement, **values)
    more = row["found"] is not None and row["found"] > listing.limit
    following = seal.seal(question, row["last_key"], row["last_id"]) if more else None
    return Page(items=f"[{row['items'] or ''}]", next=following, count=count)


@dataclass(frozen=True, slots=True)
class _Shape:
    """Which conditions a list has: all that decides the text of its statement, none of the values."""

    resource: Resource
    filters: tuple[tuple[str, bool], ...]
    owned: bool
    empty: tuple[str, ...]
    since: bool
    searched: bool

    def conditions(self) -> list[ColumnElement[bool]]:
        table = self.resource.table
        conditions = [_condition(self.resource, name, several=several) for name, several in self.filters]
        if self.owned:
            conditions.append(_owner(self.resource))
        conditions += [table.c[name].is_(None) for name in self.empty]
        if self.since:
            conditions.append(table.c.updated_at >= bindparam("since", type_=table.c.updated_at.type))
        if self.searched:
            pattern = bindparam("pattern", type_=Text)
            conditions.append(or_(*(func.normalize(table.c[name]).ilike(pattern) for name in self.resource.search)))
        return conditions


def _condition(resource: Resource, name: str, *, several: bool) -> ColumnElement[bool]:
    if name in resource.filters:
        return resource.filters[name](bindparam(f"f_{name}"))
    table = resource.table
    if name in table.c:
        kind = table.c[name].type
        if isinstance(kind, Integer):
            kind = Numeric()  # a number may be asked for that is larger than any of the column's
        if several:
            return table.c[name] == func.any(bindparam(f"f_{name}", type_=ARRAY(kind, dimensions=1)))
        return table.c[name] == bindparam(f"f_{name}", type_=kind)
    for suffix in _SUFFIXES:
        bound = table.c.get(name.removesuffix(suffix)) if name.endswith(suffix) else None
        if bound is not None:
            edge = bindparam(f"f_{name}", type_=bound.type)
            return bound >= edge if suffix == "_from" else bound < edge
    raise RuntimeError(f"{resource.collection} declares a filter {name} that no column answers")


def _owner(resource: Resource) -> ColumnElement[bool]:
    if resource.under is None:
        raise RuntimeError(f"{resource.collection} is part of nothing")
    return resource.table.c[resource.under[1]] == bindparam("wanted_owner", type_=Uuid)


def _sort(resource: Resource, sort: str | None) -> tuple[str, bool]:
    name = resource.sorts[0] if sort is None else sort
    column, descending = name.removeprefix("-"), name.startswith("-")
    if column not in {allowed.removeprefix("-") for allowed in resource.sorts}:
        allowed_names = ", ".join(allowed.removeprefix("-") for allowed in resource.sorts)
        raise invalid(Fault("sort", "sort-unknown", f"This list can be sorted by {allowed_names}; - reverses."))
    return column, descending


def _checked_fields(resource: Resource, fields: tuple[str, ...] | None) -> tuple[str, ...] | None:
    unknown = [name for name in fields or () if name not in resource.fields]
    if unknown:
        raise invalid(Fault("fields", "field-unknown", "fields names something this resource does not have."))
    return fields


def _checked_empty(resource: Resource, names: tuple[str, ...]) -> tuple[str, ...]:
    columns = resource.table.c
    if any(name not in resource.fields or name not in columns or not columns[name].nullable for name in names):
        raise invalid(Fault("empty", "field-unknown", "These are names of fields that may have no value here."))
    return tuple(sorted(set(names)))


def _pattern(resource: Resource, q: str | None) -> str | None:
    if q is None:
        return None
    if not resource.search:
        raise invalid(Fault("q", "not-searchable", "This list has no texts to look into."))
    escaped = normalize("NFC", q).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _typed(column: Column[Any], key: str) -> Any:
    match column.type:
        case DateTime():
            return datetime.fromisoformat(key)
        case Integer() | BigInteger():
            return int(key)
        case Numeric():
            return Decimal(key)
        case Uuid():
            return UUID(key)
        case _ if column.type.python_type is date:
            return date.fromisoformat(key)
        case _:
            return key


def _shown(resource: Resource, fields: tuple[str, ...] | None) -> ColumnElement[Any]:
    chosen = resource.fields if fields is None else {name: resource.fields[name] for name in fields}
    return cast(json_object(chosen), Text).label("body")


@lru_cache(STATEMENTS_KEPT)
def _one(resource: Resource, *, owned: bool, fields: tuple[str, ...] | None) -> Statement:
    table = resource.table
    query = select(_shown(resource, fields), table.c.version).where(table.c.id == bindparam("wanted_id", type_=Uuid))
    return Statement(query.where(_owner(resource)) if owned else query)


@cache
def _one_by(resource: Resource, name: str) -> Statement:
    table = resource.table
    wanted = bindparam("wanted", type_=table.c[name].type)
    return Statement(select(_shown(resource, None), table.c.version).where(table.c[name] == wanted))


@cache
def _row(resource: Resource, *, owned: bool, lock: _Lock) -> Statement:
    table = resource.table
    query = select(*table.c, _shown(resource, None)).where(table.c.id == bindparam("wanted_id", type_=Uuid))
    query = query.where(_owner(resource)) if owned else query
    if lock is _Lock.NONE:
        return Statement(query)
    return Statement(query.with_for_update(of=table, key_share=lock is _Lock.CHANGE))


@cache
def _free(resource: Resource) -> Statement:
    table = resource.table
    ones = table.c.id == func.any(bindparam("ids", type_=ARRAY(Uuid, dimensions=1)))
    return Statement(select(table).where(ones).order_by(table.c.id).with_for_update(skip_locked=True, key_share=True))


@lru_cache(STATEMENTS_KEPT)
def _count(shape: _Shape) -> Statement:
    return Statement(select(func.count()).select_from(shape.resource.table).where(*shape.conditions()))


@lru_cache(STATEMENTS_KEPT)
def _page(
    shape: _Shape,
    sort: str,
    *,
    descending: bool,
    continued: bool,
    fields: tuple[str, ...] | None,
    size: int,
) -> Statement:
    """Return the statement of a page; its size is written out, so that the planner sees how little is wanted.

    As a parameter it would have the planner think of a tenth of the table, and plan anew each time.
    """
    table = shape.resource.table
    key, id_ = table.c[sort], table.c.id
    conditions = shape.conditions()
    if continued:
        after = tuple_(bindparam("after_key", type_=key.type), bindparam("after_id", type_=Uuid))
        conditions.append(tuple_(key, id_) < after if descending else tuple_(key, id_) > after)
    order = (key.desc(), id_.desc()) if descending else (key, id_)
    cut = (
        select(_shown(shape.resource, fields), key.label("key"), id_.label("id"))
        .where(*conditions)
        .order_by(*order)
        .limit(literal_column(str(size + 1)))
        .subquery("cut")
    )
    page = select(*cut.c, func.row_number().over().label("place")).subquery("page")
    within, last = page.c.place <= literal_column(str(size)), page.c.place == literal_column(str(size))
    return Statement(
        select(
            func.string_agg(page.c.body, literal_column("','")).filter(within).label("items"),
            func.max(page.c.place).label("found"),
            func.any_value(page.c.key).filter(last).label("last_key"),
            func.any_value(page.c.id).filter(last).label("last_id"),
        )
    )


def refuse_unknown(reference: str, pointer: str) -> Rejection:
    """Refuse an input that names something which does not exist."""
    return invalid(Fault(pointer, "reference-unknown", f"There is no such {reference}."))
