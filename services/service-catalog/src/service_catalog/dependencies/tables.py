"""The table of dependencies."""

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, Text, UniqueConstraint, Uuid

from chassis.reading import refuse_unknown
from chassis.rejection import Rejection
from chassis.resource import Resource, columns_as_fields, tenant_table
from service_catalog.metadata import METADATA

service_dependency = tenant_table(
    "service_dependency",
    METADATA,
    Column("service_id", Uuid, nullable=False),
    Column("depends_on_id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("description", Text),
    UniqueConstraint("org", "service_id", "depends_on_id", name="service_dependency_ends"),
    UniqueConstraint("org", "external_source", "external_id", name="service_dependency_external_key"),
    ForeignKeyConstraint(["org", "service_id"], ["service.org", "service.id"], name="service_dependency_service_fkey"),
    ForeignKeyConstraint(
        ["org", "depends_on_id"], ["service.org", "service.id"], name="service_dependency_depends_on_fkey"
    ),
    CheckConstraint("service_id <> depends_on_id", name="service_dependency_not_itself"),
    Index("service_dependency_created_at", "org", "service_id", "created_at", "id"),
    Index("service_dependency_down", "org", "service_id", "type", "depends_on_id"),
    Index("service_dependency_up", "org", "depends_on_id", "type", "service_id"),
    Index("service_dependency_updated_at", "org", "service_id", "updated_at", "id"),
)

DEPENDENCIES = Resource(
    collection="dependencies",
    noun="service_dependency",
    table=service_dependency,
    fields=columns_as_fields(service_dependency),
    sorts=("created_at", "updated_at"),
    search=("description",),
    under=("services", "service_id"),
    natural_key=("service_id", "depends_on_id"),
    constraints={
        "service_dependency_ends": Rejection(
            "conflict", "dependency-exists", "The service depends on this one already."
        ),
        "service_dependency_service_fkey": refuse_unknown("service", "/service_id"),
        "service_dependency_depends_on_fkey": refuse_unknown("service", "/depends_on_id"),
    },
)
