"""The index by which calendars are found that have changed."""

from alembic import op

from chassis.migrating import create_index

revision = "20261128_05"
down_revision = "20261128_04"


def upgrade() -> None:
    create_index("calendar_updated_at", "calendar", "org, updated_at, id")


def downgrade() -> None:
    op.drop_index("calendar_updated_at")
