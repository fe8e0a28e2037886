"""Indexes of what lists are sorted by, where there was none."""

from alembic import op

revision = "20261128_02"
down_revision = "20261128_01"


def upgrade() -> None:
    op.execute("CREATE INDEX acceptance_criterion_dimension ON acceptance_criterion (org, service_id, dimension, id)")
    op.execute("CREATE INDEX acceptance_criterion_updated_at ON acceptance_criterion (org, service_id, updated_at, id)")
    op.execute("CREATE INDEX calendar_created_at ON calendar (org, created_at, id)")
    op.execute("CREATE INDEX calendar_name ON calendar (org, name, id)")
    op.execute("CREATE INDEX change_state_since ON change (org, state_since, id)")
    op.execute("CREATE INDEX improvement_state_since ON improvement (org, state_since, id)")
    op.execute("CREATE INDEX service_dependency_updated_at ON service_dependency (org, service_id, updated_at, id)")
    op.execute("CREATE INDEX survey_invitation_expires_at ON survey_invitation (org, expires_at, id)")


def downgrade() -> None:
    op.execute("DROP INDEX survey_invitation_expires_at")
    op.execute("DROP INDEX service_dependency_updated_at")
    op.execute("DROP INDEX improvement_state_since")
    op.execute("DROP INDEX change_state_since")
    op.execute("DROP INDEX calendar_name")
    op.execute("DROP INDEX calendar_created_at")
    op.execute("DROP INDEX acceptance_criterion_updated_at")
    op.execute("DROP INDEX acceptance_criterion_dimension")
