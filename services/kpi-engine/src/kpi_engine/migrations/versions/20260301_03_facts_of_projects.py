"""Facts of projects."""

from alembic import op

from chassis.migrating import protect

revision = "20260301_03"
down_revision = "20260301_02"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE project_fact (
            org TEXT NOT NULL,
            projection INTEGER NOT NULL,
            id UUID NOT NULL,
            source TEXT NOT NULL,
            epoch INTEGER NOT NULL,
            version BIGINT NOT NULL,
            deleted BOOLEAN NOT NULL,
            key TEXT NOT NULL,
            name TEXT NOT NULL,
            currency TEXT NOT NULL,
            calendar_id UUID,
            start_at TIMESTAMP WITH TIME ZONE,
            deadline_at TIMESTAMP WITH TIME ZONE,
            state TEXT NOT NULL,
            outcome TEXT,
            ended_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT project_fact_pkey PRIMARY KEY (org, projection, id)
        )
        """
    )
    protect("project_fact", runtime=("SELECT", "INSERT", "UPDATE"))
    op.execute(
        """
        CREATE TABLE baseline_fact (
            org TEXT NOT NULL,
            projection INTEGER NOT NULL,
            id UUID NOT NULL,
            source TEXT NOT NULL,
            epoch INTEGER NOT NULL,
            version BIGINT NOT NULL,
            deleted BOOLEAN NOT NULL,
            project_id UUID NOT NULL,
            number INTEGER,
            approved_at TIMESTAMP WITH TIME ZONE,
            task_count INTEGER NOT NULL,
            management_reserve NUMERIC DEFAULT 0 NOT NULL,
            calendar JSONB,
            CONSTRAINT baseline_fact_pkey PRIMARY KEY (org, projection, id)
        )
        """
    )
    op.execute("CREATE INDEX baseline_fact_project ON baseline_fact (org, projection, project_id)")
    protect("baseline_fact", runtime=("SELECT", "INSERT", "UPDATE"))
    op.execute(
        """
        CREATE TABLE baseline_task_fact (
            org TEXT NOT NULL,
            projection INTEGER NOT NULL,
            id UUID NOT NULL,
            source TEXT NOT NULL,
            epoch INTEGER NOT NULL,
            version BIGINT NOT NULL,
            deleted BOOLEAN NOT NULL,
            baseline_id UUID NOT NULL,
            task_id UUID NOT NULL,
            wbs TEXT NOT NULL,
            name TEXT,
            kind TEXT NOT NULL,
            start TIMESTAMP WITH TIME ZONE NOT NULL,
            finish TIMESTAMP WITH TIME ZONE NOT NULL,
            budget NUMERIC NOT NULL,
            fixed_budget NUMERIC NOT NULL,
            fixed_accrual TEXT NOT NULL,
            earning_rule TEXT NOT NULL,
            milestone_weights NUMERIC[],
            CONSTRAINT baseline_task_fact_pkey PRIMARY KEY (org, projection, id),
            CONSTRAINT baseline_task_fact_kind_known CHECK (kind IN ('task', 'milestone', 'summary')),
            CONSTRAINT baseline_task_fact_fixed_accrual_known CHECK (fixed_accrual IN ('start', 'prorated', 'end')),
            CONSTRAINT baseline_task_fact_earning_rule_known CHECK (earning_rule IN (
                'percent_complete', 'zero_hundred', 'fifty_fifty', 'twenty_eighty', 'weighted_milestones',
                'level_of_effort'
            )),
            CONSTRAINT baseline_task_fact_span CHECK (finish >= start)
        )
        """
    )
    op.execute("CREATE INDEX baseline_task_fact_baseline ON baseline_task_fact (org, projection, baseline_id)")
    protect("baseline_task_fact", runtime=("SELECT", "INSERT", "UPDATE"))
    op.execute(
        """
        CREATE TABLE task_fact (
            org TEXT NOT NULL,
            projection INTEGER NOT NULL,
            id UUID NOT NULL,
            source TEXT NOT NULL,
            epoch INTEGER NOT NULL,
            version BIGINT NOT NULL,
            deleted BOOLEAN NOT NULL,
            project_id UUID NOT NULL,
            wbs TEXT NOT NULL,
            name TEXT NOT NULL,
            kind TEXT NOT NULL,
            actual_start_at TIMESTAMP WITH TIME ZONE,
            actual_finish_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT task_fact_pkey PRIMARY KEY (org, projection, id)
        )
        """
    )
    op.execute("CREATE INDEX task_fact_project ON task_fact (org, projection, project_id)")
    protect("task_fact", runtime=("SELECT", "INSERT", "UPDATE"))
    op.execute(
        """
        CREATE TABLE progress_report_fact (
            org TEXT NOT NULL,
            projection INTEGER NOT NULL,
            id UUID NOT NULL,
            source TEXT NOT NULL,
            epoch INTEGER NOT NULL,
            version BIGINT NOT NULL,
            deleted BOOLEAN NOT NULL,
            project_id UUID NOT NULL,
            task_id UUID NOT NULL,
            status_at TIMESTAMP WITH TIME ZONE NOT NULL,
            percent_complete NUMERIC NOT NULL,
            CONSTRAINT progress_report_fact_pkey PRIMARY KEY (org, projection, id),
            CONSTRAINT progress_report_fact_percent CHECK (percent_complete BETWEEN 0 AND 100)
        )
        """
    )
    op.execute(
        "CREATE INDEX progress_report_fact_project ON progress_report_fact (org, projection, project_id, status_at)"
    )
    protect("progress_report_fact", runtime=("SELECT", "INSERT", "UPDATE"))
    op.execute(
        """
        CREATE TABLE project_cost_fact (
            org TEXT NOT NULL,
            projection INTEGER NOT NULL,
            id UUID NOT NULL,
            source TEXT NOT NULL,
            epoch INTEGER NOT NULL,
            version BIGINT NOT NULL,
            deleted BOOLEAN NOT NULL,
            project_id UUID NOT NULL,
            task_id UUID,
            incurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
            amount NUMERIC NOT NULL,
            currency TEXT NOT NULL,
            category TEXT,
            CONSTRAINT project_cost_fact_pkey PRIMARY KEY (org, projection, id)
        )
        """
    )
    op.execute("CREATE INDEX project_cost_fact_project ON project_cost_fact (org, projection, project_id, incurred_at)")
    protect("project_cost_fact", runtime=("SELECT", "INSERT", "UPDATE"))
    op.execute(
        """
        CREATE TABLE budget_line_fact (
            org TEXT NOT NULL,
            projection INTEGER NOT NULL,
            id UUID NOT NULL,
            source TEXT NOT NULL,
            epoch INTEGER NOT NULL,
            version BIGINT NOT NULL,
            deleted BOOLEAN NOT NULL,
            project_id UUID NOT NULL,
            task_id UUID,
            period_start TIMESTAMP WITH TIME ZONE NOT NULL,
            period_end TIMESTAMP WITH TIME ZONE NOT NULL,
            amount NUMERIC NOT NULL,
            CONSTRAINT budget_line_fact_pkey PRIMARY KEY (org, projection, id),
            CONSTRAINT budget_line_fact_span CHECK (period_end >= period_start)
        )
        """
    )
    op.execute("CREATE INDEX budget_line_fact_project ON budget_line_fact (org, projection, project_id)")
    protect("budget_line_fact", runtime=("SELECT", "INSERT", "UPDATE"))


def downgrade() -> None:
    op.drop_table("budget_line_fact")
    op.drop_table("project_cost_fact")
    op.drop_table("progress_report_fact")
    op.drop_table("task_fact")
    op.drop_table("baseline_task_fact")
    op.drop_table("baseline_fact")
    op.drop_table("project_fact")
