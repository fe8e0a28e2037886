"""The table of services."""

from sqlalchemy import Column, Date, ForeignKeyConstraint, Index, Integer, Text, UniqueConstraint, Uuid, text

from chassis.reading import refuse_unknown
from chassis.rejection import Rejection
from chassis.resource import Instant, JsonDocument, Resource, columns_as_fields, tenant_table
from service_catalog.metadata import METADATA

service = tenant_table(
    "service",
    METADATA,
    Column("key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("type", Text, nullable=False),
    Column("criticality", Text),
    Column("owner", Text),
    Column("support_team", Text),
    Column("boundaries", JsonDocument, nullable=False),
    Column("calendar_id", Uuid),
    Column("incidents_close_after_days", Integer, nullable=False, server_default=text("7")),
    Column("state", Text, nullable=False),
    Column("live_from", Instant),
    Column("retired_at", Instant),
    Column("project_id", Uuid),
    Column("direct_delivery_reason", Text),
    Column("retire_on", Date),
    Column("successor_service_id", Uuid),
    Column("retirement_reason", Text),
    Column("early_life_support_ends_on", Date),
    UniqueConstraint("org", "key", name="service_key"),
    UniqueConstraint("org", "external_source", "external_id", name="service_external_key"),
    ForeignKeyConstraint(["org", "calendar_id"], ["calendar.org", "calendar.id"], name="service_calendar_fkey"),
    ForeignKeyConstraint(["org", "successor_service_id"], ["service.org", "service.id"], name="service_successor_fkey"),
    Index("service_calendar_id", "org", "calendar_id"),
    Index("service_created_at", "org", "created_at", "id"),
    Index("service_name", "org", "name", "id"),
    Index("service_project_id", "org", "project_id"),
    Index("service_state", "org", "state", "created_at", "id"),
    Index("service_successor_service_id", "org", "successor_service_id"),
    Index("service_updated_at", "org", "updated_at", "id"),
)

IN_USE = Rejection("conflict", "service-in-use", "A service that something refers to is cancelled, not deleted.")

SERVICES = Resource(
    collection="services",
    noun="service",
    table=service,
    fields=columns_as_fields(service),
    sorts=("created_at", "updated_at", "key", "name"),
    search=("key", "name", "description"),
    natural_key=("key",),
    constraints={
        "service_key": Rejection("conflict", "key-taken", "Another service has this key."),
        "service_calendar_fkey": refuse_unknown("calendar", "/calendar_id"),
        "service_successor_fkey": refuse_unknown("service", "/successor_service_id"),
        "outage_service_fkey": IN_USE,
        "incident_service_fkey": IN_USE,
        "service_level_service_fkey": IN_USE,
        "cost_service_fkey": IN_USE,
        "improvement_service_fkey": IN_USE,
        "problem_service_fkey": IN_USE,
        "survey_invitation_service_fkey": IN_USE,
        "survey_response_service_fkey": IN_USE,
        "acceptance_criterion_service_fkey": IN_USE,
        "handover_service_fkey": IN_USE,
        "service_dependency_service_fkey": IN_USE,
        "service_dependency_depends_on_fkey": IN_USE,
        "catalogue_item_service_fkey": IN_USE,
        "service_request_service_fkey": IN_USE,
    },
)
