"""Improvements."""

from alembic import op

from chassis.migrating import protect

revision = "20260302_12"
down_revision = "20260302_11"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE improvement (
            org TEXT NOT NULL,
            id UUID NOT NULL,
            version INTEGER DEFAULT 1 NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
            external_source TEXT,
            external_id TEXT,
            labels JSONB DEFAULT '{}'::jsonb NOT NULL,
            service_id UUID NOT NULL,
            title TEXT NOT NULL,
            description TEXT,
            owner TEXT,
            project_id UUID,
            state TEXT NOT NULL,
            state_since TIMESTAMP WITH TIME ZONE NOT NULL,
            planned_end TIMESTAMP WITH TIME ZONE,
            first_planned_end TIMESTAMP WITH TIME ZONE,
            approved_at TIMESTAMP WITH TIME ZONE,
            started_at TIMESTAMP WITH TIME ZONE,
            closed_at TIMESTAMP WITH TIME ZONE,
            outcome TEXT,
            cancellation_reason TEXT,
            benefit JSONB,
            origin_type TEXT,
            origin_id TEXT,
            origin_incident_id UUID,
            CONSTRAINT improvement_pkey PRIMARY KEY (org, id),
            CONSTRAINT improvement_service_fkey FOREIGN KEY(org, service_id) REFERENCES service (org, id),
            CONSTRAINT improvement_incident_fkey FOREIGN KEY(org, origin_incident_id) REFERENCES incident (org, id)
        )
        """
    )
    op.execute("CREATE INDEX improvement_created_at ON improvement (org, created_at, id)")
    op.execute(
        "CREATE UNIQUE INDEX improvement_external_key ON improvement (org, external_source, external_id)"
        " WHERE external_id IS NOT NULL"
    )
    op.execute(
        "CREATE INDEX improvement_incident_id ON improvement (org, origin_incident_id)"
        " WHERE origin_incident_id IS NOT NULL"
    )
    op.execute(
        "CREATE INDEX improvement_origin ON improvement (org, origin_type, origin_id) WHERE origin_type IS NOT NULL"
    )
    op.execute("CREATE INDEX improvement_project_id ON improvement (org, project_id) WHERE project_id IS NOT NULL")
    op.execute("CREATE INDEX improvement_service_id ON improvement (org, service_id, created_at, id)")
    op.execute("CREATE INDEX improvement_state ON improvement (org, state, created_at, id)")
    op.execute("CREATE INDEX improvement_updated_at ON improvement (org, updated_at, id)")
    protect("improvement")


def downgrade() -> None:
    op.drop_table("improvement")
