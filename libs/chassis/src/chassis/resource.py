"""What a resource is to the database: its table, how it looks outside, and what a client may find it by."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    DateTime,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    case,
    cast,
    func,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import JSON, JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from chassis.events.sizes import ROOM
from chassis.rejection import Rejection

JsonDocument = JSONB(none_as_null=True)
Instant = DateTime(timezone=True)


def tenant_table(name: str, metadata: MetaData, *columns: Any) -> Table:
    """Return a resource's table: the columns all resources have, then its own; keys are composite with `org`."""
    return Table(
        name,
        metadata,
        Column("org", Text, nullable=False),
        Column("id", Uuid, nullable=False),
        Column("version", Integer, nullable=False, server_default=text("1")),
        Column("created_at", Instant, nullable=False),
        Column("updated_at", Instant, nullable=False),
        Column("external_source", Text),
        Column("external_id", Text),
        Column("labels", JsonDocument, nullable=False, server_default=text("'{}'::jsonb")),
        *columns,
        PrimaryKeyConstraint("org", "id", name=f"{name}_pkey"),
    )


def instant(column: ColumnElement[Any]) -> ColumnElement[str]:
    """Write an instant as RFC 3339 in UTC, with a fraction only where it has one."""
    stamp = cast(func.timezone(literal_column("'UTC'"), column), Text)
    return func.overlay(stamp, literal_column("'T'"), literal_column("11")).op("||")(literal_column("'Z'"))


def decimal(column: ColumnElement[Any]) -> ColumnElement[str]:
    """Write a number as a decimal string without trailing zeros."""
    return cast(func.trim_scale(column), Text)


def money(amount: ColumnElement[Any], currency: ColumnElement[Any]) -> ColumnElement[Any]:
    """Write an amount with its currency, to four places at least; null where there is no amount."""
    places = func.greatest(func.min_scale(amount), literal_column("4"))
    document = json_object({"amount": cast(func.round(amount, places), Text), "currency": currency})
    return case((amount.is_not(None), document))


class _JsonObject(FunctionElement[Any]):
    """A JSON object of named expressions."""

    type = JSON()
    inherit_cache = False

    def __init__(self, fields: Mapping[str, ColumnElement[Any]]) -> None:
        super().__init__(*fields.values())
        self.names = tuple(fields)


@compiles(_JsonObject)
def _as_row(element: _JsonObject, compiler: SQLCompiler, **how: Any) -> str:
    """Write it as a row of its own: json_build_object would look up the type of each name and value for every row."""
    how.pop("add_to_result_map", None)  # what is within is no column of the result
    values = (compiler.process(expression, **how) for expression in element.clauses)
    columns = ", ".join(f'{value} AS "{name}"' for name, value in zip(element.names, values, strict=True))
    return f"(SELECT row_to_json(members) FROM (SELECT {columns}) AS members)"  # noqa: S608 - nothing of a client's


def json_object(fields: Mapping[str, ColumnElement[Any]]) -> ColumnElement[Any]:
    """Build a JSON object in SQL; the names are constants of the code, never a client's."""
    return _JsonObject(fields)


def shown(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Write a column as its type asks: instants in UTC, numbers as strings, the rest as it is."""
    kind: TypeEngine[Any] = column.type
    if isinstance(kind, DateTime):
        return instant(column)
    if kind.python_type.__name__ == "Decimal":
        return decimal(column)
    return column


def columns_as_fields(table: Table, *, leaving_out: frozenset[str] = frozenset()) -> dict[str, ColumnElement[Any]]:
    """Return the representation that shows every column but the organisation and those left out."""
    hidden = {"org", *leaving_out}
    return {column.name: shown(column) for column in table.columns if column.name not in hidden}


Condition = Callable[[ColumnElement[Any]], ColumnElement[bool]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Resource:
    """One kind of resource.

    `collection` is its path and subject prefix (`incidents`), `noun` what its events are called after (`incident`).
    `fields` is its representation, the same in answers, lists and events. `sorts` name not-null columns; the first is
    the default order. `search` are the columns that `q` looks into. `filters` are conditions a column's name does not
    already say: a function of the bind parameter. `natural_key` is what a batch finds an item by that carries no
    external id. `under` says whose part it is, if it is one's: the owner's collection and the column that
    names the owner (`projects`, `project_id`). `constraints` translate the names of database constraints into what a
    client is told. `room` is how many bytes clients may fill of its representation.
    """

    collection: str
    noun: str
    table: Table
    fields: Mapping[str, ColumnElement[Any]]
    sorts: tuple[str, ...] = ("created_at",)
    search: tuple[str, ...] = ()
    filters: Mapping[str, Condition] = field(default_factory=dict)
    natural_key: tuple[str, ...] = ()
    under: tuple[str, str] | None = None
    constraints: Mapping[str, Rejection] = field(default_factory=dict)
    room: int = ROOM

    @property
    def called(self) -> str:
        """What sentences call it."""
        return self.noun.replace("_", " ")

    def body(self) -> ColumnElement[Any]:
        """Return the representation as one JSON expression over the table."""
        return json_object(self.fields)

    def subject(self, id_: Any) -> str:
        """Return the subject of this resource's events."""
        return f"{self.collection}/{id_}"

    def location(self, id_: Any, values: Mapping[str, Any]) -> str:
        """Return the path of one of these below `/v1`."""
        own = f"{self.collection}/{id_}"
        return own if self.under is None else f"{self.under[0]}/{values[self.under[1]]}/{own}"

    def event_type(self, verb: str) -> str:
        """Return the type of the event that says what was done, in the past participle."""
        return f"tandem.{self.noun}.{verb}.v1"

    def refusal(self, constraint: str | None) -> Rejection | None:
        """Return what a client is told when the database refuses by this constraint."""
        if constraint is None:
            return None
        if constraint == f"{self.table.name}_external_key":
            return Rejection("conflict", "external-id-taken", "Another resource carries this external id.")
        refusal = self.constraints.get(constraint)
        return None if refusal is None else refusal.anew()
