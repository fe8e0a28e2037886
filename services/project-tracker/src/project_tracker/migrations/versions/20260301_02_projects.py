"""Calendars and projects."""

from alembic import op

from chassis.migrating import protect

revision = "20260301_02"
down_revision = "20260301_01"


def upgrade() -> None:
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
        CREATE TABLE project (
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
            goal TEXT,
            kind TEXT NOT NULL,
            sponsor TEXT,
            manager TEXT,
            currency TEXT NOT NULL,
            calendar_id UUID,
            start_at TIMESTAMP WITH TIME ZONE NOT NULL,
            deadline_at TIMESTAMP WITH TIME ZONE,
            budget_limit NUMERIC,
            constraints JSONB NOT NULL,
            success_criteria JSONB NOT NULL,
            target_service JSONB,
            origin JSONB,
            predecessor_project_id UUID,
            programme TEXT,
            constraint_policy TEXT NOT NULL,
            state TEXT DEFAULT 'proposed' NOT NULL,
            on_hold BOOLEAN DEFAULT false NOT NULL,
            outcome TEXT,
            CONSTRAINT project_pkey PRIMARY KEY (org, id),
            CONSTRAINT project_key UNIQUE (org, key),
            CONSTRAINT project_external_key UNIQUE (org, external_source, external_id),
            CONSTRAINT project_calendar_fkey FOREIGN KEY(org, calendar_id) REFERENCES calendar (org, id),
            CONSTRAINT project_predecessor_fkey FOREIGN KEY(org, predecessor_project_id) REFERENCES project (org, id)
        )
        """
    )
    op.execute("CREATE INDEX project_calendar_id ON project (org, calendar_id)")
    op.execute("CREATE INDEX project_created_at ON project (org, created_at, id)")
    op.execute("CREATE INDEX project_predecessor_project_id ON project (org, predecessor_project_id)")
    op.execute("CREATE INDEX project_start_at ON project (org, start_at, id)")
    op.execute("CREATE INDEX project_state ON project (org, state)")
    op.execute("CREATE INDEX project_updated_at ON project (org, updated_at)")
    protect("project")


def downgrade() -> None:
    op.drop_table("project")
    op.drop_table("calendar")
