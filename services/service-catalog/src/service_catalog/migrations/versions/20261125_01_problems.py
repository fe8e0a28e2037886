"""Problems, and which of them an incident belongs to."""

from alembic import op

from chassis.migrating import protect

revision = "20261125_01"
down_revision = "20261125_00b"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE problem (
            org TEXT NOT NULL,
            id UUID NOT NULL,
            version INTEGER DEFAULT 1 NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
            external_source TEXT,
            external_id TEXT,
            labels JSONB DEFAULT '{}'::jsonb NOT NULL,
            service_id UUID NOT NULL,
            title TEXT NOT NULL,
            description TEXT,
            state TEXT NOT NULL,
            state_since TIMESTAMP WITH TIME ZONE NOT NULL,
            impact TEXT NOT NULL,
            urgency TEXT NOT NULL,
            priority TEXT NOT NULL,
            owner TEXT,
            factor TEXT,
            root_cause TEXT,
            workaround TEXT,
            resolution TEXT,
            cancellation_reason TEXT,
            identified_at TIMESTAMP WITH TIME ZONE NOT NULL,
            known_error_at TIMESTAMP WITH TIME ZONE,
            resolved_at TIMESTAMP WITH TIME ZONE,
            closed_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT problem_pkey PRIMARY KEY (org, id),
            CONSTRAINT problem_service_fkey FOREIGN KEY (org, service_id) REFERENCES service (org, id)
        )
        """
    )
    op.execute("CREATE INDEX problem_created_at ON problem (org, created_at, id)")
    op.execute(
        "CREATE UNIQUE INDEX problem_external_key ON problem (org, external_source, external_id)"
        " WHERE external_id IS NOT NULL"
    )
    op.execute("CREATE INDEX problem_identified_at ON problem (org, identified_at, id)")
    op.execute("CREATE INDEX problem_service_id ON problem (org, service_id, created_at, id)")
    op.execute("CREATE INDEX problem_state ON problem (org, state, created_at, id)")
    op.execute("CREATE INDEX problem_updated_at ON problem (org, updated_at, id)")
    protect("problem")
    op.execute("ALTER TABLE incident ADD COLUMN problem_id UUID")
    op.execute(
        "ALTER TABLE incident ADD CONSTRAINT incident_problem_fkey"
        " FOREIGN KEY (org, problem_id) REFERENCES problem (org, id) NOT VALID"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE incident DROP COLUMN problem_id")
    op.drop_table("problem")
