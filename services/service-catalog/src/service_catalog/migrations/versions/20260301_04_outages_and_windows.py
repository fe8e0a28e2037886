"""Outages and maintenance windows."""

from alembic import op

from chassis.migrating import protect

revision = "20260301_04"
down_revision = "20260301_03"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE outage (
            org TEXT NOT NULL,
            id UUID NOT NULL,
            version INTEGER DEFAULT 1 NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
            external_source TEXT,
            external_id TEXT,
            labels JSONB DEFAULT '{}'::jsonb NOT NULL,
            service_id UUID NOT NULL,
            severity TEXT NOT NULL,
            state TEXT NOT NULL,
            started_at TIMESTAMP WITH TIME ZONE NOT NULL,
            ended_at TIMESTAMP WITH TIME ZONE,
            incident_id UUID,
            cause TEXT,
            withdrawal_reason TEXT,
            CONSTRAINT outage_pkey PRIMARY KEY (org, id),
            CONSTRAINT outage_service_fkey FOREIGN KEY(org, service_id) REFERENCES service (org, id),
            CONSTRAINT outage_incident_fkey FOREIGN KEY(org, incident_id) REFERENCES incident (org, id)
        )
        """
    )
    op.execute("CREATE INDEX outage_created_at ON outage (org, created_at, id)")
    op.execute(
        "CREATE UNIQUE INDEX outage_external_key ON outage (org, external_source, external_id)"
        " WHERE external_id IS NOT NULL"
    )
    op.execute("CREATE INDEX outage_incident_id ON outage (org, incident_id) WHERE incident_id IS NOT NULL")
    op.execute("CREATE INDEX outage_open ON outage (org, service_id) WHERE state = 'open'")
    op.execute("CREATE INDEX outage_service_id ON outage (org, service_id, started_at, id)")
    op.execute("CREATE INDEX outage_started_at ON outage (org, started_at, id)")
    op.execute("CREATE INDEX outage_updated_at ON outage (org, updated_at, id)")
    protect("outage")
    op.execute(
        """
        CREATE TABLE maintenance_window (
            org TEXT NOT NULL,
            id UUID NOT NULL,
            version INTEGER DEFAULT 1 NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
            external_source TEXT,
            external_id TEXT,
            labels JSONB DEFAULT '{}'::jsonb NOT NULL,
            title TEXT,
            description TEXT,
            service_ids JSONB NOT NULL,
            state TEXT NOT NULL,
            planned_start TIMESTAMP WITH TIME ZONE NOT NULL,
            planned_end TIMESTAMP WITH TIME ZONE NOT NULL,
            actual_start TIMESTAMP WITH TIME ZONE,
            actual_end TIMESTAMP WITH TIME ZONE,
            announced_at TIMESTAMP WITH TIME ZONE NOT NULL,
            cancellation_reason TEXT,
            CONSTRAINT maintenance_window_pkey PRIMARY KEY (org, id)
        )
        """
    )
    op.execute("CREATE INDEX maintenance_window_created_at ON maintenance_window (org, created_at, id)")
    op.execute(
        "CREATE UNIQUE INDEX maintenance_window_external_key ON maintenance_window (org, external_source, external_id)"
        " WHERE external_id IS NOT NULL"
    )
    op.execute("CREATE INDEX maintenance_window_in_progress ON maintenance_window (org) WHERE state = 'in_progress'")
    op.execute("CREATE INDEX maintenance_window_planned_start ON maintenance_window (org, planned_start, id)")
    op.execute(
        "CREATE INDEX maintenance_window_service_ids ON maintenance_window USING gin (service_ids jsonb_path_ops)"
    )
    op.execute("CREATE INDEX maintenance_window_updated_at ON maintenance_window (org, updated_at, id)")
    protect("maintenance_window")


def downgrade() -> None:
    op.drop_table("maintenance_window")
    op.drop_table("outage")
