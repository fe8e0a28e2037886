"""Changes."""

from alembic import op

from chassis.migrating import protect

revision = "20261125_00"
down_revision = "20260302_13"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE change (
            org TEXT NOT NULL,
            id UUID NOT NULL,
            version INTEGER DEFAULT 1 NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
            external_source TEXT,
            external_id TEXT,
            labels JSONB DEFAULT '{}'::jsonb NOT NULL,
            service_ids JSONB NOT NULL,
            title TEXT NOT NULL,
            description TEXT,
            type TEXT NOT NULL,
            risk TEXT,
            reason TEXT,
            implementation_plan TEXT,
            backout_plan TEXT,
            test_plan TEXT,
            requester TEXT NOT NULL,
            implementer TEXT,
            incident_id UUID,
            state TEXT NOT NULL,
            state_since TIMESTAMP WITH TIME ZONE NOT NULL,
            planned_start TIMESTAMP WITH TIME ZONE,
            planned_end TIMESTAMP WITH TIME ZONE,
            actual_start TIMESTAMP WITH TIME ZONE,
            actual_end TIMESTAMP WITH TIME ZONE,
            approved_at TIMESTAMP WITH TIME ZONE,
            approved_by TEXT,
            outcome TEXT,
            rejection_reason TEXT,
            cancellation_reason TEXT,
            opens_maintenance_window BOOLEAN NOT NULL,
            maintenance_window_id UUID,
            CONSTRAINT change_pkey PRIMARY KEY (org, id),
            CONSTRAINT change_incident_fkey FOREIGN KEY(org, incident_id) REFERENCES incident (org, id),
            CONSTRAINT change_maintenance_window_fkey FOREIGN KEY(org, maintenance_window_id)
                REFERENCES maintenance_window (org, id)
        )
        """
    )
    op.execute(
        "CREATE INDEX change_claims ON change (org, planned_start)"
        " WHERE state IN ('approved', 'scheduled', 'implementing')"
    )
    op.execute("CREATE INDEX change_created_at ON change (org, created_at, id)")
    op.execute(
        "CREATE UNIQUE INDEX change_external_key ON change (org, external_source, external_id)"
        " WHERE external_id IS NOT NULL"
    )
    op.execute("CREATE INDEX change_incident_id ON change (org, incident_id) WHERE incident_id IS NOT NULL")
    op.execute(
        "CREATE INDEX change_maintenance_window_id ON change (org, maintenance_window_id)"
        " WHERE maintenance_window_id IS NOT NULL"
    )
    op.execute("CREATE INDEX change_service_ids ON change USING gin (service_ids jsonb_path_ops)")
    op.execute("CREATE INDEX change_state ON change (org, state, created_at, id)")
    op.execute("CREATE INDEX change_updated_at ON change (org, updated_at, id)")
    protect("change")


def downgrade() -> None:
    op.drop_table("change")
