"""Indexes of tables that are in use while a revision runs."""

from alembic import op


def create_index(name: str, table: str, columns: str, *, where: str | None = None) -> None:
    """Create an index of a table that exists already, without keeping its writers waiting.

    What the revision did before is committed first. Begun again, it takes away what an interruption has left.
    """
    condition = f" WHERE {where}" if where else ""
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {table} ({columns}){condition}")
