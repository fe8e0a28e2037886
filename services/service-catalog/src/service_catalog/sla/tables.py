"""The tables of the timers: when an incident is to be looked at again, and what was told of it."""

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, Text, Uuid, text

from chassis.resource import Instant
from service_catalog.metadata import METADATA

incident_timer = Table(
    "incident_timer",
    METADATA,
    Column("org", Text, nullable=False),
    Column("incident_id", Uuid, nullable=False),
    Column("service_id", Uuid, nullable=False),
    Column("due_at", Instant),
    PrimaryKeyConstraint("org", "incident_id", name="incident_timer_pkey"),
    Index("incident_timer_due_at", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    Index("incident_timer_service_id", "org", "service_id"),
)

sla_notice = Table(
    "sla_notice",
    METADATA,
    Column("org", Text, nullable=False),
    Column("incident_id", Uuid, nullable=False),
    Column("metric", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("told_at", Instant, nullable=False),
    Column("at", Instant),
    PrimaryKeyConstraint("org", "incident_id", "metric", "priority", "kind", name="sla_notice_pkey"),
)
