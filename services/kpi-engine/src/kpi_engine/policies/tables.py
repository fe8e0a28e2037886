"""The table of policies."""

from sqlalchemy import Column, Index, Integer, Numeric, UniqueConstraint

from chassis.rejection import Rejection
from chassis.resource import Instant, Resource, columns_as_fields, decimal, json_object, tenant_table
from kpi_engine.metadata import METADATA

_WEIGHTS = ("major", "partial", "degraded")

policy = tenant_table(
    "policy",
    METADATA,
    Column("valid_from", Instant),
    *(Column(f"weight_{name}", Numeric, nullable=False) for name in _WEIGHTS),
    Column("maintenance_notice_minutes", Integer, nullable=False),
    Column("milestone_tolerance_days", Integer, nullable=False),
    UniqueConstraint("org", "valid_from", name="policy_valid_from_key", postgresql_nulls_not_distinct=True),
    UniqueConstraint("org", "external_source", "external_id", name="policy_external_key"),
    Index("policy_created_at", "org", "created_at", "id"),
)

POLICIES = Resource(
    collection="policies",
    noun="policy",
    table=policy,
    fields=columns_as_fields(policy, leaving_out=frozenset(f"weight_{name}" for name in _WEIGHTS))
    | {"outage_weights": json_object({name: decimal(policy.c[f"weight_{name}"]) for name in _WEIGHTS})},
    constraints={
        "policy_valid_from_key": Rejection("conflict", "busy", "Another policy from that instant is being made."),
    },
)
