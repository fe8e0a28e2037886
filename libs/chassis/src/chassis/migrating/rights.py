"""Who may see and change which rows: grants and row-level security, for use in revisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from alembic import context, op
from sqlalchemy import text

Right = Literal["SELECT", "INSERT", "UPDATE", "DELETE"]
EVERYTHING: tuple[Right, ...] = ("SELECT", "INSERT", "UPDATE", "DELETE")

# Outside a transaction that set it, the setting is '' and not NULL. As a query of its own it is looked at once a
# statement, when the first row is looked for, and never while planning: a plan made for one organisation is as good
# for the next, and a statement may set the organisation itself (`Database.read`).
OWN_ORGANISATION = "org = (SELECT nullif(current_setting('app.org', true), ''))"
OWNER_SUFFIX = "_owner"

# Policies as tables had them until 20261125 had the setting looked at while planning. Each table by itself: locks on
# all of them at once would meet those of the traffic.
_RENEW_POLICIES = """
DO $renewal$
DECLARE
    one record;
BEGIN
    FOR one IN
        SELECT tablename, policyname FROM pg_policies
        WHERE schemaname = current_schema() AND qual LIKE '%current_setting%' AND qual NOT LIKE '%SELECT%'
    LOOP
        EXECUTE format(
            $$ALTER POLICY %I ON %I USING ({rows}) WITH CHECK ({rows})$$, one.policyname, one.tablename
        );
        COMMIT;
    END LOOP;
END
$renewal$
"""
RENEW_POLICIES = _RENEW_POLICIES.format(rows=OWN_ORGANISATION)

# What the planner is told of a table until it has been analysed: of one organisation come many rows, and what
# follows it in a key of two is one row's alone. It would take an organisation for a two-hundredth of the table, and
# read all of its rows to find one.
_EXPECTED = """
    SELECT pg_restore_attribute_stats(
        'schemaname', pg_class.relnamespace::regnamespace::text, 'relname', pg_class.relname::text,
        'attname', pg_attribute.attname::text, 'inherited', false, 'null_frac', 0::real, 'avg_width', 16,
        'n_distinct', CASE pg_attribute.attname WHEN 'org' THEN 1 ELSE -1 END::real
    )
    FROM pg_index
    JOIN pg_class ON pg_class.oid = pg_index.indrelid
    JOIN pg_attribute ON pg_attribute.attrelid = pg_class.oid
    WHERE pg_index.indrelid = '{table}'::regclass AND pg_index.indisprimary
      AND (
        pg_attribute.attname = 'org'
        OR (pg_index.indnkeyatts = 2 AND pg_index.indkey[0] = (
            SELECT attnum FROM pg_attribute AS first WHERE first.attrelid = pg_class.oid AND first.attname = 'org'
        ) AND pg_attribute.attnum = pg_index.indkey[1])
      )
"""


@dataclass(frozen=True, slots=True)
class Roles:
    """A service's three database roles; none is a superuser, none bypasses row-level security."""

    owner: str
    runtime: str
    worker: str


def roles() -> Roles:
    """Return the roles that belong to the one migrating, whose name ends in `_owner`.

    Where only SQL is written out and nobody is connected, they are named after the package.
    """
    if context.is_offline_mode():
        owner = f"{context.config.attributes['package'].rpartition('.')[2]}{OWNER_SUFFIX}"
    else:
        owner = str(op.get_bind().execute(text("SELECT current_user")).scalar_one())
    if not owner.endswith(OWNER_SUFFIX):
        raise ValueError(f"migrations run as a role named <service>{OWNER_SUFFIX}, not as {owner}")
    service = owner.removesuffix(OWNER_SUFFIX)
    return Roles(owner=owner, runtime=f"{service}_runtime", worker=f"{service}_worker")


def protect(
    table: str,
    *,
    worker_sees: Literal["organisation", "everything"] = "organisation",
    runtime: Sequence[Right] = EVERYTHING,
    worker: Sequence[Right] = EVERYTHING,
) -> None:
    """Put a table with a column `org` under row-level security and grant the rights named.

    `worker_sees="everything"` is for what the background loops must find before they know whose it is: events,
    quarantine, due times.
    """
    who = roles()
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    workers = "true" if worker_sees == "everything" else OWN_ORGANISATION
    for name, role, rows in (
        ("owner", who.owner, "true"),
        ("runtime", who.runtime, OWN_ORGANISATION),
        ("worker", who.worker, workers),
    ):
        op.execute(f'CREATE POLICY {name}_rows ON {table} FOR ALL TO "{role}" USING ({rows}) WITH CHECK ({rows})')
    allow(table, runtime=runtime, worker=worker)
    op.execute(_EXPECTED.format(table=table))


def renew_policies() -> None:
    """Bring the policies of tables that were protected by an earlier release up to what `protect` writes now.

    Old and new ones show the same rows, so both releases work with either. Begun again it goes on where it stopped.
    """
    with op.get_context().autocommit_block():
        op.execute(RENEW_POLICIES)


def allow(table: str, *, runtime: Sequence[Right] = (), worker: Sequence[Right] = ()) -> None:
    """Grant the rights named on a table, row-level security or not."""
    who = roles()
    for role, rights in ((who.runtime, runtime), (who.worker, worker)):
        if rights:
            op.execute(f'GRANT {", ".join(rights)} ON {table} TO "{role}"')
