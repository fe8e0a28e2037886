"""The table of handovers."""

from sqlalchemy import Column, Date, ForeignKeyConstraint, Index, Integer, Text, Uuid, text

from chassis.rejection import Rejection
from chassis.resource import Instant, JsonDocument, Resource, columns_as_fields, tenant_table
from service_catalog.metadata import METADATA

handover = tenant_table(
    "handover",
    METADATA,
    Column("service_id", Uuid, nullable=False),
    Column("project_id", Uuid, nullable=False),
    Column("project_key", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", Instant, nullable=False),
    Column("deliverables", JsonDocument, nullable=False),
    Column("service_levels", JsonDocument, nullable=False),
    Column("acceptance_criteria", JsonDocument, nullable=False),
    Column("support_documents", JsonDocument, nullable=False),
    Column("known_errors", JsonDocument, nullable=False),
    Column("residual_risks", JsonDocument, nullable=False),
    Column("early_life_support_end", Date),
    Column("early_life_support_exit_criteria", JsonDocument, nullable=False),
    Column("decided_at", Instant),
    Column("decided_by", Text),
    Column("decision_reason", Text),
    Column("conditions", JsonDocument, nullable=False),
    Column("unmet_criteria", JsonDocument, nullable=False),
    ForeignKeyConstraint(["org", "service_id"], ["service.org", "service.id"], name="handover_service_fkey"),
    Index("handover_attempt", "org", "project_id", "attempt", unique=True),
    Index("handover_created_at", "org", "created_at", "id"),
    Index(
        "handover_external_key",
        "org",
        "external_source",
        "external_id",
        unique=True,
        postgresql_where=text("external_id IS NOT NULL"),
    ),
    Index("handover_requested_at", "org", "requested_at", "id"),
    Index("handover_service_id", "org", "service_id", "created_at", "id"),
    Index("handover_state", "org", "state", "created_at", "id"),
    Index("handover_undecided", "org", "project_id", unique=True, postgresql_where=text("state = 'requested'::text")),
    Index("handover_updated_at", "org", "updated_at", "id"),
)

# What two transactions of one project would both write; whoever comes second looks again.
_AT_ONCE = Rejection("conflict", "busy", "Another handover of the project is being recorded.", retry_after_seconds=1)

HANDOVERS = Resource(
    collection="handovers",
    noun="handover",
    table=handover,
    fields=columns_as_fields(handover),
    sorts=("created_at", "updated_at", "requested_at"),
    search=("project_key",),
    constraints={"handover_attempt": _AT_ONCE, "handover_undecided": _AT_ONCE},
)
