"""What an acceptance criterion is needed for."""

from alembic import op

revision = "20261125_05b"
down_revision = "20261125_05"


def upgrade() -> None:
    op.execute("ALTER TABLE acceptance_criterion ADD COLUMN needed_for TEXT DEFAULT 'acceptance' NOT NULL")


def downgrade() -> None:
    op.execute("ALTER TABLE acceptance_criterion DROP COLUMN needed_for")
