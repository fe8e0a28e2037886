"""The event tables of a new database: their DDL, partitions and rights.

A release that changes them comes with a further function here, which each service calls in a revision of its
own.
"""

from alembic import op
from sqlalchemy import MetaData
from sqlalchemy.schema import CreateIndex, CreateTable

from chassis.events.tables import EVENT_METADATA
from chassis.keys import KEY_METADATA, idempotency_key
from chassis.migrating.rights import allow, protect, roles

PARTITION_SIZE = 1_000_000

# Answers the position at which it should be called again, two partitions before there is none left.
# New partitions are built beside the log and then attached: that lock lets readers and writers pass.
ENSURE_PARTITIONS = """
CREATE FUNCTION ensure_event_partitions() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '2s' AS $function$
DECLARE
    size constant bigint := {size};
    newest bigint;
    part bigint;
    part_name text;
BEGIN
    SELECT position / size INTO STRICT newest FROM event_head FOR UPDATE;
    FOR part IN newest .. newest + 2 LOOP
        part_name := 'event_log_' || lpad(part::text, 10, '0');
        IF to_regclass(part_name) IS NULL THEN
            EXECUTE format('CREATE TABLE %I (LIKE event_log INCLUDING ALL)', part_name);
            EXECUTE format('ALTER TABLE event_log ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
                           part_name, part * size, (part + 1) * size);
        END IF;
    END LOOP;
    RETURN (newest + 1) * size;
END
$function$
"""

DROP_PARTITIONS = """
CREATE FUNCTION drop_event_partitions(before bigint) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '2s' AS $function$
DECLARE
    size constant bigint := {size};
    head bigint;
    first_kept bigint;
    part_name text;
    dropped integer := 0;
BEGIN
    SELECT position INTO STRICT head FROM event_head FOR UPDATE;
    first_kept := least(before, head) / size;
    FOR part_name IN
        SELECT child.relname FROM pg_catalog.pg_inherits AS link
        JOIN pg_catalog.pg_class AS child ON child.oid = link.inhrelid
        WHERE link.inhparent = 'event_log'::regclass
          AND child.relname < 'event_log_' || lpad(first_kept::text, 10, '0')
        ORDER BY child.relname
    LOOP
        EXECUTE format('DROP TABLE %I', part_name);
        dropped := dropped + 1;
    END LOOP;
    IF dropped > 0 THEN
        UPDATE event_head SET
            kept_from = greatest(1, first_kept * size),
            kept_since = (SELECT recorded_at FROM event_log ORDER BY position LIMIT 1);
    END IF;
    RETURN dropped;
END
$function$
"""

# Called after a restore to an earlier moment, by the owner alone: positions may be handed out again.
RAISE_EPOCH = """
CREATE FUNCTION raise_event_epoch() RETURNS integer
LANGUAGE sql SET search_path = public, pg_temp
AS $function$ UPDATE event_head SET epoch = epoch + 1 RETURNING epoch $function$
"""

# Tables that are rewritten all the time are vacuumed by count, however large or small they are.
RESTLESS_TABLES = ("event_pending", "event_head", "event_cursor", "lease")
VACUUM_BY_COUNT = (
    "SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,"
    " autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_cost_delay = 0)"
)


def create_event_tables(*, partition_size: int = PARTITION_SIZE) -> None:
    """Create the event tables with their first partitions, functions, row-level security and grants."""
    _create(EVENT_METADATA)
    for name in RESTLESS_TABLES:
        op.execute(f"ALTER TABLE {name} {VACUUM_BY_COUNT}")
    op.execute("INSERT INTO event_head DEFAULT VALUES")
    _protect_event_tables()
    for function in (ENSURE_PARTITIONS, DROP_PARTITIONS):
        op.execute(function.format(size=partition_size))
    op.execute(RAISE_EPOCH)
    worker = roles().worker
    for signature, callers in (
        ("ensure_event_partitions()", worker),
        ("drop_event_partitions(bigint)", worker),
        ("raise_event_epoch()", None),
    ):
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        if callers:
            op.execute(f'GRANT EXECUTE ON FUNCTION {signature} TO "{callers}"')
    op.execute("SELECT ensure_event_partitions()")


def create_idempotency_table() -> None:
    """Create the table of idempotency keys; the worker may clear expired ones away but not read them."""
    _create(KEY_METADATA)
    protect(
        idempotency_key.name,
        worker_sees="everything",
        runtime=("SELECT", "INSERT", "UPDATE"),
        worker=("DELETE",),
    )
    op.execute(f'GRANT SELECT (expires_at) ON {idempotency_key.name} TO "{roles().worker}"')


def _create(metadata: MetaData) -> None:
    for table in metadata.sorted_tables:
        op.execute(CreateTable(table))
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            op.execute(CreateIndex(index))


def _protect_event_tables() -> None:
    protect(
        "event_pending",
        worker_sees="everything",
        runtime=("SELECT", "INSERT"),
        worker=("SELECT", "INSERT", "DELETE"),
    )
    protect("event_log", worker_sees="everything", runtime=("SELECT",), worker=("SELECT", "INSERT"))
    protect(
        "event_version",
        runtime=("SELECT", "INSERT", "UPDATE"),
        worker=("SELECT", "INSERT", "UPDATE"),
    )
    protect("event_effect", runtime=("SELECT", "INSERT"), worker=("SELECT", "INSERT"))
    protect("event_organisation", worker_sees="everything", runtime=(), worker=("SELECT", "INSERT"))
    protect("quarantine", worker_sees="everything", runtime=("SELECT", "INSERT", "UPDATE"))
    allow("event_head", runtime=("SELECT",), worker=("SELECT",))
    op.execute(f'GRANT UPDATE (position) ON event_head TO "{roles().worker}"')
    allow("event_cursor", runtime=("SELECT",), worker=("SELECT", "INSERT", "UPDATE", "DELETE"))
    allow("lease", worker=("SELECT", "INSERT", "UPDATE", "DELETE"))
    allow("alembic_version", runtime=("SELECT",), worker=("SELECT",))


def drop_log_index_by_partition_key() -> None:
    """Drop an index of the log that nothing looked anything up by; every event paid for it."""
    op.execute("DROP INDEX IF EXISTS event_log_partitionkey_position")


def drop_event_tables() -> None:
    """Undo `create_event_tables`."""
    for signature in ("ensure_event_partitions()", "drop_event_partitions(bigint)", "raise_event_epoch()"):
        op.execute(f"DROP FUNCTION {signature}")
    for table in reversed(EVENT_METADATA.sorted_tables):
        op.execute(f"DROP TABLE {table.name}")
    who = roles()
    op.execute(f'REVOKE ALL ON alembic_version FROM "{who.runtime}", "{who.worker}"')
