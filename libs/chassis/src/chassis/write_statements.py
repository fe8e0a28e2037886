"""The statements that write: the row, the step of its version and its event, in one.

The row is locked (by its update) before the event gets its place, which is what keeps events of one resource in order.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    CTE,
    BigInteger,
    ClauseElement,
    Column,
    ColumnElement,
    FromClause,
    Insert,
    Integer,
    Select,
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

from chassis.database import Statement
from chassis.events.tables import event_pending, event_version
from chassis.keys import answer_as_json, keep_answer
from chassis.resource import Instant, JsonDocument, Resource

Step = Literal["insert", "update", "delete"]
CALLER_ORG = bindparam("caller_org", type_=Text)
CALLER_NOW = bindparam("caller_now", type_=Instant)
Columns = Mapping[str, ColumnElement[Any]]
Beside = Callable[[CTE, Columns], Insert]
"""What else is inserted, given the row that is written, by its `id`, and the columns it is written from.

It may name the caller's organisation, `CALLER_ORG`, and the instant of the transaction, `CALLER_NOW`.
"""

# What a row brings along for its event, beside the columns of its table.
EVENT_FIELDS: tuple[tuple[str, Any], ...] = (
    ("id", Uuid()),
    ("event_verb", Text()),
    ("event_at", Instant),
    ("event_change", JsonDocument),
    ("expected", Integer()),
)


@cache
def statement_of(
    resource: Resource,
    step: Step,
    columns: tuple[str, ...],
    *,
    many: bool,
    keeps: bool = False,
    beside: Beside | None = None,
    where: Select[Any] | None = None,
) -> Statement:
    """Return the statement that takes a step with rows of these columns, compiled once.

    `many` is for several rows, each column an array; `keeps` keeps the answer under the caller's idempotency key;
    `beside` inserts a further row; `where` selects the one row's further columns, and where it finds none, nothing is
    written. It takes `caller_…`, and `v_…` of each of `EVENT_FIELDS` and of the columns. It returns of each row `id`,
    `version`, `event_id`, `event_bytes`, `version_before`, of one row its `body` too, and `kept`, which is false where
    the key is in force already.
    """
    source = _source(resource, columns, many=many)
    if where is not None:
        found = dict(where.cte("found").c.items())
        source, columns = source._replace(columns={**source.columns, **found}), (*columns, *found)
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
            literal_column("0").label("version_before") if step == "insert" else stepped.c.version_before,
        )
        .select_from(source.with_lines(written))
        .outerjoin(logged, logged.c.partitionkey == written.c.id)
    )
    if step == "insert":
        query = query.add_cte(stepped)
    else:
        query = query.outerjoin(stepped, stepped.c.subject == _subject(resource, written))
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
        *EVENT_FIELDS,
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
    """Return the step of the subject's version; but for an insert, it gives back from which.

    The row of the version is found by its subject alone: it is locked when the resource's row is, and what it then
    holds is newer than what the statement saw when it began. Where an insert finds one, its key refuses it.
    """
    subject = _subject(resource, written)
    if step == "insert":
        line = select(CALLER_ORG, subject, cast(written.c.version, BigInteger))
        return insert(event_version).from_select(["org", "subject", "version"], line)
    return (
        update(event_version)
        .values(version=written.c.version)
        .where(event_version.c.org == CALLER_ORG, event_version.c.subject == subject)
        .returning(event_version.c.subject, literal_column("old.version").label("version_before"))
    )


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
