"""Survey invitations and responses."""

from alembic import op

from chassis.migrating import protect

revision = "20260302_13"
down_revision = "20260302_12c"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE survey_invitation (
            org TEXT NOT NULL,
            id UUID NOT NULL,
            version INTEGER DEFAULT 1 NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
            external_source TEXT,
            external_id TEXT,
            labels JSONB DEFAULT '{}'::jsonb NOT NULL,
            service_id UUID NOT NULL,
            incident_id UUID,
            recipient TEXT,
            expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT survey_invitation_pkey PRIMARY KEY (org, id),
            CONSTRAINT survey_invitation_service_fkey FOREIGN KEY(org, service_id) REFERENCES service (org, id),
            CONSTRAINT survey_invitation_incident_fkey FOREIGN KEY(org, incident_id) REFERENCES incident (org, id)
        )
        """
    )
    op.execute("CREATE INDEX survey_invitation_created_at ON survey_invitation (org, created_at, id)")
    op.execute(
        "CREATE UNIQUE INDEX survey_invitation_external_key ON survey_invitation (org, external_source, external_id)"
        " WHERE external_id IS NOT NULL"
    )
    op.execute(
        "CREATE INDEX survey_invitation_incident_id ON survey_invitation (org, incident_id)"
        " WHERE incident_id IS NOT NULL"
    )
    op.execute("CREATE INDEX survey_invitation_service_id ON survey_invitation (org, service_id, created_at, id)")
    op.execute("CREATE INDEX survey_invitation_updated_at ON survey_invitation (org, updated_at, id)")
    protect("survey_invitation")
    op.execute(
        """
        CREATE TABLE survey_response (
            org TEXT NOT NULL,
            id UUID NOT NULL,
            version INTEGER DEFAULT 1 NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
            external_source TEXT,
            external_id TEXT,
            labels JSONB DEFAULT '{}'::jsonb NOT NULL,
            service_id UUID NOT NULL,
            incident_id UUID,
            invitation_id UUID,
            score INTEGER NOT NULL,
            comment TEXT,
            answered_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT survey_response_pkey PRIMARY KEY (org, id),
            CONSTRAINT survey_response_invitation_key UNIQUE (org, invitation_id),
            CONSTRAINT survey_response_service_fkey FOREIGN KEY(org, service_id) REFERENCES service (org, id),
            CONSTRAINT survey_response_incident_fkey FOREIGN KEY(org, incident_id) REFERENCES incident (org, id),
            CONSTRAINT survey_response_invitation_fkey FOREIGN KEY(org, invitation_id)
                REFERENCES survey_invitation (org, id)
        )
        """
    )
    op.execute("CREATE INDEX survey_response_answered_at ON survey_response (org, answered_at, id)")
    op.execute("CREATE INDEX survey_response_created_at ON survey_response (org, created_at, id)")
    op.execute(
        "CREATE UNIQUE INDEX survey_response_external_key ON survey_response (org, external_source, external_id)"
        " WHERE external_id IS NOT NULL"
    )
    op.execute(
        "CREATE INDEX survey_response_incident_id ON survey_response (org, incident_id) WHERE incident_id IS NOT NULL"
    )
    op.execute("CREATE INDEX survey_response_service_id ON survey_response (org, service_id, answered_at, id)")
    op.execute("CREATE INDEX survey_response_updated_at ON survey_response (org, updated_at, id)")
    protect("survey_response")


def downgrade() -> None:
    op.drop_table("survey_response")
    op.drop_table("survey_invitation")
