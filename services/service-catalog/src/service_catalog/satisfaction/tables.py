"""The tables of survey invitations and responses."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Integer, Text, UniqueConstraint, Uuid, text

from chassis.reading import refuse_unknown
from chassis.rejection import Rejection
from chassis.resource import Instant, Resource, columns_as_fields, tenant_table
from service_catalog.metadata import METADATA

survey_invitation = tenant_table(
    "survey_invitation",
    METADATA,
    Column("service_id", Uuid, nullable=False),
    Column("incident_id", Uuid),
    Column("recipient", Text),
    Column("expires_at", Instant, nullable=False),
    ForeignKeyConstraint(["org", "service_id"], ["service.org", "service.id"], name="survey_invitation_service_fkey"),
    ForeignKeyConstraint(
        ["org", "incident_id"], ["incident.org", "incident.id"], name="survey_invitation_incident_fkey"
    ),
    Index("survey_invitation_created_at", "org", "created_at", "id"),
    Index("survey_invitation_expires_at", "org", "expires_at", "id"),
    Index(
        "survey_invitation_external_key",
        "org",
        "external_source",
        "external_id",
        unique=True,
        postgresql_where=text("external_id IS NOT NULL"),
    ),
    Index("survey_invitation_incident_id", "org", "incident_id", postgresql_where=text("incident_id IS NOT NULL")),
    Index("survey_invitation_service_id", "org", "service_id", "created_at", "id"),
    Index("survey_invitation_updated_at", "org", "updated_at", "id"),
)

survey_response = tenant_table(
    "survey_response",
    METADATA,
    Column("service_id", Uuid, nullable=False),
    Column("incident_id", Uuid),
    Column("invitation_id", Uuid),
    Column("score", Integer, nullable=False),
    Column("comment", Text),
    Column("answered_at", Instant, nullable=False),
    UniqueConstraint("org", "invitation_id", name="survey_response_invitation_key"),
    ForeignKeyConstraint(["org", "service_id"], ["service.org", "service.id"], name="survey_response_service_fkey"),
    ForeignKeyConstraint(["org", "incident_id"], ["incident.org", "incident.id"], name="survey_response_incident_fkey"),
    ForeignKeyConstraint(
        ["org", "invitation_id"],
        ["survey_invitation.org", "survey_invitation.id"],
        name="survey_response_invitation_fkey",
    ),
    Index("survey_response_answered_at", "org", "answered_at", "id"),
    Index("survey_response_created_at", "org", "created_at", "id"),
    Index(
        "survey_response_external_key",
        "org",
        "external_source",
        "external_id",
        unique=True,
        postgresql_where=text("external_id IS NOT NULL"),
    ),
    Index("survey_response_incident_id", "org", "incident_id", postgresql_where=text("incident_id IS NOT NULL")),
    Index("survey_response_service_id", "org", "service_id", "answered_at", "id"),
    Index("survey_response_updated_at", "org", "updated_at", "id"),
)

INVITATIONS = Resource(
    collection="survey-invitations",
    noun="survey_invitation",
    table=survey_invitation,
    fields=columns_as_fields(survey_invitation),
    sorts=("created_at", "updated_at", "expires_at"),
    search=("recipient",),
    constraints={
        "survey_invitation_service_fkey": refuse_unknown("service", "/service_id"),
        "survey_invitation_incident_fkey": refuse_unknown("incident", "/incident_id"),
        "survey_response_invitation_fkey": Rejection(
            "conflict", "invitation-answered", "An invitation that was answered stays."
        ),
    },
)

RESPONSES = Resource(
    collection="survey-responses",
    noun="survey_response",
    table=survey_response,
    fields=columns_as_fields(survey_response),
    sorts=("created_at", "updated_at", "answered_at"),
    search=("comment",),
    constraints={
        "survey_response_service_fkey": refuse_unknown("service", "/service_id"),
        "survey_response_incident_fkey": refuse_unknown("incident", "/incident_id"),
    },
)
