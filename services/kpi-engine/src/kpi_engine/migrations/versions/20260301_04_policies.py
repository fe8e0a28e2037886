"""The policies of organisations."""

from alembic import op

from chassis.migrating import protect

revision = "20260301_04"
down_revision = "20260301_03"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE policy (
            org TEXT NOT NULL,
            id UUID NOT NULL,
            version INTEGER DEFAULT 1 NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
            external_source TEXT,
            external_id TEXT,
            labels JSONB DEFAULT '{}'::jsonb NOT NULL,
            valid_from TIMESTAMP WITH TIME ZONE,
            weight_major NUMERIC NOT NULL,
            weight_partial NUMERIC NOT NULL,
            weight_degraded NUMERIC NOT NULL,
            maintenance_notice_minutes INTEGER NOT NULL,
            milestone_tolerance_days INTEGER NOT NULL,
            CONSTRAINT policy_pkey PRIMARY KEY (org, id),
            CONSTRAINT policy_valid_from_key UNIQUE NULLS NOT DISTINCT (org, valid_from),
            CONSTRAINT policy_external_key UNIQUE (org, external_source, external_id)
        )
        """
    )
    protect("policy")


def downgrade() -> None:
    op.drop_table("policy")
