"""Dependencies between services."""

from alembic import op

from chassis.migrating import protect

revision = "20260302_12b"
down_revision = "20260302_12"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE service_dependency (
            org TEXT NOT NULL,
            id UUID NOT NULL,
            version INTEGER DEFAULT 1 NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
            external_source TEXT,
            external_id TEXT,
            labels JSONB DEFAULT '{}'::jsonb NOT NULL,
            service_id UUID NOT NULL,
            depends_on_id UUID NOT NULL,
            type TEXT NOT NULL,
            description TEXT,
            CONSTRAINT service_dependency_pkey PRIMARY KEY (org, id),
            CONSTRAINT service_dependency_ends UNIQUE (org, service_id, depends_on_id),
            CONSTRAINT service_dependency_external_key UNIQUE (org, external_source, external_id),
            CONSTRAINT service_dependency_service_fkey FOREIGN KEY (org, service_id) REFERENCES service (org, id),
            CONSTRAINT service_dependency_depends_on_fkey
                FOREIGN KEY (org, depends_on_id) REFERENCES service (org, id),
            CONSTRAINT service_dependency_not_itself CHECK (service_id <> depends_on_id)
        )
        """
    )
    op.execute("CREATE INDEX service_dependency_created_at ON service_dependency (org, service_id, created_at, id)")
    op.execute("CREATE INDEX service_dependency_down ON service_dependency (org, service_id, type, depends_on_id)")
    op.execute("CREATE INDEX service_dependency_up ON service_dependency (org, depends_on_id, type, service_id)")
    protect("service_dependency")


def downgrade() -> None:
    op.drop_table("service_dependency")
