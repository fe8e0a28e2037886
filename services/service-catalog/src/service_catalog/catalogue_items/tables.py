"""The table of catalogue items."""

from sqlalchemy import Boolean, Column, ForeignKeyConstraint, Index, Integer, Numeric, Text, UniqueConstraint, Uuid

from chassis.reading import refuse_unknown
from chassis.rejection import Rejection
from chassis.resource import JsonDocument, Resource, columns_as_fields, money, tenant_table
from service_catalog.metadata import METADATA

catalogue_item = tenant_table(
    "catalogue_item",
    METADATA,
    Column("key", Text, nullable=False),
    Column("service_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("state", Text, nullable=False),
    Column("form_schema", JsonDocument),
    Column("form_version", Integer, nullable=False),
    Column("approval_required", Boolean, nullable=False),
    Column("approver", Text),
    Column("fulfilment_target_minutes", Integer),
    Column("calendar_id", Uuid),
    Column("fulfilment_team", Text),
    Column("price_amount", Numeric),
    Column("price_currency", Text),
    UniqueConstraint("org", "key", name="catalogue_item_key"),
    UniqueConstraint("org", "external_source", "external_id", name="catalogue_item_external_key"),
    ForeignKeyConstraint(["org", "service_id"], ["service.org", "service.id"], name="catalogue_item_service_fkey"),
    ForeignKeyConstraint(["org", "calendar_id"], ["calendar.org", "calendar.id"], name="catalogue_item_calendar_fkey"),
    Index("catalogue_item_calendar_id", "org", "calendar_id"),
    Index("catalogue_item_created_at", "org", "created_at", "id"),
    Index("catalogue_item_name", "org", "name", "id"),
    Index("catalogue_item_service_id", "org", "service_id", "created_at", "id"),
    Index("catalogue_item_updated_at", "org", "updated_at", "id"),
)

CATALOGUE_ITEMS = Resource(
    collection="catalogue-items",
    noun="catalogue_item",
    table=catalogue_item,
    fields=columns_as_fields(catalogue_item, leaving_out=frozenset({"price_amount", "price_currency"}))
    | {"price": money(catalogue_item.c.price_amount, catalogue_item.c.price_currency)},
    sorts=("created_at", "updated_at", "key", "name"),
    search=("key", "name", "description"),
    natural_key=("key",),
    constraints={
        "catalogue_item_key": Rejection("conflict", "key-taken", "Another catalogue item has this key."),
        "catalogue_item_service_fkey": refuse_unknown("service", "/service_id"),
        "catalogue_item_calendar_fkey": refuse_unknown("calendar", "/calendar_id"),
        "service_request_item_fkey": Rejection(
            "conflict", "catalogue-item-in-use", "What was asked for is withdrawn, not deleted."
        ),
    },
)
