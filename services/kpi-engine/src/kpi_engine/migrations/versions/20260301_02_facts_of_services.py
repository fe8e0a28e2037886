"""Facts of services, and which filling of all facts answers."""

from alembic import op

from chassis.migrating import allow, protect

revision = "20260301_02"
down_revision = "20260301_01"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE calendar_fact (
            org TEXT NOT NULL,
            projection INTEGER NOT NULL,
            id UUID NOT NULL,
            source TEXT NOT NULL,
            epoch INTEGER NOT NULL,
            version BIGINT NOT NULL,
            deleted BOOLEAN NOT NULL,
            document JSONB NOT NULL,
            CONSTRAINT calendar_fact_pkey PRIMARY KEY (org, projection, id)
        )
        """
    )
    protect("calendar_fact", runtime=("SELECT", "INSERT", "UPDATE"))
    op.execute(
        """
        CREATE TABLE service_fact (
            org TEXT NOT NULL,
            projection INTEGER NOT NULL,
            id UUID NOT NULL,
            source TEXT NOT NULL,
            epoch INTEGER NOT NULL,
            version BIGINT NOT NULL,
            deleted BOOLEAN NOT NULL,
            key TEXT NOT NULL,
            name TEXT NOT NULL,
            state TEXT NOT NULL,
            calendar_id UUID,
            live_from TIMESTAMP WITH TIME ZONE,
            retired_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT service_fact_pkey PRIMARY KEY (org, projection, id)
        )
        """
    )
    protect("service_fact", runtime=("SELECT", "INSERT", "UPDATE"))
    op.execute(
        """
        CREATE TABLE outage_fact (
            org TEXT NOT NULL,
            projection INTEGER NOT NULL,
            id UUID NOT NULL,
            source TEXT NOT NULL,
            epoch INTEGER NOT NULL,
            version BIGINT NOT NULL,
            deleted BOOLEAN NOT NULL,
            service_id UUID NOT NULL,
            incident_id UUID,
            severity TEXT NOT NULL,
            started_at TIMESTAMP WITH TIME ZONE NOT NULL,
            ended_at TIMESTAMP WITH TIME ZONE,
            state TEXT,
            CONSTRAINT outage_fact_pkey PRIMARY KEY (org, projection, id),
            CONSTRAINT outage_fact_severity_known CHECK (severity IN ('major', 'partial', 'degraded'))
        )
        """
    )
    op.execute("CREATE INDEX outage_fact_service ON outage_fact (org, projection, service_id, started_at)")
    protect("outage_fact", runtime=("SELECT", "INSERT", "UPDATE"))
    op.execute(
        """
        CREATE TABLE maintenance_window_fact (
            org TEXT NOT NULL,
            projection INTEGER NOT NULL,
            id UUID NOT NULL,
            source TEXT NOT NULL,
            epoch INTEGER NOT NULL,
            version BIGINT NOT NULL,
            deleted BOOLEAN NOT NULL,
            service_ids UUID[] NOT NULL,
            planned_start TIMESTAMP WITH TIME ZONE NOT NULL,
            planned_end TIMESTAMP WITH TIME ZONE NOT NULL,
            actual_start TIMESTAMP WITH TIME ZONE,
            actual_end TIMESTAMP WITH TIME ZONE,
            announced_at TIMESTAMP WITH TIME ZONE,
            state TEXT NOT NULL,
            CONSTRAINT maintenance_window_fact_pkey PRIMARY KEY (org, projection, id)
        )
        """
    )
    op.execute(
        "CREATE INDEX maintenance_window_fact_planned ON maintenance_window_fact (org, projection, planned_start)"
    )
    op.execute("CREATE INDEX maintenance_window_fact_services ON maintenance_window_fact USING gin (service_ids)")
    protect("maintenance_window_fact", runtime=("SELECT", "INSERT", "UPDATE"))
    op.execute(
        """
        CREATE TABLE incident_fact (
            org TEXT NOT NULL,
            projection INTEGER NOT NULL,
            id UUID NOT NULL,
            source TEXT NOT NULL,
            epoch INTEGER NOT NULL,
            version BIGINT NOT NULL,
            deleted BOOLEAN NOT NULL,
            service_id UUID NOT NULL,
            state TEXT NOT NULL,
            priority TEXT,
            major BOOLEAN,
            factor TEXT,
            cancel_reason TEXT,
            occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
            acknowledged_at TIMESTAMP WITH TIME ZONE,
            resolved_at TIMESTAMP WITH TIME ZONE,
            closed_at TIMESTAMP WITH TIME ZONE,
            reopened_count INTEGER,
            resolved_before_reopening_seconds BIGINT,
            CONSTRAINT incident_fact_pkey PRIMARY KEY (org, projection, id)
        )
        """
    )
    op.execute("CREATE INDEX incident_fact_service ON incident_fact (org, projection, service_id, occurred_at)")
    protect("incident_fact", runtime=("SELECT", "INSERT", "UPDATE"))
    op.execute(
        """
        CREATE TABLE projection_in_force (
            single BOOLEAN DEFAULT true NOT NULL,
            projection INTEGER DEFAULT 1 NOT NULL,
            PRIMARY KEY (single),
            CONSTRAINT projection_in_force_one_row CHECK (single)
        )
        """
    )
    op.execute("INSERT INTO projection_in_force DEFAULT VALUES")
    allow("projection_in_force", runtime=("SELECT",), worker=("SELECT", "UPDATE"))


def downgrade() -> None:
    op.drop_table("projection_in_force")
    op.drop_table("incident_fact")
    op.drop_table("maintenance_window_fact")
    op.drop_table("outage_fact")
    op.drop_table("service_fact")
    op.drop_table("calendar_fact")
