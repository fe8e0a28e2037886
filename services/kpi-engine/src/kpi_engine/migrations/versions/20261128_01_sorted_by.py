"""The index of what policies are sorted by."""

from alembic import op

from chassis.migrating import create_index

revision = "20261128_01"
down_revision = "20261125_20"


def upgrade() -> None:
    create_index("policy_created_at", "policy", "org, created_at, id")


def downgrade() -> None:
    op.execute("DROP INDEX policy_created_at")
