"""Catalogue items."""

from alembic import op

from chassis.migrating import protect

revision = "20261125_06"
down_revision = "20261125_05b"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE catalogue_item (
            org TEXT NOT NULL,
            id UUID NOT NULL,
            version INTEGER DEFAULT 1 NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
            external_source TEXT,
            external_id TEXT,
            labels JSONB DEFAULT '{}'::jsonb NOT NULL,
            key TEXT NOT NULL,
            service_id UUID NOT NULL,
            name TEXT NOT NULL,
            description TEXT,
            state TEXT NOT NULL,
            form_schema JSONB,
            form_version INTEGER NOT NULL,
            approval_required BOOLEAN NOT NULL,
            approver TEXT,
            fulfilment_target_minutes INTEGER,
            calendar_id UUID,
            fulfilment_team TEXT,
            price_amount NUMERIC,
            price_currency TEXT,
            CONSTRAINT catalogue_item_pkey PRIMARY KEY (org, id),
            CONSTRAINT catalogue_item_key UNIQUE (org, key),
            CONSTRAINT catalogue_item_external_key UNIQUE (org, external_source, external_id),
            CONSTRAINT catalogue_item_service_fkey FOREIGN KEY (org, service_id) REFERENCES service (org, id),
            CONSTRAINT catalogue_item_calendar_fkey FOREIGN KEY (org, calendar_id) REFERENCES calendar (org, id)
        )
        """
    )
    op.execute("CREATE INDEX catalogue_item_calendar_id ON catalogue_item (org, calendar_id)")
    op.execute("CREATE INDEX catalogue_item_created_at ON catalogue_item (org, created_at, id)")
    op.execute("CREATE INDEX catalogue_item_name ON catalogue_item (org, name, id)")
    op.execute("CREATE INDEX catalogue_item_service_id ON catalogue_item (org, service_id, created_at, id)")
    op.execute("CREATE INDEX catalogue_item_updated_at ON catalogue_item (org, updated_at, id)")
    protect("catalogue_item")


def downgrade() -> None:
    op.drop_table("catalogue_item")
