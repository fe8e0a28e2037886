"""Service levels, and the timers of incidents."""

from alembic import op

from chassis.migrating import protect

revision = "20260302_11"
down_revision = "20260302_05"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE service_level (
            org TEXT NOT NULL,
            id UUID NOT NULL,
            version INTEGER DEFAULT 1 NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
            external_source TEXT,
            external_id TEXT,
            labels JSONB DEFAULT '{}'::jsonb NOT NULL,
            service_id UUID NOT NULL,
            metric TEXT NOT NULL,
            target NUMERIC NOT NULL,
            priority TEXT,
            calendar_id UUID,
            valid_from TIMESTAMP WITH TIME ZONE,
            valid_to TIMESTAMP WITH TIME ZONE,
            CONSTRAINT service_level_pkey PRIMARY KEY (org, id),
            CONSTRAINT service_level_external_key UNIQUE (org, external_source, external_id),
            CONSTRAINT service_level_service_fkey FOREIGN KEY (org, service_id) REFERENCES service (org, id),
            CONSTRAINT service_level_calendar_fkey FOREIGN KEY (org, calendar_id) REFERENCES calendar (org, id)
        )
        """
    )
    op.execute("CREATE INDEX service_level_calendar_id ON service_level (org, calendar_id)")
    op.execute("CREATE INDEX service_level_created_at ON service_level (org, created_at, id)")
    op.execute("CREATE INDEX service_level_service_id ON service_level (org, service_id, metric, priority)")
    op.execute("CREATE INDEX service_level_updated_at ON service_level (org, updated_at, id)")
    protect("service_level")
    op.execute(
        """
        CREATE TABLE incident_timer (
            org TEXT NOT NULL,
            incident_id UUID NOT NULL,
            service_id UUID NOT NULL,
            due_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT incident_timer_pkey PRIMARY KEY (org, incident_id)
        )
        """
    )
    op.execute("CREATE INDEX incident_timer_due_at ON incident_timer (due_at) WHERE due_at IS NOT NULL")
    op.execute("CREATE INDEX incident_timer_service_id ON incident_timer (org, service_id)")
    protect("incident_timer", worker_sees="everything", runtime=("SELECT", "INSERT", "UPDATE"))
    op.execute(
        """
        CREATE TABLE sla_notice (
            org TEXT NOT NULL,
            incident_id UUID NOT NULL,
            metric TEXT NOT NULL,
            priority TEXT NOT NULL,
            kind TEXT NOT NULL,
            told_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT sla_notice_pkey PRIMARY KEY (org, incident_id, metric, priority, kind)
        )
        """
    )
    protect("sla_notice", runtime=("SELECT",), worker=("SELECT", "INSERT"))
    # Those that are unresolved already get their timers now, as each would with its next change.
    op.execute(
        "INSERT INTO incident_timer (org, incident_id, service_id, due_at)"
        " SELECT org, id, service_id, now() FROM incident"
        " WHERE state IN ('new', 'acknowledged', 'in_progress', 'on_hold')"
        " OR (state = 'resolved' AND external_source IS NULL)"
    )


def downgrade() -> None:
    op.drop_table("sla_notice")
    op.drop_table("incident_timer")
    op.drop_table("service_level")
