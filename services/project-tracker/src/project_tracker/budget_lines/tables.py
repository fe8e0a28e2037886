"""The table of budget lines."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Numeric, Text, UniqueConstraint, Uuid

from chassis.resource import Instant, Resource, columns_as_fields, money, tenant_table
from project_tracker.metadata import METADATA

budget_line = tenant_table(
    "budget_line",
    METADATA,
    Column("project_id", Uuid, nullable=False),
    Column("task_id", Uuid),
    Column("period_start", Instant, nullable=False),
    Column("period_end", Instant, nullable=False),
    Column("amount", Numeric, nullable=False),
    Column("currency", Text, nullable=False),
    Column("description", Text),
    UniqueConstraint("org", "project_id", "external_source", "external_id", name="budget_line_external_key"),
    ForeignKeyConstraint(["org", "project_id"], ["project.org", "project.id"], name="budget_line_project_fkey"),
    ForeignKeyConstraint(["org", "task_id"], ["task.org", "task.id"], name="budget_line_task_fkey"),
    Index("budget_line_created_at", "org", "project_id", "created_at", "id"),
    Index("budget_line_updated_at", "org", "project_id", "updated_at", "id"),
    Index("budget_line_period_start", "org", "project_id", "period_start", "id"),
    Index("budget_line_task_id", "org", "task_id"),
)

BUDGET_LINES = Resource(
    collection="budget-lines",
    noun="budget_line",
    table=budget_line,
    fields=columns_as_fields(budget_line, leaving_out=frozenset({"currency"}))
    | {"amount": money(budget_line.c.amount, budget_line.c.currency)},
    under=("projects", "project_id"),
    sorts=("created_at", "updated_at", "period_start"),
    search=("description",),
)
