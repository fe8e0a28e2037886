"""Tasks and the links between them."""

from alembic import op

from chassis.migrating import protect

revision = "20260301_03"
down_revision = "20260301_02"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE task (
            org TEXT NOT NULL,
            id UUID NOT NULL,
            version INTEGER DEFAULT 1 NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
            external_source TEXT,
            external_id TEXT,
            labels JSONB DEFAULT '{}'::jsonb NOT NULL,
            project_id UUID NOT NULL,
            wbs TEXT NOT NULL,
            name TEXT NOT NULL,
            kind TEXT NOT NULL,
            parent_id UUID,
            parent_is_given BOOLEAN NOT NULL,
            duration TEXT,
            currency TEXT NOT NULL,
            budget NUMERIC,
            fixed_budget NUMERIC,
            fixed_accrual TEXT NOT NULL,
            earning_rule TEXT NOT NULL,
            constraint_type TEXT,
            constraint_at TIMESTAMP WITH TIME ZONE,
            calendar_id UUID,
            deadline_at TIMESTAMP WITH TIME ZONE,
            actual_start_at TIMESTAMP WITH TIME ZONE,
            actual_finish_at TIMESTAMP WITH TIME ZONE,
            percent_complete NUMERIC NOT NULL,
            estimate JSONB,
            CONSTRAINT task_pkey PRIMARY KEY (org, id),
            CONSTRAINT task_wbs_key UNIQUE (org, project_id, wbs),
            CONSTRAINT task_external_key UNIQUE (org, project_id, external_source, external_id),
            CONSTRAINT task_project_fkey FOREIGN KEY(org, project_id) REFERENCES project (org, id),
            CONSTRAINT task_parent_fkey FOREIGN KEY(org, parent_id) REFERENCES task (org, id),
            CONSTRAINT task_calendar_fkey FOREIGN KEY(org, calendar_id) REFERENCES calendar (org, id)
        )
        """
    )
    op.execute("CREATE INDEX task_calendar_id ON task (org, calendar_id)")
    op.execute("CREATE INDEX task_created_at ON task (org, project_id, created_at, id)")
    op.execute("CREATE INDEX task_parent_id ON task (org, parent_id)")
    op.execute("CREATE INDEX task_updated_at ON task (org, project_id, updated_at)")
    protect("task")
    op.execute(
        """
        CREATE TABLE dependency (
            org TEXT NOT NULL,
            id UUID NOT NULL,
            version INTEGER DEFAULT 1 NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
            external_source TEXT,
            external_id TEXT,
            labels JSONB DEFAULT '{}'::jsonb NOT NULL,
            project_id UUID NOT NULL,
            predecessor_id UUID NOT NULL,
            successor_id UUID NOT NULL,
            type TEXT NOT NULL,
            lag TEXT NOT NULL,
            CONSTRAINT dependency_pkey PRIMARY KEY (org, id),
            CONSTRAINT dependency_ends_key UNIQUE (org, project_id, predecessor_id, successor_id, type),
            CONSTRAINT dependency_external_key UNIQUE (org, project_id, external_source, external_id),
            CONSTRAINT dependency_project_fkey FOREIGN KEY(org, project_id) REFERENCES project (org, id),
            CONSTRAINT dependency_predecessor_fkey FOREIGN KEY(org, predecessor_id) REFERENCES task (org, id),
            CONSTRAINT dependency_successor_fkey FOREIGN KEY(org, successor_id) REFERENCES task (org, id)
        )
        """
    )
    op.execute("CREATE INDEX dependency_created_at ON dependency (org, project_id, created_at, id)")
    op.execute("CREATE INDEX dependency_predecessor_id ON dependency (org, predecessor_id)")
    op.execute("CREATE INDEX dependency_successor_id ON dependency (org, successor_id)")
    protect("dependency")


def downgrade() -> None:
    op.drop_table("dependency")
    op.drop_table("task")
