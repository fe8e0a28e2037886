"""Indexes of what lists are sorted by, where there was none."""

from alembic import op

revision = "20261128_01"
down_revision = "20261125_20"


def upgrade() -> None:
    op.execute("CREATE INDEX budget_line_updated_at ON budget_line (org, project_id, updated_at, id)")
    op.execute("CREATE INDEX calendar_created_at ON calendar (org, created_at, id)")
    op.execute("CREATE INDEX calendar_name ON calendar (org, name, id)")
    op.execute("CREATE INDEX cost_updated_at ON cost (org, project_id, updated_at, id)")
    op.execute("CREATE INDEX dependency_updated_at ON dependency (org, project_id, updated_at, id)")
    op.execute("CREATE INDEX progress_report_updated_at ON progress_report (org, project_id, updated_at, id)")
    op.execute("CREATE INDEX project_name ON project (org, name, id)")
    op.execute("CREATE INDEX task_name ON task (org, project_id, name, id)")


def downgrade() -> None:
    op.execute("DROP INDEX task_name")
    op.execute("DROP INDEX project_name")
    op.execute("DROP INDEX progress_report_updated_at")
    op.execute("DROP INDEX dependency_updated_at")
    op.execute("DROP INDEX cost_updated_at")
    op.execute("DROP INDEX calendar_name")
    op.execute("DROP INDEX calendar_created_at")
    op.execute("DROP INDEX budget_line_updated_at")
