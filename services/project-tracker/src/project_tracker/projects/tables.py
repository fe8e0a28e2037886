"""The table of projects."""

from sqlalchemy import Boolean, Column, ForeignKeyConstraint, Index, Numeric, Text, UniqueConstraint, Uuid, text

from chassis.reading import refuse_unknown
from chassis.rejection import Rejection
from chassis.resource import Instant, JsonDocument, Resource, columns_as_fields, money, tenant_table
from project_tracker.metadata import METADATA

project = tenant_table(
    "project",
    METADATA,
    Column("key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("goal", Text),
    Column("kind", Text, nullable=False),
    Column("sponsor", Text),
    Column("manager", Text),
    Column("currency", Text, nullable=False),
    Column("calendar_id", Uuid),
    Column("start_at", Instant, nullable=False),
    Column("deadline_at", Instant),
    Column("budget_limit", Numeric),
    Column("constraints", JsonDocument, nullable=False),
    Column("success_criteria", JsonDocument, nullable=False),
    Column("target_service", JsonDocument),
    Column("origin", JsonDocument),
    Column("predecessor_project_id", Uuid),
    Column("programme", Text),
    Column("constraint_policy", Text, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'proposed'")),
    Column("on_hold", Boolean, nullable=False, server_default=text("false")),
    Column("outcome", Text),
    UniqueConstraint("org", "key", name="project_key"),
    UniqueConstraint("org", "external_source", "external_id", name="project_external_key"),
    ForeignKeyConstraint(["org", "calendar_id"], ["calendar.org", "calendar.id"], name="project_calendar_fkey"),
    ForeignKeyConstraint(
        ["org", "predecessor_project_id"], ["project.org", "project.id"], name="project_predecessor_fkey"
    ),
    Index("project_created_at", "org", "created_at", "id"),
    Index("project_updated_at", "org", "updated_at"),
    Index("project_name", "org", "name", "id"),
    Index("project_state", "org", "state"),
    Index("project_start_at", "org", "start_at", "id"),
    Index("project_calendar_id", "org", "calendar_id"),
    Index("project_predecessor_project_id", "org", "predecessor_project_id"),
)

IN_USE = Rejection("conflict", "project-in-use", "A project with a plan, reports or costs is cancelled, not deleted.")

PROJECTS = Resource(
    collection="projects",
    noun="project",
    table=project,
    fields=columns_as_fields(project) | {"budget_limit": money(project.c.budget_limit, project.c.currency)},
    sorts=("created_at", "updated_at", "key", "name", "start_at"),
    search=("key", "name", "goal"),
    natural_key=("key",),
    constraints={
        "project_key": Rejection("conflict", "key-taken", "Another project has this key."),
        "project_calendar_fkey": refuse_unknown("calendar", "/calendar_id"),
        "project_predecessor_fkey": refuse_unknown("project", "/predecessor_project_id"),
        **dict.fromkeys(
            (
                "task_project_fkey",
                "dependency_project_fkey",
                "baseline_project_fkey",
                "progress_report_project_fkey",
                "cost_project_fkey",
                "budget_line_project_fkey",
            ),
            IN_USE,
        ),
    },
)
