"""Steps of history that were superseded, where a history was told anew."""

from alembic import op

from chassis.migrating import roles

revision = "20261125_15"
down_revision = "20261125_07"


def upgrade() -> None:
    op.execute("ALTER TABLE history_entry ADD COLUMN superseded_at TIMESTAMP WITH TIME ZONE")
    op.execute(f'GRANT UPDATE (superseded_at) ON history_entry TO "{roles().runtime}"')


def downgrade() -> None:
    op.execute("ALTER TABLE history_entry DROP COLUMN superseded_at")
