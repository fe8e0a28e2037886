"""A warning or a breach that is none any more is taken back, and told again when it happens."""

from alembic import op

from chassis.migrating import roles

revision = "20261128_03"
down_revision = "20261128_02"


def upgrade() -> None:
    op.execute(f'GRANT DELETE, UPDATE (at) ON sla_notice TO "{roles().worker}"')
    op.execute(f'GRANT DELETE ON fulfilment_notice TO "{roles().worker}"')


def downgrade() -> None:
    op.execute(f'REVOKE DELETE ON fulfilment_notice FROM "{roles().worker}"')
    op.execute(f'REVOKE DELETE, UPDATE (at) ON sla_notice FROM "{roles().worker}"')
