"""Indexes of what lists are sorted by, where there was none."""

from alembic import op

from chassis.migrating import create_index

revision = "20261128_02"
down_revision = "20261128_01"


def upgrade() -> None:
    create_index("acceptance_criterion_dimension", "acceptance_criterion", "org, service_id, dimension, id")
    create_index("acceptance_criterion_updated_at", "acceptance_criterion", "org, service_id, updated_at, id")
    create_index("calendar_created_at", "calendar", "org, created_at, id")
    create_index("calendar_name", "calendar", "org, name, id")
    create_index("change_state_since", "change", "org, state_since, id")
    create_index("improvement_state_since", "improvement", "org, state_since, id")
    create_index("service_dependency_updated_at", "service_dependency", "org, service_id, updated_at, id")
    create_index("survey_invitation_expires_at", "survey_invitation", "org, expires_at, id")


def downgrade() -> None:
    op.execute("DROP INDEX survey_invitation_expires_at")
    op.execute("DROP INDEX service_dependency_updated_at")
    op.execute("DROP INDEX improvement_state_since")
    op.execute("DROP INDEX change_state_since")
    op.execute("DROP INDEX calendar_name")
    op.execute("DROP INDEX calendar_created_at")
    op.execute("DROP INDEX acceptance_criterion_updated_at")
    op.execute("DROP INDEX acceptance_criterion_dimension")
