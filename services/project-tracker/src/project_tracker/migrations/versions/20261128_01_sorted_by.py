"""Indexes of what lists are sorted by, where there was none."""

from alembic import op

from chassis.migrating import create_index

revision = "20261128_01"
down_revision = "20261125_20"


def upgrade() -> None:
    create_index("budget_line_updated_at", "budget_line", "org, project_id, updated_at, id")
    create_index("calendar_created_at", "calendar", "org, created_at, id")
    create_index("calendar_name", "calendar", "org, name, id")
    create_index("cost_updated_at", "cost", "org, project_id, updated_at, id")
    create_index("dependency_updated_at", "dependency", "org, project_id, updated_at, id")
    create_index("progress_report_updated_at", "progress_report", "org, project_id, updated_at, id")
    create_index("project_name", "project", "org, name, id")
    create_index("task_name", "task", "org, project_id, name, id")


def downgrade() -> None:
    op.execute("DROP INDEX task_name")
    op.execute("DROP INDEX project_name")
    op.execute("DROP INDEX progress_report_updated_at")
    op.execute("DROP INDEX dependency_updated_at")
    op.execute("DROP INDEX cost_updated_at")
    op.execute("DROP INDEX calendar_name")
    op.execute("DROP INDEX calendar_created_at")
    op.execute("DROP INDEX budget_line_updated_at")
