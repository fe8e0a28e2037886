"""The sample service's tables: things, and notes with a column of each kind."""

from sqlalchemy import Column, MetaData, Numeric, Text, UniqueConstraint

from chassis.rejection import Rejection
from chassis.resource import Instant, JsonDocument, Resource, columns_as_fields, money, tenant_table

METADATA = MetaData()

thing = tenant_table("thing", METADATA, Column("name", Text, nullable=False))

note = tenant_table(
    "note",
    METADATA,
    Column("key", Text),
    Column("title", Text, nullable=False),
    Column("starts_at", Instant),
    Column("weight", Numeric),
    Column("price_amount", Numeric),
    Column("price_currency", Text),
    Column("tags", JsonDocument, nullable=False),
    UniqueConstraint("org", "external_source", "external_id", name="note_external_key"),
    UniqueConstraint("org", "key", name="note_key"),
)

NOTES = Resource(
    collection="notes",
    noun="note",
    table=note,
    fields=columns_as_fields(note, leaving_out=frozenset({"price_amount", "price_currency"}))
    | {"price": money(note.c.price_amount, note.c.price_currency)},
    sorts=("created_at", "title"),
    search=("title",),
    natural_key=("key",),
    constraints={"note_key": Rejection("conflict", "key-taken", "Another note has this key.")},
)
