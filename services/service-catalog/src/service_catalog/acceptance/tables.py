"""The table of acceptance criteria."""

from sqlalchemy import Boolean, Column, ForeignKeyConstraint, Index, Text, UniqueConstraint, Uuid

from chassis.reading import refuse_unknown
from chassis.resource import Instant, JsonDocument, Resource, columns_as_fields, tenant_table
from service_catalog.metadata import METADATA

acceptance_criterion = tenant_table(
    "acceptance_criterion",
    METADATA,
    Column("service_id", Uuid, nullable=False),
    Column("dimension", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("mandatory", Boolean, nullable=False),
    Column("needed_for", Text, nullable=False, server_default="acceptance"),
    Column("status", Text, nullable=False),
    Column("evidence", JsonDocument, nullable=False),
    Column("decided_at", Instant),
    Column("decision_reason", Text),
    Column("approver", Text),
    UniqueConstraint("org", "external_source", "external_id", name="acceptance_criterion_external_key"),
    ForeignKeyConstraint(
        ["org", "service_id"], ["service.org", "service.id"], name="acceptance_criterion_service_fkey"
    ),
    Index("acceptance_criterion_service_id", "org", "service_id", "created_at", "id"),
    Index("acceptance_criterion_dimension", "org", "service_id", "dimension", "id"),
    Index("acceptance_criterion_updated_at", "org", "service_id", "updated_at", "id"),
)

CRITERIA = Resource(
    collection="acceptance-criteria",
    noun="acceptance_criterion",
    table=acceptance_criterion,
    fields=columns_as_fields(acceptance_criterion),
    sorts=("created_at", "updated_at", "dimension"),
    search=("text",),
    under=("services", "service_id"),
    constraints={"acceptance_criterion_service_fkey": refuse_unknown("service", "/service_id")},
)
