"""Policies that ask for the organisation once a statement."""

from chassis.migrating import renew_policies

revision = "20261125_20"
down_revision = "20260301_04"


def upgrade() -> None:
    renew_policies()


def downgrade() -> None:
    """Leave them: they show the same rows as those before."""
