"""The table of improvements."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Text, Uuid, case, text

from chassis.reading import refuse_unknown
from chassis.resource import Instant, JsonDocument, Resource, columns_as_fields, json_object, tenant_table
from service_catalog.metadata import METADATA

improvement = tenant_table(
    "improvement",
    METADATA,
    Column("service_id", Uuid, nullable=False),
    Column("title", Text, nullable=False),
    Column("description", Text),
    Column("owner", Text),
    Column("project_id", Uuid),
    Column("state", Text, nullable=False),
    Column("state_since", Instant, nullable=False),
    Column("planned_end", Instant),
    Column("first_planned_end", Instant),
    Column("approved_at", Instant),
    Column("started_at", Instant),
    Column("closed_at", Instant),
    Column("outcome", Text),
    Column("cancellation_reason", Text),
    Column("benefit", JsonDocument),
    Column("origin_type", Text),
    Column("origin_id", Text),
    Column("origin_incident_id", Uuid),
    ForeignKeyConstraint(["org", "service_id"], ["service.org", "service.id"], name="improvement_service_fkey"),
    ForeignKeyConstraint(
        ["org", "origin_incident_id"], ["incident.org", "incident.id"], name="improvement_incident_fkey"
    ),
    Index("improvement_created_at", "org", "created_at", "id"),
    Index(
        "improvement_external_key",
        "org",
        "external_source",
        "external_id",
        unique=True,
        postgresql_where=text("external_id IS NOT NULL"),
    ),
    Index(
        "improvement_incident_id",
        "org",
        "origin_incident_id",
        postgresql_where=text("origin_incident_id IS NOT NULL"),
    ),
    Index("improvement_origin", "org", "origin_type", "origin_id", postgresql_where=text("origin_type IS NOT NULL")),
    Index("improvement_project_id", "org", "project_id", postgresql_where=text("project_id IS NOT NULL")),
    Index("improvement_service_id", "org", "service_id", "created_at", "id"),
    Index("improvement_state", "org", "state", "created_at", "id"),
    Index("improvement_state_since", "org", "state_since", "id"),
    Index("improvement_updated_at", "org", "updated_at", "id"),
)

_ORIGIN = json_object({"type": improvement.c.origin_type, "id": improvement.c.origin_id})

IMPROVEMENTS = Resource(
    collection="improvements",
    noun="improvement",
    table=improvement,
    fields=columns_as_fields(improvement, leaving_out=frozenset({"origin_type", "origin_id", "origin_incident_id"}))
    | {"origin": case((improvement.c.origin_type.is_not(None), _ORIGIN))},
    sorts=("created_at", "updated_at", "state_since"),
    search=("title", "description"),
    constraints={
        "improvement_service_fkey": refuse_unknown("service", "/service_id"),
        "improvement_incident_fkey": refuse_unknown("incident", "/origin/id"),
    },
)
