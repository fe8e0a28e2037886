"""The tables of service requests: the requests, when each is to be looked at again, and what was told of it."""

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    cast,
    literal_column,
    text,
)

from chassis.reading import refuse_unknown
from chassis.resource import Instant, JsonDocument, Resource, columns_as_fields, tenant_table
from service_catalog.catalogue_items.directory import items_for
from service_catalog.metadata import METADATA

service_request = tenant_table(
    "service_request",
    METADATA,
    Column("catalogue_item_id", Uuid, nullable=False),
    Column("service_id", Uuid, nullable=False),
    Column("requester", Text, nullable=False),
    Column("requested_for", Text),
    Column("submitted_by", Text, nullable=False),
    Column("form", JsonDocument, nullable=False),
    Column("form_version", Integer),
    Column("comment", Text),
    Column("assigned_team", Text),
    Column("assignee", Text),
    Column("state", Text, nullable=False),
    Column("state_since", Instant, nullable=False),
    Column("hold_reason", Text),
    Column("approval_required", Boolean, nullable=False),
    Column("approver", Text),
    Column("approved_at", Instant),
    Column("decision_reason", Text),
    Column("cancellation_reason", Text),
    Column("submitted_at", Instant, nullable=False),
    Column("fulfilled_at", Instant),
    Column("outcome", Text),
    Column("fulfilment_target_minutes", Integer),
    Column("calendar_id", Uuid),
    ForeignKeyConstraint(
        ["org", "catalogue_item_id"],
        ["catalogue_item.org", "catalogue_item.id"],
        name="service_request_item_fkey",
    ),
    ForeignKeyConstraint(["org", "service_id"], ["service.org", "service.id"], name="service_request_service_fkey"),
    ForeignKeyConstraint(["org", "calendar_id"], ["calendar.org", "calendar.id"], name="service_request_calendar_fkey"),
    Index("service_request_calendar_id", "org", "calendar_id", postgresql_where=text("calendar_id IS NOT NULL")),
    Index("service_request_created_at", "org", "created_at", "id"),
    Index(
        "service_request_external_key",
        "org",
        "external_source",
        "external_id",
        unique=True,
        postgresql_where=text("external_id IS NOT NULL"),
    ),
    Index("service_request_item_id", "org", "catalogue_item_id", "created_at", "id"),
    Index("service_request_service_id", "org", "service_id", "created_at", "id"),
    Index("service_request_state", "org", "state", "created_at", "id"),
    Index("service_request_submitted_at", "org", "submitted_at", "id"),
    Index("service_request_updated_at", "org", "updated_at", "id"),
)

_OF_EVERY_RESOURCE = frozenset({"org", "id", "version", "created_at", "updated_at"})
COLUMNS = tuple(column.name for column in service_request.columns if column.name not in _OF_EVERY_RESOURCE)

service_request_timer = Table(
    "service_request_timer",
    METADATA,
    Column("org", Text, nullable=False),
    Column("service_request_id", Uuid, nullable=False),
    Column("due_at", Instant),
    PrimaryKeyConstraint("org", "service_request_id", name="service_request_timer_pkey"),
    Index("service_request_timer_due_at", "due_at", postgresql_where=text("due_at IS NOT NULL")),
)

fulfilment_notice = Table(
    "fulfilment_notice",
    METADATA,
    Column("org", Text, nullable=False),
    Column("service_request_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("told_at", Instant, nullable=False),
    PrimaryKeyConstraint("org", "service_request_id", "kind", name="fulfilment_notice_pkey"),
)


def _awaiting(approver: ColumnElement[Any]) -> ColumnElement[bool]:
    is_theirs = service_request.c.catalogue_item_id.in_(items_for(cast(approver, Text)))
    return (service_request.c.state == literal_column("'awaiting_approval'")) & is_theirs


SERVICE_REQUESTS = Resource(
    collection="service-requests",
    noun="service_request",
    filters={"awaiting": _awaiting},
    table=service_request,
    fields=columns_as_fields(service_request),
    sorts=("created_at", "updated_at", "submitted_at"),
    search=("comment", "requester", "requested_for"),
    constraints={
        "service_request_item_fkey": refuse_unknown("catalogue item", "/catalogue_item_id"),
        "service_request_service_fkey": refuse_unknown("service", "/catalogue_item_id"),
        "service_request_calendar_fkey": refuse_unknown("calendar", "/catalogue_item_id"),
    },
)
