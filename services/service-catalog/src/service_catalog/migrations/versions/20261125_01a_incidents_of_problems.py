"""The incidents of a problem: every one names one that there is, and they are found by it."""

from alembic import op

from chassis.migrating import create_index

revision = "20261125_01a"
down_revision = "20261125_01"


def upgrade() -> None:
    op.execute("ALTER TABLE incident VALIDATE CONSTRAINT incident_problem_fkey")
    create_index("incident_problem_id", "incident", "org, problem_id, created_at, id", where="problem_id IS NOT NULL")


def downgrade() -> None:
    op.drop_index("incident_problem_id")
