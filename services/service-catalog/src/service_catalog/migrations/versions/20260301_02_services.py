"""Calendars, services, and the history of states."""

from alembic import op

from chassis.migrating import protect

revision = "20260301_02"
down_revision = "20260301_01"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE history_entry (
            place BIGINT GENERATED ALWAYS AS IDENTITY,
            org TEXT NOT NULL,
            collection TEXT NOT NULL,
            resource_id UUID NOT NULL,
            at TIMESTAMP WITH TIME ZONE NOT NULL,
            recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
            from_state TEXT,
            to_state TEXT NOT NULL,
            reason TEXT,
            actor TEXT NOT NULL,
            details JSONB NOT NULL,
            PRIMARY KEY (place)
        )
        """
    )
    op.execute("CREATE INDEX history_entry_resource ON history_entry (org, collection, resource_id, at, place)")
    protect("history_entry", runtime=("SELECT", "INSERT"), worker=("SELECT", "INSERT"))
    op.execute(
        """
        CREATE TABLE calendar (
            org TEXT NOT NULL,
            id UUID NOT NULL,
            version INTEGER DEFAULT 1 NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
            external_source TEXT,
            external_id TEXT,
            labels JSONB DEFAULT '{}'::jsonb NOT NULL,
            name TEXT NOT NULL,
            timezone TEXT NOT NULL,
            weekly JSONB NOT NULL,
            own_holidays JSONB NOT NULL,
            holidays JSONB NOT NULL,
            holiday_country TEXT,
            holiday_subdivision TEXT,
            exceptions JSONB NOT NULL,
            own_hours_per_day NUMERIC,
            own_hours_per_week NUMERIC,
            hours_per_day NUMERIC NOT NULL,
            hours_per_week NUMERIC NOT NULL,
            CONSTRAINT calendar_pkey PRIMARY KEY (org, id),
            CONSTRAINT calendar_external_key UNIQUE (org, external_source, external_id)
        )
        """
    )
    protect("calendar")
    op.execute(
        """
        CREATE TABLE service (
            org TEXT NOT NULL,
            id UUID NOT NULL,
            version INTEGER DEFAULT 1 NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
            external_source TEXT,
            external_id TEXT,
            labels JSONB DEFAULT '{}'::jsonb NOT NULL,
            key TEXT NOT NULL,
            name TEXT NOT NULL,
            description TEXT,
            type TEXT NOT NULL,
            criticality TEXT,
            owner TEXT,
            support_team TEXT,
            boundaries JSONB NOT NULL,
            calendar_id UUID,
            state TEXT NOT NULL,
            live_from TIMESTAMP WITH TIME ZONE,
            retired_at TIMESTAMP WITH TIME ZONE,
            project_id UUID,
            direct_delivery_reason TEXT,
            retire_on DATE,
            successor_service_id UUID,
            retirement_reason TEXT,
            CONSTRAINT service_pkey PRIMARY KEY (org, id),
            CONSTRAINT service_key UNIQUE (org, key),
            CONSTRAINT service_external_key UNIQUE (org, external_source, external_id),
            CONSTRAINT service_calendar_fkey FOREIGN KEY(org, calendar_id) REFERENCES calendar (org, id),
            CONSTRAINT service_successor_fkey FOREIGN KEY(org, successor_service_id) REFERENCES service (org, id)
        )
        """
    )
    op.execute("CREATE INDEX service_calendar_id ON service (org, calendar_id)")
    op.execute("CREATE INDEX service_created_at ON service (org, created_at, id)")
    op.execute("CREATE INDEX service_name ON service (org, name, id)")
    op.execute("CREATE INDEX service_project_id ON service (org, project_id)")
    op.execute("CREATE INDEX service_state ON service (org, state, created_at, id)")
    op.execute("CREATE INDEX service_successor_service_id ON service (org, successor_service_id)")
    op.execute("CREATE INDEX service_updated_at ON service (org, updated_at, id)")
    protect("service")


def downgrade() -> None:
    op.drop_table("service")
    op.drop_table("calendar")
    op.drop_table("history_entry")
