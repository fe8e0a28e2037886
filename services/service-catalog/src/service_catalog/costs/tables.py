"""The table of a service's costs."""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    Numeric,
    Text,
    UniqueConstraint,
    Uuid,
    cast,
    exists,
    select,
    text,
)

from chassis.reading import refuse_unknown
from chassis.rejection import Rejection
from chassis.resource import Resource, columns_as_fields, money, tenant_table
from service_catalog.metadata import METADATA

cost = tenant_table(
    "cost",
    METADATA,
    Column("service_id", Uuid, nullable=False),
    Column("category", Text, nullable=False),
    Column("nature", Text, nullable=False),
    Column("amount", Numeric, nullable=False),
    Column("currency", Text, nullable=False),
    Column("period_start", Date, nullable=False),
    Column("period_end", Date, nullable=False),
    Column("useful_life_months", Integer),
    Column("vendor", Text),
    Column("reference", Text),
    Column("description", Text),
    Column("reversal_of", Uuid),
    UniqueConstraint("org", "reversal_of", name="cost_reversal_key"),
    ForeignKeyConstraint(["org", "service_id"], ["service.org", "service.id"], name="cost_service_fkey"),
    ForeignKeyConstraint(["org", "reversal_of"], ["cost.org", "cost.id"], name="cost_reversal_fkey"),
    Index("cost_created_at", "org", "created_at", "id"),
    Index(
        "cost_external_key",
        "org",
        "external_source",
        "external_id",
        unique=True,
        postgresql_where=text("external_id IS NOT NULL"),
    ),
    Index("cost_period_start", "org", "period_start", "id"),
    Index("cost_service_id", "org", "service_id", "period_start", "id"),
    Index("cost_updated_at", "org", "updated_at", "id"),
)

_REVERSAL = cost.alias("reversal")
_IS_REVERSED = exists(select(_REVERSAL.c.id).where(_REVERSAL.c.org == cost.c.org, _REVERSAL.c.reversal_of == cost.c.id))

COSTS = Resource(
    collection="costs",
    noun="cost",
    table=cost,
    fields=columns_as_fields(cost, leaving_out=frozenset({"currency"}))
    | {"amount": money(cost.c.amount, cost.c.currency)},
    sorts=("created_at", "updated_at", "period_start"),
    search=("description", "reference", "vendor"),
    filters={"reversed": lambda wanted: cast(wanted, Boolean) == _IS_REVERSED},
    constraints={
        "cost_service_fkey": refuse_unknown("service", "/service_id"),
        "cost_reversal_key": Rejection("conflict", "cost-reversed", "This cost has been reversed already."),
    },
)
