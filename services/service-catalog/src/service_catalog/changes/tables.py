"""The table of changes."""

from sqlalchemy import Boolean, Column, ForeignKeyConstraint, Index, Text, Uuid, text

from chassis.reading import refuse_unknown
from chassis.resource import Instant, JsonDocument, Resource, columns_as_fields, tenant_table
from service_catalog.metadata import METADATA
from service_catalog.services.membership import names

change = tenant_table(
    "change",
    METADATA,
    Column("service_ids", JsonDocument, nullable=False),
    Column("title", Text, nullable=False),
    Column("description", Text),
    Column("type", Text, nullable=False),
    Column("risk", Text),
    Column("reason", Text),
    Column("implementation_plan", Text),
    Column("backout_plan", Text),
    Column("test_plan", Text),
    Column("requester", Text, nullable=False),
    Column("implementer", Text),
    Column("incident_id", Uuid),
    Column("state", Text, nullable=False),
    Column("state_since", Instant, nullable=False),
    Column("planned_start", Instant),
    Column("planned_end", Instant),
    Column("actual_start", Instant),
    Column("actual_end", Instant),
    Column("approved_at", Instant),
    Column("approved_by", Text),
    Column("outcome", Text),
    Column("rejection_reason", Text),
    Column("cancellation_reason", Text),
    Column("opens_maintenance_window", Boolean, nullable=False),
    Column("maintenance_window_id", Uuid),
    ForeignKeyConstraint(["org", "incident_id"], ["incident.org", "incident.id"], name="change_incident_fkey"),
    ForeignKeyConstraint(
        ["org", "maintenance_window_id"],
        ["maintenance_window.org", "maintenance_window.id"],
        name="change_maintenance_window_fkey",
    ),
    Index(
        "change_claims",
        "org",
        "planned_start",
        postgresql_where=text("state IN ('approved', 'scheduled', 'implementing')"),
    ),
    Index("change_created_at", "org", "created_at", "id"),
    Index(
        "change_external_key",
        "org",
        "external_source",
        "external_id",
        unique=True,
        postgresql_where=text("external_id IS NOT NULL"),
    ),
    Index("change_incident_id", "org", "incident_id", postgresql_where=text("incident_id IS NOT NULL")),
    Index(
        "change_maintenance_window_id",
        "org",
        "maintenance_window_id",
        postgresql_where=text("maintenance_window_id IS NOT NULL"),
    ),
    Index(
        "change_service_ids", "service_ids", postgresql_using="gin", postgresql_ops={"service_ids": "jsonb_path_ops"}
    ),
    Index("change_state", "org", "state", "created_at", "id"),
    Index("change_state_since", "org", "state_since", "id"),
    Index("change_updated_at", "org", "updated_at", "id"),
)

CHANGES = Resource(
    collection="changes",
    noun="change",
    table=change,
    fields=columns_as_fields(change),
    sorts=("created_at", "updated_at", "state_since"),
    search=("title", "description"),
    filters={"service_id": lambda wanted: names(change.c.service_ids, wanted)},
    constraints={"change_incident_fkey": refuse_unknown("incident", "/incident_id")},
)
