"""Notes: a resource with a column of each kind."""

from alembic import op
from sqlalchemy.schema import CreateTable

from chassis.migrating import protect
from chassis.testkit.sample.tables import note

revision = "20260101_03"
down_revision = "20260101_02"


def upgrade() -> None:
    op.execute(CreateTable(note))
    protect("note")


def downgrade() -> None:
    op.drop_table("note")
