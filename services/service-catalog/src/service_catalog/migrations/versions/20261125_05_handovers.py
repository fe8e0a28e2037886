"""Handovers."""

from alembic import op

from chassis.migrating import protect

revision = "20261125_05"
down_revision = "20261125_01b"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE handover (
            org TEXT NOT NULL,
            id UUID NOT NULL,
            version INTEGER DEFAULT 1 NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
            external_source TEXT,
            external_id TEXT,
            labels JSONB DEFAULT '{}'::jsonb NOT NULL,
            service_id UUID NOT NULL,
            project_id UUID NOT NULL,
            project_key TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            state TEXT NOT NULL,
            requested_by TEXT NOT NULL,
            requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
            deliverables JSONB NOT NULL,
            service_levels JSONB NOT NULL,
            acceptance_criteria JSONB NOT NULL,
            support_documents JSONB NOT NULL,
            known_errors JSONB NOT NULL,
            residual_risks JSONB NOT NULL,
            early_life_support_end DATE,
            early_life_support_exit_criteria JSONB NOT NULL,
            decided_at TIMESTAMP WITH TIME ZONE,
            decided_by TEXT,
            decision_reason TEXT,
            conditions JSONB NOT NULL,
            unmet_criteria JSONB NOT NULL,
            CONSTRAINT handover_pkey PRIMARY KEY (org, id),
            CONSTRAINT handover_service_fkey FOREIGN KEY (org, service_id) REFERENCES service (org, id)
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX handover_attempt ON handover (org, project_id, attempt)")
    op.execute("CREATE INDEX handover_created_at ON handover (org, created_at, id)")
    op.execute(
        "CREATE UNIQUE INDEX handover_external_key ON handover (org, external_source, external_id)"
        " WHERE external_id IS NOT NULL"
    )
    op.execute("CREATE INDEX handover_requested_at ON handover (org, requested_at, id)")
    op.execute("CREATE INDEX handover_service_id ON handover (org, service_id, created_at, id)")
    op.execute("CREATE INDEX handover_state ON handover (org, state, created_at, id)")
    op.execute("CREATE UNIQUE INDEX handover_undecided ON handover (org, project_id) WHERE state = 'requested'")
    op.execute("CREATE INDEX handover_updated_at ON handover (org, updated_at, id)")
    protect("handover")


def downgrade() -> None:
    op.drop_table("handover")
