"""The table of work notes."""

from sqlalchemy import Boolean, Column, ForeignKeyConstraint, Index, Text, Uuid

from chassis.reading import refuse_unknown
from chassis.resource import Resource, columns_as_fields, tenant_table
from service_catalog.metadata import METADATA

work_note = tenant_table(
    "work_note",
    METADATA,
    Column("incident_id", Uuid, nullable=False),
    Column("text", Text, nullable=False),
    Column("internal", Boolean, nullable=False),
    Column("author", Text, nullable=False),
    ForeignKeyConstraint(["org", "incident_id"], ["incident.org", "incident.id"], name="work_note_incident_fkey"),
    Index("work_note_incident_id", "org", "incident_id", "created_at", "id"),
)

WORK_NOTES = Resource(
    collection="work-notes",
    noun="work_note",
    table=work_note,
    fields=columns_as_fields(work_note, leaving_out=frozenset({"external_source", "external_id", "labels"})),
    search=("text",),
    under=("incidents", "incident_id"),
    constraints={"work_note_incident_fkey": refuse_unknown("incident", "/incident_id")},
)
