"""The only way to change a resource: row, version and event in one statement.

The row is locked (by its update) before the event gets its place, which is what keeps events of one resource in order.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Literal, NamedTuple
from uuid import UUID

import asyncpg
from sqlalchemy import (
    CTE,
    BigInteger,
    ClauseElement,
    Column,
    ColumnElement,
    FromClause,
    Insert,
    Integer,
    Text,
    Uuid,
    bindparam,
    case,
    cast,
    column,
    delete,
    exists,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON

from chassis import ids
from chassis.caller import IdempotencyKey
from chassis.database import Statement, Transaction, unnested
from chassis.events.sizes import too_large
from chassis.events.tables import event_pending, event_version
from chassis.keys import IN_FORCE, answer_as_json, keep_answer, kept_with
from chassis.outcome import Written
from chassis.reading import find_to_change, stale
from chassis.rejection import not_found
from chassis.resource import Instant, JsonDocument, Resource

Step = Literal["insert", "update", "delete"]
CALLER_ORG = bindparam("caller_org", type_=Text)
CALLER_NOW = bindparam("caller_now", type_=Instant)
Columns = Mapping[str, ColumnElement[Any]]
Beside = Callable[[CTE, Columns], Insert]
"""What else is inserted, given the row that is written, by its `id`, and the columns it is written from.

It may name the caller's organisation, `CALLER_ORG`, and the instant of the transaction, `CALLER_NOW`.
"""


class Row(NamedTuple):
    """One row to write: `verb` and `change` describe its event, `at` says when it happened (now, if not said).

    `expected` is the version the caller has seen; None writes whatever the version is.
    """

    id: UUID
    values: Mapping[str, Any]
    verb: str
    at: datetime | None = None
    change: Mapping[str, Any] | None = None
    expected: int | None = None


# What a row brings along for its event, beside the columns of its table.
_EVENT_FIELDS: tuple[tuple[str, Any], ...] = (
    ("id", Uuid()),
    ("event_verb", Text()),
    ("event_at", Instant),
    ("event_change", JsonDocument),
    ("expected", Integer()),
)


async def insert_one(
    tx: Transaction,
    resource: Resource,
    values: Mapping[str, Any],
    *,
    verb: str = "created",
    at: datetime | None = None,
    change: Mapping[str, Any] | None = None,
    id_: UUID | None = None,
) -> Written:
    """Add a resource; constraints that refuse it are rejections by `resource.constraints`.

    `id_` is that of a resource which another service has named; a new one, if not said.
    """
    row = Row(id=id_ or ids.new_id(), values=values, verb=verb, at=at, change=change)
    return _shown(resource, "insert", row, await _write(tx, resource, "insert", [row]))


async def add(
    tx: Transaction,
    resource: Resource,
    values: Mapping[str, Any],
    *,
    id_: UUID | None = None,
    verb: str = "created",
    at: datetime | None = None,
    beside: Beside | None = None,
) -> Written:
    """Add a resource as the last that an operation does: the statement also keeps its answer under the caller's key.

    It does what `insert_one` and `conclude` do, with one round trip less; `beside` saves that of a further table.
    """
    row = Row(id=id_ or ids.new_id(), values=values, verb=verb, at=at)
    records = await _write(tx, resource, "insert", [row], keeps=tx.caller.idempotency, beside=beside)
    tx.concluded = True
    return _shown(resource, "insert", row, records)


async def update_one(
    tx: Transaction,
    resource: Resource,
    id_: UUID,
    values: Mapping[str, Any],
    *,
    expected: int | None = None,
    verb: str = "updated",
    at: datetime | None = None,
    change: Mapping[str, Any] | None = None,
) -> Written:
    """Change a resource, if its version is still `expected`; else `stale` with the current representation."""
    row = Row(id=id_, values=values, verb=verb, at=at, change=change, expected=expected)
    records = await _write(tx, resource, "update", [row])
    return _shown(resource, "update", row, records) if records else await _gone_or_stale(tx, resource, id_)


async def revise(
    tx: Transaction, resource: Resource, row: Any, changes: Mapping[str, Any], *, expected: int | None
) -> Written:
    """Change a locked row in the columns named; what is equal already has no new version and no event."""
    if expected is not None and row["version"] != expected:
        raise stale(row)
    differing = {name: value for name, value in changes.items() if row[name] != value}
    if not differing:
        return Written(body=row["body"], id=row["id"], version=row["version"])
    return await update_one(tx, resource, row["id"], differing)


async def delete_one(tx: Transaction, resource: Resource, id_: UUID, *, expected: int | None = None) -> Written:
    """Delete a resource that may still be deleted; its event carries the last representation."""
    row = Row(id=id_, values={}, verb="deleted", expected=expected)
    records = await _write(tx, resource, "delete", [row])
    return _shown(resource, "delete", row, records) if records else await _gone_or_stale(tx, resource, id_)


async def insert_many(tx: Transaction, resource: Resource, rows: Sequence[Row]) -> list[Any]:
    """Add resources of one shape (the same columns) in one statement.

    Gives `id`, `version` and `event_id` of each, in the order given.
    """
    return await _write(tx, resource, "insert", rows)


async def update_many(tx: Transaction, resource: Resource, rows: Sequence[Row]) -> list[Any]:
    """Change resources of one shape in one statement, and give what `insert_many` does; not of rows gone or stale."""
    return await _write(tx, resource, "update", rows)


async def _write(
    tx: Transaction,
    resource: Resource,
    step: Step,
    rows: Sequence[Row],
    *,
    keeps: IdempotencyKey | None = None,
    beside: Beside | None = None,
) -> list[Any]:
    if not rows:
        return []
    columns = tuple(rows[0].values)
    statement = _statement(resource, step, columns, many=len(rows) > 1, keeps=keeps is not None, beside=beside)
    caller = tx.caller
    values: dict[str, Any] = {
        "caller_org": caller.org,
        "caller_now": tx.now,
        "caller_correlation": caller.correlation_id,
        "caller_causation": caller.causation_id,
        "caller_trace": caller.traceparent,
    }
    names = (*(f"v_{name}" for name, _ in _EVENT_FIELDS), *(f"v_{name}" for name in columns))
    lines = [_line(row, columns, tx.now) for row in rows]
    values.update(zip(names, map(unnested, zip(*lines, strict=True)) if len(lines) > 1 else lines[0], strict=True))
    if keeps is not None:
        values |= kept_with(tx, keeps) | {"location": resource.location(rows[0].id, rows[0].values)}
    try:
        records = await tx.all(statement, **values)
    except asyncpg.IntegrityConstraintViolationError as error:
        refusal = resource.refusal(error.constraint_name)
        if refusal is None:
            raise
        raise refusal from error
    if any(record["event_id"] is None or record["version_before"] != record["version"] - 1 for record in records):
        raise RuntimeError(f"the event versions of {resource.collection} are out of step with its rows")
    if step != "delete" and any(record["event_bytes"] > resource.room for record in records):
        _refuse_too_large(resource, rows, records)
    if keeps is not None and not records[0]["kept"]:
        raise IN_FORCE.anew()
    return records


def _refuse_too_large(resource: Resource, rows: Sequence[Row], records: Sequence[Any]) -> None:
    """Refuse what would be told in an event that is larger than it may be."""
    sizes = {record["id"]: record["event_bytes"] for record in records}
    for row in rows:
        shown = {name: value for name, value in row.values.items() if name in resource.fields}
        refusal = too_large(resource.noun, shown, row.change, sizes.get(row.id, 0), resource.room)
        if refusal is not None:
            raise refusal


def _line(row: Row, columns: tuple[str, ...], now: datetime) -> tuple[Any, ...]:
    """Return what a row brings along for its event, then its columns."""
    values = row.values
    return (row.id, row.verb, row.at or now, row.change, row.expected, *[values[name] for name in columns])


def _shown(resource: Resource, step: Step, row: Row, records: Sequence[Any]) -> Written:
    """Return the one resource that was written as its writer is answered."""
    (record,) = records
    return Written(
        body=record["body"],
        id=record["id"],
        version=record["version"],
        event_id=record["event_id"],
        location=resource.location(row.id, row.values) if step == "insert" else None,
    )


async def _gone_or_stale(tx: Transaction, resource: Resource, id_: UUID) -> Written:
    current = await find_to_change(tx, resource, id_)
    if current is None:
        raise not_found(resource.noun)
    raise stale(current)


@cache
def _statement(
    resource: Resource,
    step: Step,
    columns: tuple[str, ...],
    *,
    many: bool,
    keeps: bool = False,
    beside: Beside | None = None,
) -> Statement:
    source = _source(resource, columns, many=many)
    written = _change(resource, step, columns, source)
    stepped = _version_step(resource, step, written).cte("stepped")
    logged = _event(resource, source, written).cte("logged")
    shown = () if many else (cast(written.c.body, Text).label("body"),)
    query = (
        select(
            *shown,
            written.c.id,
            written.c.version,
            logged.c.id.label("event_id"),
            logged.c.event_bytes,
            stepped.c.version_before,
        )
        .select_from(source.with_lines(written))
        .outerjoin(logged, logged.c.partitionkey == written.c.id)
        .outerjoin(stepped, stepped.c.subject == _subject(resource, written))
    )
    if keeps:
        query = query.add_columns(_kept(written, logged))
    if beside is not None:
        query = query.add_cte(beside(written, source.columns).cte("beside"))
    return Statement(source.ordered(query))


def _kept(written: CTE, logged: CTE) -> ColumnElement[bool]:
    """Tell whether the answer was kept under the caller's key; false says that the key is in force already."""
    location = bindparam("location", type_=Text)
    answer = answer_as_json(cast(written.c.body, Text), written.c.id, written.c.version, logged.c.id, location)
    kept = keep_answer(answer, written.join(logged, logged.c.partitionkey == written.c.id))
    return exists(select(kept.returning(literal_column("1").label("one")).cte("kept").c.one)).label("kept")


class _Source(NamedTuple):
    """What is to be written: its columns, and the lines they are of, where there are several."""

    columns: Columns
    lines: CTE | None = None

    def with_lines(self, written: CTE) -> FromClause:
        """Return what was written, each row with the line it was written from."""
        return written if self.lines is None else written.join(self.lines, self.lines.c.id == written.c.id)

    def ordered(self, query: Any) -> Any:
        """Put a query that reads the lines in their order."""
        return query if self.lines is None else query.order_by(self.lines.c.place)


def _source(resource: Resource, columns: tuple[str, ...], *, many: bool) -> _Source:
    """Return what is to be written: one line of parameters, or arrays of them unnested."""
    kinds: list[tuple[str, Any]] = [
        *_EVENT_FIELDS,
        *((name, resource.table.c[name].type) for name in columns),
    ]
    if not many:
        return _Source({name: cast(bindparam(f"v_{name}", type_=kind), kind) for name, kind in kinds})
    arrays = [bindparam(f"v_{name}", type_=ARRAY(kind, dimensions=1)) for name, kind in kinds]
    unnested_lines = (
        func.unnest(*arrays)
        .table_valued(*(column(name, kind) for name, kind in kinds), with_ordinality="place", name="line")
        .render_derived()
    )
    lines = select(*unnested_lines.c).cte("source")
    return _Source(dict(lines.c.items()), lines)


def _change(resource: Resource, step: Step, columns: tuple[str, ...], source: _Source) -> CTE:
    """Return the change itself, giving back id, version and representation of each row."""
    table = resource.table
    body = resource.body().label("body")
    if step == "insert":
        names = ["org", "id", "version", "created_at", "updated_at", *columns]
        line: Any = select(
            CALLER_ORG,
            source.columns["id"],
            literal_column("1"),
            CALLER_NOW,
            CALLER_NOW,
            *(source.columns[name] for name in columns),
        )
        added = insert(table).from_select(names, source.ordered(line))
        return added.returning(table.c.id, table.c.version, body).cte("written")
    mine = (
        (table.c.org == CALLER_ORG)
        & (table.c.id == source.columns["id"])
        & (source.columns["expected"].is_(None) | (table.c.version == source.columns["expected"]))
    )
    if step == "delete":
        version: ColumnElement[Any] = (table.c.version + 1).label("version")
        return delete(table).where(mine).returning(table.c.id, version, body).cte("written")
    changes: dict[Column[Any], Any] = {table.c[name]: source.columns[name] for name in columns}
    return (
        update(table)
        .values({**changes, table.c.version: table.c.version + 1, table.c.updated_at: CALLER_NOW})
        .where(mine)
        .returning(table.c.id, table.c.version, body)
        .cte("written")
    )


def _subject(resource: Resource, written: CTE) -> ColumnElement[str]:
    return literal_column(f"'{resource.collection}/'").op("||")(cast(written.c.id, Text))


def _version_step(resource: Resource, step: Step, written: CTE) -> Any:
    """Return the step of the subject's version, giving back from which: none at an insert, else the one before.

    The row of the version is found by its subject alone: it is locked when the resource's row is, and what it then
    holds is newer than what the statement saw when it began.
    """
    subject = _subject(resource, written)
    statement: Any
    if step == "insert":
        line = select(CALLER_ORG, subject, cast(written.c.version, BigInteger))
        statement = insert(event_version).from_select(["org", "subject", "version"], line)
        version_before: ColumnElement[Any] = literal_column("0")
    else:
        statement = (
            update(event_version)
            .values(version=written.c.version)
            .where(event_version.c.org == CALLER_ORG, event_version.c.subject == subject)
        )
        version_before = literal_column("old.version")
    return statement.returning(event_version.c.subject, version_before.label("version_before"))


def _event(resource: Resource, source: _Source, written: CTE) -> Any:
    """Return the insert of one event a row: the representation, with `change` added where the row says one."""
    told = cast(source.columns["event_change"], Text)
    with_change = func.left(cast(written.c.body, Text), literal_column("-1")).op("||")(
        literal_column("""',"change":'""").op("||")(told).op("||")(literal_column("'}'"))
    )
    event_type = (
        literal_column(f"'tandem.{resource.noun}.'")
        .op("||")(source.columns["event_verb"])
        .op("||")(literal_column("'.v1'"))
    )
    fields: dict[str, ClauseElement] = {
        "id": func.uuidv7(),
        "org": CALLER_ORG,
        "type": event_type,
        "subject": _subject(resource, written),
        "time": source.columns["event_at"],
        "partitionkey": written.c.id,
        "aggregateversion": written.c.version,
        "correlationid": bindparam("caller_correlation", type_=Text),
        "causationid": bindparam("caller_causation", type_=Text),
        "traceparent": bindparam("caller_trace", type_=Text),
        "data": case((told.is_(None), written.c.body), else_=cast(with_change, JSON)),
    }
    line: Any = select(*fields.values()).select_from(source.with_lines(written))  # type: ignore[call-overload]
    return (
        insert(event_pending)
        .from_select(list(fields), source.ordered(line))
        .returning(
            event_pending.c.id,
            event_pending.c.partitionkey,
            func.octet_length(cast(event_pending.c.data, Text)).label("event_bytes"),
        )
    )
