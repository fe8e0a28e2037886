"""The facts of the siblings, and which filling of them answers."""

from alembic import op
from sqlalchemy.schema import CreateIndex, CreateTable

from chassis.migrating import allow, protect
from kpi_engine.facts.tables import FACT_TABLES, projection_in_force

revision = "20261101_02"
down_revision = "20261101_01"


def upgrade() -> None:
    for table in FACT_TABLES:
        op.execute(CreateTable(table))
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            op.execute(CreateIndex(index))
        protect(table.name, runtime=("SELECT", "INSERT", "UPDATE"))
    op.execute(CreateTable(projection_in_force))
    op.execute("INSERT INTO projection_in_force DEFAULT VALUES")
    allow(projection_in_force.name, runtime=("SELECT",), worker=("SELECT", "UPDATE"))


def downgrade() -> None:
    op.drop_table(projection_in_force.name)
    for table in reversed(FACT_TABLES):
        op.drop_table(table.name)
