"""The policies of organisations."""

from alembic import op
from sqlalchemy.schema import CreateTable

from chassis.migrating import protect
from kpi_engine.policies.tables import policy

revision = "20261101_03"
down_revision = "20261101_02"


def upgrade() -> None:
    op.execute(CreateTable(policy))
    protect(policy.name)


def downgrade() -> None:
    op.drop_table(policy.name)
