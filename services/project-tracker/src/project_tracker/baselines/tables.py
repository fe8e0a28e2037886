"""The tables of baselines and of the tasks frozen in them."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Integer, Numeric, Text, UniqueConstraint, Uuid

from chassis.resource import Instant, JsonDocument, Resource, columns_as_fields, money, tenant_table
from project_tracker.metadata import METADATA

baseline = tenant_table(
    "baseline",
    METADATA,
    Column("project_id", Uuid, nullable=False),
    Column("number", Integer, nullable=False),
    Column("name", Text),
    Column("reason", Text),
    Column("currency", Text, nullable=False),
    Column("bac", Numeric, nullable=False),
    Column("management_reserve", Numeric, nullable=False),
    Column("task_count", Integer, nullable=False),
    Column("start", Instant, nullable=False),
    Column("finish", Instant, nullable=False),
    Column("calendar_id", Uuid),
    Column("calendar", JsonDocument, nullable=False),
    Column("approved_at", Instant),
    Column("approved_by", Text),
    UniqueConstraint("org", "project_id", "number", name="baseline_number_key"),
    UniqueConstraint("org", "project_id", "external_source", "external_id", name="baseline_external_key"),
    ForeignKeyConstraint(["org", "project_id"], ["project.org", "project.id"], name="baseline_project_fkey"),
    Index("baseline_created_at", "org", "project_id", "created_at", "id"),
)

BASELINES = Resource(
    collection="baselines",
    noun="baseline",
    table=baseline,
    fields=columns_as_fields(baseline, leaving_out=frozenset({"currency"}))
    | {
        "bac": money(baseline.c.bac, baseline.c.currency),
        "management_reserve": money(baseline.c.management_reserve, baseline.c.currency),
    },
    sorts=("number", "created_at"),
    under=("projects", "project_id"),
)

baseline_task = tenant_table(
    "baseline_task",
    METADATA,
    Column("project_id", Uuid, nullable=False),
    Column("baseline_id", Uuid, nullable=False),
    Column("task_id", Uuid, nullable=False),
    Column("parent_id", Uuid),
    Column("wbs", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("start", Instant, nullable=False),
    Column("finish", Instant, nullable=False),
    Column("duration", Text),
    Column("currency", Text, nullable=False),
    Column("budget", Numeric, nullable=False),
    Column("fixed_budget", Numeric, nullable=False),
    Column("fixed_accrual", Text, nullable=False),
    Column("earning_rule", Text, nullable=False),
    ForeignKeyConstraint(["org", "baseline_id"], ["baseline.org", "baseline.id"], name="baseline_task_baseline_fkey"),
    UniqueConstraint("org", "baseline_id", "task_id", name="baseline_task_key"),
    Index("baseline_task_wbs", "org", "baseline_id", "wbs", "id"),
)

BASELINE_TASKS = Resource(
    collection="baseline-tasks",
    noun="baseline_task",
    table=baseline_task,
    fields=columns_as_fields(
        baseline_task, leaving_out=frozenset({"currency", "external_source", "external_id", "labels"})
    )
    | {
        "budget": money(baseline_task.c.budget, baseline_task.c.currency),
        "fixed_budget": money(baseline_task.c.fixed_budget, baseline_task.c.currency),
    },
    sorts=("wbs",),
    search=("wbs", "name"),
    under=("baselines", "baseline_id"),
)
