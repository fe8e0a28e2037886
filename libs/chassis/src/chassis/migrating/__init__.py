"""Migrations: running them, and the DDL that every service's revisions share.

A service keeps them inside its package, in `migrations/` with an `env.py` and `versions/`, so that they are
found from an editable install and from a wheel alike. Revision ids are dated (`20260301_01`), in one ascending
line.
"""

from chassis.migrating.event_schema import (
    create_event_tables,
    create_idempotency_table,
    drop_event_tables,
    drop_log_index_by_partition_key,
)
from chassis.migrating.indexes import create_index
from chassis.migrating.rights import allow, protect, renew_policies, roles
from chassis.migrating.running import (
    as_sql,
    checked_revisions,
    differences,
    environment,
    migrate,
)

__all__ = [
    "allow",
    "as_sql",
    "checked_revisions",
    "create_event_tables",
    "create_idempotency_table",
    "create_index",
    "differences",
    "drop_event_tables",
    "drop_log_index_by_partition_key",
    "environment",
    "migrate",
    "protect",
    "renew_policies",
    "roles",
]
