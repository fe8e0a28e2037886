"""The event tables and the idempotency keys."""

from alembic import op

from chassis.migrating import create_event_tables, create_idempotency_table, drop_event_tables

revision = "20260301_01"
down_revision = None


def upgrade() -> None:
    create_event_tables()
    create_idempotency_table()


def downgrade() -> None:
    op.drop_table("idempotency_key")
    drop_event_tables()
