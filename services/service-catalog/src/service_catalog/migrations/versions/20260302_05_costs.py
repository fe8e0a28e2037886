"""Costs of services."""

from alembic import op

from chassis.migrating import protect

revision = "20260302_05"
down_revision = "20260301_04"


def upgrade() -> None:
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
            service_id UUID NOT NULL,
            category TEXT NOT NULL,
            nature TEXT NOT NULL,
            amount NUMERIC NOT NULL,
            currency TEXT NOT NULL,
            period_start DATE NOT NULL,
            period_end DATE NOT NULL,
            useful_life_months INTEGER,
            vendor TEXT,
            reference TEXT,
            description TEXT,
            reversal_of UUID,
            CONSTRAINT cost_pkey PRIMARY KEY (org, id),
            CONSTRAINT cost_reversal_key UNIQUE (org, reversal_of),
            CONSTRAINT cost_service_fkey FOREIGN KEY(org, service_id) REFERENCES service (org, id),
            CONSTRAINT cost_reversal_fkey FOREIGN KEY(org, reversal_of) REFERENCES cost (org, id)
        )
        """
    )
    op.execute("CREATE INDEX cost_created_at ON cost (org, created_at, id)")
    op.execute(
        "CREATE UNIQUE INDEX cost_external_key ON cost (org, external_source, external_id)"
        " WHERE external_id IS NOT NULL"
    )
    op.execute("CREATE INDEX cost_period_start ON cost (org, period_start, id)")
    op.execute("CREATE INDEX cost_service_id ON cost (org, service_id, period_start, id)")
    op.execute("CREATE INDEX cost_updated_at ON cost (org, updated_at, id)")
    protect("cost")


def downgrade() -> None:
    op.drop_table("cost")
