"""The table of progress reports."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Numeric, Text, UniqueConstraint, Uuid

from chassis.rejection import Rejection
from chassis.resource import Instant, Resource, columns_as_fields, tenant_table
from project_tracker.metadata import METADATA

progress_report = tenant_table(
    "progress_report",
    METADATA,
    Column("project_id", Uuid, nullable=False),
    Column("task_id", Uuid, nullable=False),
    Column("status_at", Instant, nullable=False),
    Column("percent_complete", Numeric, nullable=False),
    Column("remaining_duration", Text),
    Column("note", Text),
    UniqueConstraint("org", "project_id", "task_id", "status_at", name="progress_report_task_status_key"),
    UniqueConstraint("org", "project_id", "external_source", "external_id", name="progress_report_external_key"),
    ForeignKeyConstraint(["org", "project_id"], ["project.org", "project.id"], name="progress_report_project_fkey"),
    ForeignKeyConstraint(["org", "task_id"], ["task.org", "task.id"], name="progress_report_task_fkey"),
    Index("progress_report_created_at", "org", "project_id", "created_at", "id"),
    Index("progress_report_updated_at", "org", "project_id", "updated_at", "id"),
    Index("progress_report_status_at", "org", "project_id", "status_at", "id"),
    Index("progress_report_task", "org", "task_id", "status_at"),
)

PROGRESS_REPORTS = Resource(
    collection="progress-reports",
    noun="progress_report",
    table=progress_report,
    fields=columns_as_fields(progress_report),
    natural_key=("project_id", "task_id", "status_at"),
    under=("projects", "project_id"),
    sorts=("created_at", "updated_at", "status_at"),
    search=("note",),
    constraints={
        "progress_report_task_status_key": Rejection(
            "conflict", "progress-reported", "The task has a report of this status time already; change that one."
        )
    },
)
