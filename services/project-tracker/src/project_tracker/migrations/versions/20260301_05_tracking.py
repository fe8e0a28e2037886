"""Progress reports, costs and budget lines."""

from alembic import op

from chassis.migrating import protect

revision = "20260301_05"
down_revision = "20260301_04"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE progress_report (
            org TEXT NOT NULL,
            id UUID NOT NULL,
            version INTEGER DEFAULT 1 NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
            external_source TEXT,
            external_id TEXT,
            labels JSONB DEFAULT '{}'::jsonb NOT NULL,
            project_id UUID NOT NULL,
            task_id UUID NOT NULL,
            status_at TIMESTAMP WITH TIME ZONE NOT NULL,
            percent_complete NUMERIC NOT NULL,
            remaining_duration TEXT,
            note TEXT,
            CONSTRAINT progress_report_pkey PRIMARY KEY (org, id),
            CONSTRAINT progress_report_task_status_key UNIQUE (org, project_id, task_id, status_at),
            CONSTRAINT progress_report_external_key UNIQUE (org, project_id, external_source, external_id),
            CONSTRAINT progress_report_project_fkey FOREIGN KEY(org, project_id) REFERENCES project (org, id),
            CONSTRAINT progress_report_task_fkey FOREIGN KEY(org, task_id) REFERENCES task (org, id)
        )
        """
    )
    op.execute("CREATE INDEX progress_report_created_at ON progress_report (org, project_id, created_at, id)")
    op.execute("CREATE INDEX progress_report_status_at ON progress_report (org, project_id, status_at, id)")
    op.execute("CREATE INDEX progress_report_task ON progress_report (org, task_id, status_at)")
    protect("progress_report")
    op.execute(
        """
        CREATE TABLE cost (
            org TEXT NOT NULL,
            id UUID NOT NULL,
            version INTEGER DEFAULT 1 NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
            external_source TEXT,
            external_id TEXT,
            labels JSONB DEFAULT '{}'::jsonb NOT NULL,
            project_id UUID NOT NULL,
            task_id UUID,
            incurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
            amount NUMERIC NOT NULL,
            currency TEXT NOT NULL,
            category TEXT NOT NULL,
            description TEXT,
            reference TEXT,
            reversal_of UUID,
            CONSTRAINT cost_pkey PRIMARY KEY (org, id),
            CONSTRAINT cost_reversal_key UNIQUE (org, reversal_of),
            CONSTRAINT cost_external_key UNIQUE (org, project_id, external_source, external_id),
            CONSTRAINT cost_project_fkey FOREIGN KEY(org, project_id) REFERENCES project (org, id),
            CONSTRAINT cost_task_fkey FOREIGN KEY(org, task_id) REFERENCES task (org, id),
            CONSTRAINT cost_reversal_fkey FOREIGN KEY(org, reversal_of) REFERENCES cost (org, id)
        )
        """
    )
    op.execute("CREATE INDEX cost_created_at ON cost (org, project_id, created_at, id)")
    op.execute("CREATE INDEX cost_incurred_at ON cost (org, project_id, incurred_at, id)")
    op.execute("CREATE INDEX cost_task_id ON cost (org, task_id)")
    protect("cost")
    op.execute(
        """
        CREATE TABLE budget_line (
            org TEXT NOT NULL,
            id UUID NOT NULL,
            version INTEGER DEFAULT 1 NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
            external_source TEXT,
            external_id TEXT,
            labels JSONB DEFAULT '{}'::jsonb NOT NULL,
            project_id UUID NOT NULL,
            task_id UUID,
            period_start TIMESTAMP WITH TIME ZONE NOT NULL,
            period_end TIMESTAMP WITH TIME ZONE NOT NULL,
            amount NUMERIC NOT NULL,
            currency TEXT NOT NULL,
            description TEXT,
            CONSTRAINT budget_line_pkey PRIMARY KEY (org, id),
            CONSTRAINT budget_line_external_key UNIQUE (org, project_id, external_source, external_id),
            CONSTRAINT budget_line_project_fkey FOREIGN KEY(org, project_id) REFERENCES project (org, id),
            CONSTRAINT budget_line_task_fkey FOREIGN KEY(org, task_id) REFERENCES task (org, id)
        )
        """
    )
    op.execute("CREATE INDEX budget_line_created_at ON budget_line (org, project_id, created_at, id)")
    op.execute("CREATE INDEX budget_line_period_start ON budget_line (org, project_id, period_start, id)")
    op.execute("CREATE INDEX budget_line_task_id ON budget_line (org, task_id)")
    protect("budget_line")


def downgrade() -> None:
    op.drop_table("budget_line")
    op.drop_table("cost")
    op.drop_table("progress_report")
