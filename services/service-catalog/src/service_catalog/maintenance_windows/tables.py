"""The table of maintenance windows."""

from sqlalchemy import Column, Index, Text, text

from chassis.resource import Instant, JsonDocument, Resource, columns_as_fields, tenant_table
from service_catalog.metadata import METADATA
from service_catalog.services.membership import names

maintenance_window = tenant_table(
    "maintenance_window",
    METADATA,
    Column("title", Text),
    Column("description", Text),
    Column("service_ids", JsonDocument, nullable=False),
    Column("state", Text, nullable=False),
    Column("planned_start", Instant, nullable=False),
    Column("planned_end", Instant, nullable=False),
    Column("actual_start", Instant),
    Column("actual_end", Instant),
    Column("announced_at", Instant, nullable=False),
    Column("cancellation_reason", Text),
    Index("maintenance_window_created_at", "org", "created_at", "id"),
    Index(
        "maintenance_window_external_key",
        "org",
        "external_source",
        "external_id",
        unique=True,
        postgresql_where=text("external_id IS NOT NULL"),
    ),
    Index("maintenance_window_in_progress", "org", postgresql_where=text("state = 'in_progress'")),
    Index(
        "maintenance_window_open",
        "org",
        "planned_start",
        postgresql_where=text("state IN ('scheduled', 'in_progress')"),
    ),
    Index("maintenance_window_planned_start", "org", "planned_start", "id"),
    Index(
        "maintenance_window_service_ids",
        "service_ids",
        postgresql_using="gin",
        postgresql_ops={"service_ids": "jsonb_path_ops"},
    ),
    Index("maintenance_window_updated_at", "org", "updated_at", "id"),
)

WINDOWS = Resource(
    collection="maintenance-windows",
    noun="maintenance_window",
    table=maintenance_window,
    fields=columns_as_fields(maintenance_window),
    sorts=("created_at", "updated_at", "planned_start"),
    search=("title", "description"),
    filters={"service_id": lambda wanted: names(maintenance_window.c.service_ids, wanted)},
)
