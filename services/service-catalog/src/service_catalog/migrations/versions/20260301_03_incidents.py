"""Incidents."""

from alembic import op

from chassis.migrating import protect

revision = "20260301_03"
down_revision = "20260301_02"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE incident (
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
            state TEXT NOT NULL,
            state_since TIMESTAMP WITH TIME ZONE NOT NULL,
            impact TEXT NOT NULL,
            urgency TEXT NOT NULL,
            priority TEXT NOT NULL,
            major BOOLEAN NOT NULL,
            caller TEXT,
            reported_by TEXT NOT NULL,
            assigned_team TEXT,
            assignee TEXT,
            parent_id UUID,
            dedup_key TEXT,
            factor TEXT,
            resolution TEXT,
            hold_reason TEXT,
            cancel_reason TEXT,
            occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
            acknowledged_at TIMESTAMP WITH TIME ZONE,
            resolved_at TIMESTAMP WITH TIME ZONE,
            closed_at TIMESTAMP WITH TIME ZONE,
            reopened_count INTEGER NOT NULL,
            resolved_before_reopening_seconds BIGINT NOT NULL,
            CONSTRAINT incident_pkey PRIMARY KEY (org, id),
            CONSTRAINT incident_service_fkey FOREIGN KEY(org, service_id) REFERENCES service (org, id),
            CONSTRAINT incident_parent_fkey FOREIGN KEY(org, parent_id) REFERENCES incident (org, id)
        )
        """
    )
    op.execute("CREATE INDEX incident_created_at ON incident (org, created_at, id)")
    op.execute(
        "CREATE UNIQUE INDEX incident_dedup_key ON incident (org, dedup_key)"
        " WHERE dedup_key IS NOT NULL AND state IN ('new', 'acknowledged', 'in_progress', 'on_hold')"
    )
    op.execute(
        "CREATE UNIQUE INDEX incident_external_key ON incident (org, external_source, external_id)"
        " WHERE external_id IS NOT NULL"
    )
    op.execute("CREATE INDEX incident_occurred_at ON incident (org, occurred_at, id)")
    op.execute("CREATE INDEX incident_parent_id ON incident (org, parent_id) WHERE parent_id IS NOT NULL")
    op.execute("CREATE INDEX incident_service_id ON incident (org, service_id, occurred_at, id)")
    op.execute(
        "CREATE INDEX incident_unresolved ON incident (org, service_id, state)"
        " WHERE state IN ('new', 'acknowledged', 'in_progress', 'on_hold')"
    )
    op.execute("CREATE INDEX incident_updated_at ON incident (org, updated_at, id)")
    protect("incident")


def downgrade() -> None:
    op.drop_table("incident")
