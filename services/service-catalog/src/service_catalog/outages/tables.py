"""The table of outages."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Text, Uuid, text

from chassis.reading import refuse_unknown
from chassis.resource import Instant, Resource, columns_as_fields, tenant_table
from service_catalog.metadata import METADATA

outage = tenant_table(
    "outage",
    METADATA,
    Column("service_id", Uuid, nullable=False),
    Column("severity", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("incident_id", Uuid),
    Column("cause", Text),
    Column("withdrawal_reason", Text),
    ForeignKeyConstraint(["org", "service_id"], ["service.org", "service.id"], name="outage_service_fkey"),
    ForeignKeyConstraint(["org", "incident_id"], ["incident.org", "incident.id"], name="outage_incident_fkey"),
    Index("outage_created_at", "org", "created_at", "id"),
    Index(
        "outage_external_key",
        "org",
        "external_source",
        "external_id",
        unique=True,
        postgresql_where=text("external_id IS NOT NULL"),
    ),
    Index("outage_incident_id", "org", "incident_id", postgresql_where=text("incident_id IS NOT NULL")),
    Index("outage_open", "org", "service_id", postgresql_where=text("state = 'open'")),
    Index("outage_service_id", "org", "service_id", "started_at", "id"),
    Index("outage_started_at", "org", "started_at", "id"),
    Index("outage_updated_at", "org", "updated_at", "id"),
)

OUTAGES = Resource(
    collection="outages",
    noun="outage",
    table=outage,
    fields=columns_as_fields(outage),
    sorts=("created_at", "updated_at", "started_at"),
    search=("cause",),
    constraints={
        "outage_service_fkey": refuse_unknown("service", "/service_id"),
        "outage_incident_fkey": refuse_unknown("incident", "/incident_id"),
    },
)
