"""Baselines and the tasks frozen in them."""

from alembic import op

from chassis.migrating import protect

revision = "20260301_04"
down_revision = "20260301_03"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE baseline (
            org TEXT NOT NULL,
            id UUID NOT NULL,
            version INTEGER DEFAULT 1 NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
            external_source TEXT,
            external_id TEXT,
            labels JSONB DEFAULT '{}'::jsonb NOT NULL,
            project_id UUID NOT NULL,
            number INTEGER NOT NULL,
            name TEXT,
            reason TEXT,
            currency TEXT NOT NULL,
            bac NUMERIC NOT NULL,
            management_reserve NUMERIC NOT NULL,
            task_count INTEGER NOT NULL,
            start TIMESTAMP WITH TIME ZONE NOT NULL,
            finish TIMESTAMP WITH TIME ZONE NOT NULL,
            calendar_id UUID,
            calendar JSONB NOT NULL,
            approved_at TIMESTAMP WITH TIME ZONE,
            approved_by TEXT,
            CONSTRAINT baseline_pkey PRIMARY KEY (org, id),
            CONSTRAINT baseline_number_key UNIQUE (org, project_id, number),
            CONSTRAINT baseline_external_key UNIQUE (org, project_id, external_source, external_id),
            CONSTRAINT baseline_project_fkey FOREIGN KEY(org, project_id) REFERENCES project (org, id)
        )
        """
    )
    op.execute("CREATE INDEX baseline_created_at ON baseline (org, project_id, created_at, id)")
    protect("baseline")
    op.execute(
        """
        CREATE TABLE baseline_task (
            org TEXT NOT NULL,
            id UUID NOT NULL,
            version INTEGER DEFAULT 1 NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
            external_source TEXT,
            external_id TEXT,
            labels JSONB DEFAULT '{}'::jsonb NOT NULL,
            project_id UUID NOT NULL,
            baseline_id UUID NOT NULL,
            task_id UUID NOT NULL,
            parent_id UUID,
            wbs TEXT NOT NULL,
            name TEXT NOT NULL,
            kind TEXT NOT NULL,
            start TIMESTAMP WITH TIME ZONE NOT NULL,
            finish TIMESTAMP WITH TIME ZONE NOT NULL,
            duration TEXT,
            currency TEXT NOT NULL,
            budget NUMERIC NOT NULL,
            fixed_budget NUMERIC NOT NULL,
            fixed_accrual TEXT NOT NULL,
            earning_rule TEXT NOT NULL,
            CONSTRAINT baseline_task_pkey PRIMARY KEY (org, id),
            CONSTRAINT baseline_task_baseline_fkey FOREIGN KEY(org, baseline_id) REFERENCES baseline (org, id),
            CONSTRAINT baseline_task_key UNIQUE (org, baseline_id, task_id)
        )
        """
    )
    op.execute("CREATE INDEX baseline_task_wbs ON baseline_task (org, baseline_id, wbs, id)")
    protect("baseline_task")


def downgrade() -> None:
    op.drop_table("baseline_task")
    op.drop_table("baseline")
