"""The table of problems."""

from sqlalchemy import Boolean, Column, ForeignKeyConstraint, Index, Text, Uuid, cast, text

from chassis.reading import refuse_unknown
from chassis.resource import Instant, Resource, columns_as_fields, tenant_table
from service_catalog.metadata import METADATA

problem = tenant_table(
    "problem",
    METADATA,
    Column("service_id", Uuid, nullable=False),
    Column("title", Text, nullable=False),
    Column("description", Text),
    Column("state", Text, nullable=False),
    Column("state_since", Instant, nullable=False),
    Column("impact", Text, nullable=False),
    Column("urgency", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("owner", Text),
    Column("factor", Text),
    Column("root_cause", Text),
    Column("workaround", Text),
    Column("resolution", Text),
    Column("cancellation_reason", Text),
    Column("identified_at", Instant, nullable=False),
    Column("known_error_at", Instant),
    Column("resolved_at", Instant),
    Column("closed_at", Instant),
    ForeignKeyConstraint(["org", "service_id"], ["service.org", "service.id"], name="problem_service_fkey"),
    Index("problem_created_at", "org", "created_at", "id"),
    Index(
        "problem_external_key",
        "org",
        "external_source",
        "external_id",
        unique=True,
        postgresql_where=text("external_id IS NOT NULL"),
    ),
    Index("problem_identified_at", "org", "identified_at", "id"),
    Index("problem_service_id", "org", "service_id", "created_at", "id"),
    Index("problem_state", "org", "state", "created_at", "id"),
    Index("problem_updated_at", "org", "updated_at", "id"),
)

_KNOWN_ERROR = problem.c.known_error_at.is_not(None)

PROBLEMS = Resource(
    collection="problems",
    noun="problem",
    table=problem,
    fields=columns_as_fields(problem) | {"known_error": _KNOWN_ERROR},
    sorts=("created_at", "updated_at", "identified_at"),
    search=("title", "description", "root_cause", "workaround"),
    filters={"known_error": lambda wanted: cast(wanted, Boolean) == _KNOWN_ERROR},
    constraints={"problem_service_fkey": refuse_unknown("service", "/service_id")},
)
