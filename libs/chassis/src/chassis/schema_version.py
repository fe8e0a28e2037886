"""Which schema a release needs and whether a database has it; asked by every process, so it loads no migrations."""

from importlib.resources import files

import asyncpg

from chassis.unfit import UnfitError


class SchemaTooOldError(UnfitError):
    """The database has not been migrated as far as this release needs."""


def newest_revision(package: str) -> str:
    """Return the newest revision a package brings along: the files of its migrations begin with their revisions."""
    found = files(package).joinpath("migrations", "versions").iterdir()
    return max("_".join(file.name.split("_")[:2]) for file in found if file.name.endswith(".py"))


async def schema_at_least(connection: asyncpg.Connection, revision: str) -> None:
    """Refuse a database older than a revision; a newer one was made to bear this release, and is accepted.

    `connection` is the driver's, of any of the three roles.
    """
    try:
        present = await connection.fetchval("SELECT version_num FROM alembic_version")
    except (asyncpg.UndefinedTableError, asyncpg.InsufficientPrivilegeError):
        present = None
    if present is None or present < revision:
        raise SchemaTooOldError(f"the database is at revision {present}, this release needs {revision}")
