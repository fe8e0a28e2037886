"""Things."""

from alembic import op

from chassis.migrating import protect

revision = "20260101_02"
down_revision = "20260101_01"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE thing (
            org text NOT NULL,
            id uuid NOT NULL,
            version integer DEFAULT 1 NOT NULL,
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            external_source text,
            external_id text,
            labels jsonb DEFAULT '{}'::jsonb NOT NULL,
            name text NOT NULL,
            CONSTRAINT thing_pkey PRIMARY KEY (org, id)
        )
        """
    )
    protect("thing")


def downgrade() -> None:
    op.drop_table("thing")
