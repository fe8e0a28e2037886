"""The table of a project's costs."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Numeric, Text, UniqueConstraint, Uuid

from chassis.rejection import Rejection
from chassis.resource import Instant, Resource, columns_as_fields, money, tenant_table
from project_tracker.metadata import METADATA

cost = tenant_table(
    "cost",
    METADATA,
    Column("project_id", Uuid, nullable=False),
    Column("task_id", Uuid),
    Column("incurred_at", Instant, nullable=False),
    Column("amount", Numeric, nullable=False),
    Column("currency", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("description", Text),
    Column("reference", Text),
    Column("reversal_of", Uuid),
    UniqueConstraint("org", "reversal_of", name="cost_reversal_key"),
    UniqueConstraint("org", "project_id", "external_source", "external_id", name="cost_external_key"),
    ForeignKeyConstraint(["org", "project_id"], ["project.org", "project.id"], name="cost_project_fkey"),
    ForeignKeyConstraint(["org", "task_id"], ["task.org", "task.id"], name="cost_task_fkey"),
    ForeignKeyConstraint(["org", "reversal_of"], ["cost.org", "cost.id"], name="cost_reversal_fkey"),
    Index("cost_created_at", "org", "project_id", "created_at", "id"),
    Index("cost_updated_at", "org", "project_id", "updated_at", "id"),
    Index("cost_incurred_at", "org", "project_id", "incurred_at", "id"),
    Index("cost_task_id", "org", "task_id"),
)

COSTS = Resource(
    collection="costs",
    noun="cost",
    table=cost,
    fields=columns_as_fields(cost, leaving_out=frozenset({"currency"}))
    | {"amount": money(cost.c.amount, cost.c.currency)},
    under=("projects", "project_id"),
    sorts=("created_at", "updated_at", "incurred_at"),
    search=("description", "reference"),
    constraints={
        "cost_reversal_key": Rejection("conflict", "cost-reversed", "This cost has been reversed already."),
    },
)
