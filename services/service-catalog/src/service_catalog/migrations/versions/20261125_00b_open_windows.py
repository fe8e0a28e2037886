"""An index of the maintenance windows that are not over."""

from alembic import op

from chassis.migrating import create_index

revision = "20261125_00b"
down_revision = "20261125_00"


def upgrade() -> None:
    create_index(
        "maintenance_window_open",
        "maintenance_window",
        "org, planned_start",
        where="state IN ('scheduled', 'in_progress')",
    )


def downgrade() -> None:
    op.drop_index("maintenance_window_open")
