"""The log of events without the index that nothing used."""

from chassis.migrating import drop_log_index_by_partition_key

revision = "20261130_01"
down_revision = "20261128_01"


def upgrade() -> None:
    drop_log_index_by_partition_key()


def downgrade() -> None:
    """Leave the log without it: nothing looked anything up by it before."""
