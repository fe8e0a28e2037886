"""The tables of tasks and of the links between them."""

from sqlalchemy import Boolean, Column, ForeignKeyConstraint, Index, Numeric, Text, UniqueConstraint, Uuid, case

from chassis.reading import refuse_unknown
from chassis.rejection import Rejection
from chassis.resource import (
    Instant,
    JsonDocument,
    Resource,
    columns_as_fields,
    instant,
    json_object,
    money,
    tenant_table,
)
from project_tracker.metadata import METADATA

task = tenant_table(
    "task",
    METADATA,
    Column("project_id", Uuid, nullable=False),
    Column("wbs", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("parent_id", Uuid),
    # Whether a client named the parent; else the task moves when a longer prefix of its wbs appears.
    Column("parent_is_given", Boolean, nullable=False),
    Column("duration", Text),
    Column("currency", Text, nullable=False),
    Column("budget", Numeric),
    Column("fixed_budget", Numeric),
    Column("fixed_accrual", Text, nullable=False),
    Column("earning_rule", Text, nullable=False),
    Column("constraint_type", Text),
    Column("constraint_at", Instant),
    Column("calendar_id", Uuid),
    Column("deadline_at", Instant),
    Column("actual_start_at", Instant),
    Column("actual_finish_at", Instant),
    Column("percent_complete", Numeric, nullable=False),
    Column("estimate", JsonDocument),
    UniqueConstraint("org", "project_id", "wbs", name="task_wbs_key"),
    UniqueConstraint("org", "project_id", "external_source", "external_id", name="task_external_key"),
    ForeignKeyConstraint(["org", "project_id"], ["project.org", "project.id"], name="task_project_fkey"),
    ForeignKeyConstraint(["org", "parent_id"], ["task.org", "task.id"], name="task_parent_fkey"),
    ForeignKeyConstraint(["org", "calendar_id"], ["calendar.org", "calendar.id"], name="task_calendar_fkey"),
    Index("task_created_at", "org", "project_id", "created_at", "id"),
    Index("task_updated_at", "org", "project_id", "updated_at"),
    Index("task_name", "org", "project_id", "name", "id"),
    Index("task_parent_id", "org", "parent_id"),
    Index("task_calendar_id", "org", "calendar_id"),
)

_CONSTRAINT = json_object({"type": task.c.constraint_type, "at": instant(task.c.constraint_at)})
_PART = Rejection("conflict", "task-in-use", "A task with subtasks, links, reports or costs is not deleted.")

TASKS = Resource(
    collection="tasks",
    noun="task",
    table=task,
    fields=columns_as_fields(
        task, leaving_out=frozenset({"parent_is_given", "currency", "constraint_type", "constraint_at"})
    )
    | {
        "budget": money(task.c.budget, task.c.currency),
        "fixed_budget": money(task.c.fixed_budget, task.c.currency),
        "constraint": case((task.c.constraint_type.is_not(None), _CONSTRAINT)),
    },
    sorts=("created_at", "updated_at", "wbs", "name"),
    search=("wbs", "name"),
    natural_key=("project_id", "wbs"),
    under=("projects", "project_id"),
    constraints={
        "task_wbs_key": Rejection("conflict", "wbs-taken", "Another task of the project has this wbs."),
        "task_calendar_fkey": refuse_unknown("calendar", "/calendar_id"),
        **dict.fromkeys(
            (
                "task_parent_fkey",
                "dependency_predecessor_fkey",
                "dependency_successor_fkey",
                "progress_report_task_fkey",
                "cost_task_fkey",
                "budget_line_task_fkey",
            ),
            _PART,
        ),
    },
)

dependency = tenant_table(
    "dependency",
    METADATA,
    Column("project_id", Uuid, nullable=False),
    Column("predecessor_id", Uuid, nullable=False),
    Column("successor_id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("lag", Text, nullable=False),
    UniqueConstraint("org", "project_id", "predecessor_id", "successor_id", "type", name="dependency_ends_key"),
    UniqueConstraint("org", "project_id", "external_source", "external_id", name="dependency_external_key"),
    ForeignKeyConstraint(["org", "project_id"], ["project.org", "project.id"], name="dependency_project_fkey"),
    ForeignKeyConstraint(["org", "predecessor_id"], ["task.org", "task.id"], name="dependency_predecessor_fkey"),
    ForeignKeyConstraint(["org", "successor_id"], ["task.org", "task.id"], name="dependency_successor_fkey"),
    Index("dependency_created_at", "org", "project_id", "created_at", "id"),
    Index("dependency_updated_at", "org", "project_id", "updated_at", "id"),
    Index("dependency_predecessor_id", "org", "predecessor_id"),
    Index("dependency_successor_id", "org", "successor_id"),
)

DEPENDENCIES = Resource(
    collection="dependencies",
    noun="dependency",
    table=dependency,
    fields=columns_as_fields(dependency),
    natural_key=("project_id", "predecessor_id", "successor_id", "type"),
    under=("projects", "project_id"),
    sorts=("created_at", "updated_at"),
    constraints={
        "dependency_ends_key": Rejection("conflict", "link-exists", "These tasks are linked in this way already."),
    },
)
