"""The index of what policies are sorted by."""

from alembic import op

revision = "20261128_01"
down_revision = "20261125_20"


def upgrade() -> None:
    op.execute("CREATE INDEX policy_created_at ON policy (org, created_at, id)")


def downgrade() -> None:
    op.execute("DROP INDEX policy_created_at")
