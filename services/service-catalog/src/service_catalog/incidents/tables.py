"""The table of incidents."""

from dataclasses import replace

from sqlalchemy import BigInteger, Boolean, Column, ForeignKeyConstraint, Index, Integer, Text, Uuid, text

from chassis.reading import refuse_unknown
from chassis.rejection import Rejection
from chassis.resource import Instant, Resource, columns_as_fields, tenant_table
from service_catalog.metadata import METADATA

_UNRESOLVED = text("state IN ('new', 'acknowledged', 'in_progress', 'on_hold')")

incident = tenant_table(
    "incident",
    METADATA,
    Column("service_id", Uuid, nullable=False),
    Column("title", Text, nullable=False),
    Column("description", Text),
    Column("state", Text, nullable=False),
    Column("state_since", Instant, nullable=False),
    Column("impact", Text, nullable=False),
    Column("urgency", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("major", Boolean, nullable=False),
    Column("caller", Text),
    Column("reported_by", Text, nullable=False),
    Column("assigned_team", Text),
    Column("assignee", Text),
    Column("parent_id", Uuid),
    Column("problem_id", Uuid),
    Column("dedup_key", Text),
    Column("factor", Text),
    Column("resolution", Text),
    Column("hold_reason", Text),
    Column("cancel_reason", Text),
    Column("occurred_at", Instant, nullable=False),
    Column("acknowledged_at", Instant),
    Column("resolved_at", Instant),
    Column("closed_at", Instant),
    Column("reopened_count", Integer, nullable=False),
    Column("resolved_before_reopening_seconds", BigInteger, nullable=False),
    ForeignKeyConstraint(["org", "service_id"], ["service.org", "service.id"], name="incident_service_fkey"),
    ForeignKeyConstraint(["org", "parent_id"], ["incident.org", "incident.id"], name="incident_parent_fkey"),
    ForeignKeyConstraint(["org", "problem_id"], ["problem.org", "problem.id"], name="incident_problem_fkey"),
    Index("incident_created_at", "org", "created_at", "id"),
    Index(
        "incident_dedup_key",
        "org",
        "dedup_key",
        unique=True,
        postgresql_where=text(f"dedup_key IS NOT NULL AND {_UNRESOLVED}"),
    ),
    Index(
        "incident_external_key",
        "org",
        "external_source",
        "external_id",
        unique=True,
        postgresql_where=text("external_id IS NOT NULL"),
    ),
    Index("incident_occurred_at", "org", "occurred_at", "id"),
    Index("incident_parent_id", "org", "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
    Index(
        "incident_problem_id", "org", "problem_id", "created_at", "id", postgresql_where=text("problem_id IS NOT NULL")
    ),
    Index("incident_service_id", "org", "service_id", "occurred_at", "id"),
    Index("incident_unresolved", "org", "service_id", "state", postgresql_where=_UNRESOLVED),
    Index("incident_updated_at", "org", "updated_at", "id"),
)

INCIDENTS = Resource(
    collection="incidents",
    noun="incident",
    table=incident,
    fields=columns_as_fields(incident),
    sorts=("created_at", "updated_at", "occurred_at"),
    search=("title", "description"),
    constraints={
        "incident_service_fkey": refuse_unknown("service", "/service_id"),
        "incident_parent_fkey": refuse_unknown("incident", "/parent_id"),
        "incident_problem_fkey": refuse_unknown("problem", "/problem_id"),
        "incident_dedup_key": Rejection(
            "conflict", "dedup-key-taken", "Another unresolved incident carries this dedup_key."
        ),
        "outage_incident_fkey": Rejection("conflict", "incident-in-use", "An outage belongs to this incident."),
    },
)

# What else happened to an incident is a history of its own, beside that of its states: the priorities it went through,
# whose it was, which incident it became a part of, which became parts of it, and which problem it belonged to, with
# what it was told of that.
PRIORITIES = replace(INCIDENTS, collection="incident-priorities")
HANDLING = replace(INCIDENTS, collection="incident-handling")
PARENT_LINKS = replace(INCIDENTS, collection="incident-parents")
CHILD_LINKS = replace(INCIDENTS, collection="incident-children")
PROBLEM_LINKS = replace(INCIDENTS, collection="incident-problems")
