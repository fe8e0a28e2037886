"""Acceptance criteria, and until when a service has early-life support."""

from alembic import op

from chassis.migrating import protect

revision = "20260302_12c"
down_revision = "20260302_12b"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE acceptance_criterion (
            org TEXT NOT NULL,
            id UUID NOT NULL,
            version INTEGER DEFAULT 1 NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
            external_source TEXT,
            external_id TEXT,
            labels JSONB DEFAULT '{}'::jsonb NOT NULL,
            service_id UUID NOT NULL,
            dimension TEXT NOT NULL,
            text TEXT NOT NULL,
            mandatory BOOLEAN NOT NULL,
            status TEXT NOT NULL,
            evidence JSONB NOT NULL,
            decided_at TIMESTAMP WITH TIME ZONE,
            decision_reason TEXT,
            approver TEXT,
            CONSTRAINT acceptance_criterion_pkey PRIMARY KEY (org, id),
            CONSTRAINT acceptance_criterion_external_key UNIQUE (org, external_source, external_id),
            CONSTRAINT acceptance_criterion_service_fkey FOREIGN KEY (org, service_id) REFERENCES service (org, id)
        )
        """
    )
    op.execute("CREATE INDEX acceptance_criterion_service_id ON acceptance_criterion (org, service_id, created_at, id)")
    protect("acceptance_criterion")
    op.execute("ALTER TABLE service ADD COLUMN early_life_support_ends_on DATE")


def downgrade() -> None:
    op.execute("ALTER TABLE service DROP COLUMN early_life_support_ends_on")
    op.drop_table("acceptance_criterion")
