"""How long an incident of a service stays resolved before it closes by itself."""

from alembic import op

revision = "20261128_01"
down_revision = "20261125_20"


def upgrade() -> None:
    op.execute("ALTER TABLE service ADD COLUMN incidents_close_after_days INTEGER NOT NULL DEFAULT 7")


def downgrade() -> None:
    op.execute("ALTER TABLE service DROP COLUMN incidents_close_after_days")
