"""Service requests, and the timers of their fulfilment."""

from alembic import op

from chassis.migrating import protect

revision = "20261125_07"
down_revision = "20261125_06"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE service_request (
            org TEXT NOT NULL,
            id UUID NOT NULL,
            version INTEGER DEFAULT 1 NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
            external_source TEXT,
            external_id TEXT,
            labels JSONB DEFAULT '{}'::jsonb NOT NULL,
            catalogue_item_id UUID NOT NULL,
            service_id UUID NOT NULL,
            requester TEXT NOT NULL,
            requested_for TEXT,
            submitted_by TEXT NOT NULL,
            form JSONB NOT NULL,
            form_version INTEGER,
            comment TEXT,
            assigned_team TEXT,
            assignee TEXT,
            state TEXT NOT NULL,
            state_since TIMESTAMP WITH TIME ZONE NOT NULL,
            hold_reason TEXT,
            approval_required BOOLEAN NOT NULL,
            approver TEXT,
            approved_at TIMESTAMP WITH TIME ZONE,
            decision_reason TEXT,
            cancellation_reason TEXT,
            submitted_at TIMESTAMP WITH TIME ZONE NOT NULL,
            fulfilled_at TIMESTAMP WITH TIME ZONE,
            outcome TEXT,
            fulfilment_target_minutes INTEGER,
            calendar_id UUID,
            CONSTRAINT service_request_pkey PRIMARY KEY (org, id),
            CONSTRAINT service_request_item_fkey
                FOREIGN KEY (org, catalogue_item_id) REFERENCES catalogue_item (org, id),
            CONSTRAINT service_request_service_fkey FOREIGN KEY (org, service_id) REFERENCES service (org, id),
            CONSTRAINT service_request_calendar_fkey FOREIGN KEY (org, calendar_id) REFERENCES calendar (org, id)
        )
        """
    )
    op.execute(
        "CREATE INDEX service_request_calendar_id ON service_request (org, calendar_id) WHERE calendar_id IS NOT NULL"
    )
    op.execute("CREATE INDEX service_request_created_at ON service_request (org, created_at, id)")
    op.execute(
        "CREATE UNIQUE INDEX service_request_external_key ON service_request (org, external_source, external_id)"
        " WHERE external_id IS NOT NULL"
    )
    op.execute("CREATE INDEX service_request_item_id ON service_request (org, catalogue_item_id, created_at, id)")
    op.execute("CREATE INDEX service_request_service_id ON service_request (org, service_id, created_at, id)")
    op.execute("CREATE INDEX service_request_state ON service_request (org, state, created_at, id)")
    op.execute("CREATE INDEX service_request_submitted_at ON service_request (org, submitted_at, id)")
    op.execute("CREATE INDEX service_request_updated_at ON service_request (org, updated_at, id)")
    protect("service_request")
    op.execute(
        """
        CREATE TABLE service_request_timer (
            org TEXT NOT NULL,
            service_request_id UUID NOT NULL,
            due_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT service_request_timer_pkey PRIMARY KEY (org, service_request_id)
        )
        """
    )
    op.execute("CREATE INDEX service_request_timer_due_at ON service_request_timer (due_at) WHERE due_at IS NOT NULL")
    protect("service_request_timer", worker_sees="everything", runtime=("SELECT", "INSERT", "UPDATE"))
    op.execute(
        """
        CREATE TABLE fulfilment_notice (
            org TEXT NOT NULL,
            service_request_id UUID NOT NULL,
            kind TEXT NOT NULL,
            told_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT fulfilment_notice_pkey PRIMARY KEY (org, service_request_id, kind)
        )
        """
    )
    protect("fulfilment_notice", runtime=("SELECT",), worker=("SELECT", "INSERT"))


def downgrade() -> None:
    op.drop_table("fulfilment_notice")
    op.drop_table("service_request_timer")
    op.drop_table("service_request")
