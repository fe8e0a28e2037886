"""The tables of facts: one row for the newest known version of each resource of a sibling.

A row carries the source it came from and the epoch and version by which a newer one is told from an older one. A
deleted resource stays as a tombstone, so that an older event that comes late does not bring it back. `projection`
numbers the fillings of these tables: while a new one is being filled, the one in force answers.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.resource import Instant, JsonDocument
from kpi_engine.metadata import METADATA


def fact_table(name: str, *columns: Any) -> Table:
    """Return a table of facts: whose, which and how new, then what is known."""
    return Table(
        name,
        METADATA,
        Column("org", Text, nullable=False),
        Column("projection", Integer, nullable=False),
        Column("id", Uuid, nullable=False),
        Column("source", Text, nullable=False),
        Column("epoch", Integer, nullable=False),
        Column("version", BigInteger, nullable=False),
        Column("deleted", Boolean, nullable=False),
        *columns,
        PrimaryKeyConstraint("org", "projection", "id", name=f"{name}_pkey"),
    )


def _one_of(table: str, name: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{name} IN ({listed})", name=f"{table}_{name}_known")


calendar_fact = fact_table("calendar_fact", Column("document", JsonDocument, nullable=False))

service_fact = fact_table(
    "service_fact",
    Column("key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("calendar_id", Uuid),
    Column("live_from", Instant),
    Column("retired_at", Instant),
)

outage_fact = fact_table(
    "outage_fact",
    Column("service_id", Uuid, nullable=False),
    Column("incident_id", Uuid),
    Column("severity", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("state", Text),
    _one_of("outage_fact", "severity", "major", "partial", "degraded"),
    Index("outage_fact_service", "org", "projection", "service_id", "started_at"),
)

maintenance_window_fact = fact_table(
    "maintenance_window_fact",
    Column("service_ids", ARRAY(Uuid, dimensions=1), nullable=False),
    Column("planned_start", Instant, nullable=False),
    Column("planned_end", Instant, nullable=False),
    Column("actual_start", Instant),
    Column("actual_end", Instant),
    Column("announced_at", Instant),
    Column("state", Text, nullable=False),
    Index("maintenance_window_fact_services", "service_ids", postgresql_using="gin"),
    Index("maintenance_window_fact_planned", "org", "projection", "planned_start"),
)

incident_fact = fact_table(
    "incident_fact",
    Column("service_id", Uuid, nullable=False),
    Column("state", Text, nullable=False),
    Column("priority", Text),
    Column("major", Boolean),
    Column("factor", Text),
    Column("cancel_reason", Text),
    Column("occurred_at", Instant, nullable=False),
    Column("acknowledged_at", Instant),
    Column("resolved_at", Instant),
    Column("closed_at", Instant),
    Column("reopened_count", Integer),
    Column("resolved_before_reopening_seconds", BigInteger),
    Index("incident_fact_service", "org", "projection", "service_id", "occurred_at"),
)

project_fact = fact_table(
    "project_fact",
    Column("key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("calendar_id", Uuid),
    Column("start_at", Instant),
    Column("deadline_at", Instant),
    Column("state", Text, nullable=False),
    Column("outcome", Text),
    Column("ended_at", Instant),
)

baseline_fact = fact_table(
    "baseline_fact",
    Column("project_id", Uuid, nullable=False),
    Column("number", Integer),
    Column("approved_at", Instant),
    Column("task_count", Integer, nullable=False),
    Column("management_reserve", Numeric, nullable=False, server_default=text("0")),
    Column("calendar", JsonDocument),
    Index("baseline_fact_project", "org", "projection", "project_id"),
)

baseline_task_fact = fact_table(
    "baseline_task_fact",
    Column("baseline_id", Uuid, nullable=False),
    Column("task_id", Uuid, nullable=False),
    Column("wbs", Text, nullable=False),
    Column("name", Text),
    Column("kind", Text, nullable=False),
    Column("start", Instant, nullable=False),
    Column("finish", Instant, nullable=False),
    Column("budget", Numeric, nullable=False),
    Column("fixed_budget", Numeric, nullable=False),
    Column("fixed_accrual", Text, nullable=False),
    Column("earning_rule", Text, nullable=False),
    Column("milestone_weights", ARRAY(Numeric, dimensions=1)),
    _one_of("baseline_task_fact", "kind", "task", "milestone", "summary"),
    _one_of("baseline_task_fact", "fixed_accrual", "start", "prorated", "end"),
    _one_of(
        "baseline_task_fact",
        "earning_rule",
        "percent_complete",
        "zero_hundred",
        "fifty_fifty",
        "twenty_eighty",
        "weighted_milestones",
        "level_of_effort",
    ),
    CheckConstraint("finish >= start", name="baseline_task_fact_span"),
    Index("baseline_task_fact_baseline", "org", "projection", "baseline_id"),
)

task_fact = fact_table(
    "task_fact",
    Column("project_id", Uuid, nullable=False),
    Column("wbs", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("actual_start_at", Instant),
    Column("actual_finish_at", Instant),
    Index("task_fact_project", "org", "projection", "project_id"),
)

progress_report_fact = fact_table(
    "progress_report_fact",
    Column("project_id", Uuid, nullable=False),
    Column("task_id", Uuid, nullable=False),
    Column("status_at", Instant, nullable=False),
    Column("percent_complete", Numeric, nullable=False),
    CheckConstraint("percent_complete BETWEEN 0 AND 100", name="progress_report_fact_percent"),
    Index("progress_report_fact_project", "org", "projection", "project_id", "status_at"),
)

project_cost_fact = fact_table(
    "project_cost_fact",
    Column("project_id", Uuid, nullable=False),
    Column("task_id", Uuid),
    Column("incurred_at", Instant, nullable=False),
    Column("amount", Numeric, nullable=False),
    Column("currency", Text, nullable=False),
    Column("category", Text),
    Index("project_cost_fact_project", "org", "projection", "project_id", "incurred_at"),
)

budget_line_fact = fact_table(
    "budget_line_fact",
    Column("project_id", Uuid, nullable=False),
    Column("task_id", Uuid),
    Column("period_start", Instant, nullable=False),
    Column("period_end", Instant, nullable=False),
    Column("amount", Numeric, nullable=False),
    CheckConstraint("period_end >= period_start", name="budget_line_fact_span"),
    Index("budget_line_fact_project", "org", "projection", "project_id"),
)

FACT_TABLES = (
    calendar_fact,
    service_fact,
    outage_fact,
    maintenance_window_fact,
    incident_fact,
    project_fact,
    baseline_fact,
    baseline_task_fact,
    task_fact,
    progress_report_fact,
    project_cost_fact,
    budget_line_fact,
)

# One row: which filling of the tables above answers.
projection_in_force = Table(
    "projection_in_force",
    METADATA,
    Column("single", Boolean, primary_key=True, server_default=text("true")),
    Column("projection", Integer, nullable=False, server_default=text("1")),
    CheckConstraint("single", name="projection_in_force_one_row"),
)
