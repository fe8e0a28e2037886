"""The table of service levels."""

from typing import Any

from sqlalchemy import Column, ColumnElement, ForeignKeyConstraint, Index, Numeric, Text, UniqueConstraint, Uuid, cast

from chassis.reading import refuse_unknown
from chassis.resource import Instant, Resource, columns_as_fields, tenant_table
from service_catalog.metadata import METADATA

service_level = tenant_table(
    "service_level",
    METADATA,
    Column("service_id", Uuid, nullable=False),
    Column("metric", Text, nullable=False),
    Column("target", Numeric, nullable=False),
    Column("priority", Text),
    Column("calendar_id", Uuid),
    Column("valid_from", Instant),
    Column("valid_to", Instant),
    UniqueConstraint("org", "external_source", "external_id", name="service_level_external_key"),
    ForeignKeyConstraint(["org", "service_id"], ["service.org", "service.id"], name="service_level_service_fkey"),
    ForeignKeyConstraint(["org", "calendar_id"], ["calendar.org", "calendar.id"], name="service_level_calendar_fkey"),
    Index("service_level_calendar_id", "org", "calendar_id"),
    Index("service_level_created_at", "org", "created_at", "id"),
    Index("service_level_service_id", "org", "service_id", "metric", "priority"),
    Index("service_level_updated_at", "org", "updated_at", "id"),
)


def _in_force(moment: ColumnElement[Any]) -> ColumnElement[bool]:
    at = cast(moment, Instant)
    starts, ends = service_level.c.valid_from, service_level.c.valid_to
    return (starts.is_(None) | (starts <= at)) & (ends.is_(None) | (ends > at))


SERVICE_LEVELS = Resource(
    collection="service-levels",
    noun="service_level",
    table=service_level,
    fields=columns_as_fields(service_level),
    sorts=("created_at", "updated_at"),
    filters={"in_force_at": _in_force},
    constraints={
        "service_level_service_fkey": refuse_unknown("service", "/service_id"),
        "service_level_calendar_fkey": refuse_unknown("calendar", "/calendar_id"),
    },
)
