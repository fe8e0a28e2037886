"""Work notes of incidents, and when what a notice of an SLA clock tells of happened."""

from alembic import op

from chassis.migrating import protect

revision = "20261125_01b"
down_revision = "20261125_01a"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE work_note (
            org TEXT NOT NULL,
            id UUID NOT NULL,
            version INTEGER DEFAULT 1 NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
            external_source TEXT,
            external_id TEXT,
            labels JSONB DEFAULT '{}'::jsonb NOT NULL,
            incident_id UUID NOT NULL,
            text TEXT NOT NULL,
            internal BOOLEAN NOT NULL,
            author TEXT NOT NULL,
            CONSTRAINT work_note_pkey PRIMARY KEY (org, id),
            CONSTRAINT work_note_incident_fkey FOREIGN KEY (org, incident_id) REFERENCES incident (org, id)
        )
        """
    )
    op.execute("CREATE INDEX work_note_incident_id ON work_note (org, incident_id, created_at, id)")
    protect("work_note")
    # Null of what was told before: those were told when, or soon after, it happened.
    op.execute("ALTER TABLE sla_notice ADD COLUMN at TIMESTAMP WITH TIME ZONE")


def downgrade() -> None:
    op.execute("ALTER TABLE sla_notice DROP COLUMN at")
    op.drop_table("work_note")
