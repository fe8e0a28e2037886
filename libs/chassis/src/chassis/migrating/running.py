"""Running a service's migrations, and comparing what they make with the tables that are declared."""

import asyncio
import io
import logging
import re
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any

from alembic import command, context
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from chassis.addresses import DatabaseAddress
from chassis.database import connect_arguments
from chassis.events.tables import EVENT_METADATA
from chassis.keys import KEY_METADATA

LOCK_TIMEOUT_MS = 2000
LOCK_NOT_AVAILABLE = "55P03"
ATTEMPTS_MAX = 30
PAUSE_SECONDS = 0.5
PARTITION = re.compile(r"event_log_\d{10}")
SHARED_METADATA = (EVENT_METADATA, KEY_METADATA)
ONE_MIGRATOR = "SELECT pg_try_advisory_lock(hashtextextended('migrations', 0))"

log = logging.getLogger(__name__)


def environment(*metadatas: MetaData) -> None:
    """Do what Alembic expects of an `env.py`, for a service's own tables and the event tables."""
    options: dict[str, Any] = {
        "target_metadata": [*SHARED_METADATA, *metadatas],
        "include_name": _is_not_a_partition,
        "transaction_per_migration": True,
        "compare_type": True,
    }
    if context.is_offline_mode():
        context.configure(dialect_name="postgresql", literal_binds=True, **options)
    else:
        context.configure(connection=context.config.attributes["connection"], **options)
    with context.begin_transaction():
        context.run_migrations()


def _is_not_a_partition(name: str | None, kind: str, _parents: object) -> bool:
    return not (kind == "table" and name is not None and PARTITION.fullmatch(name))


def checked_revisions(package: str) -> list[str]:
    """Return a package's revisions, newest first, having checked that they form one ascending line."""
    revisions = [script.revision for script in _scripts(package).walk_revisions()]
    if revisions != sorted(revisions, reverse=True) or len(_scripts(package).get_heads()) != 1:
        raise ValueError(f"the revisions of {package} are not one ascending line: {revisions}")
    return revisions


async def migrate(address: DatabaseAddress, package: str, *, to: str = "head") -> None:
    """Bring a database to a revision, as its owner.

    One migrator works at a time and the others poll, because waiting for an advisory lock deadlocks with
    CREATE INDEX CONCURRENTLY. A revision that cannot have its locks within two seconds gives way to the
    traffic and is tried again. A database that a later release has migrated stays as it is.
    """
    engine = create_async_engine("postgresql+asyncpg://", connect_args=connect_arguments(address), poolclass=NullPool)
    config = _config(package)
    try:
        async with engine.connect() as connection:
            await connection.execute(text(f"SET lock_timeout = {LOCK_TIMEOUT_MS}"))
            await connection.execute(text("SET statement_timeout = 0"))
            await connection.commit()
            has_waited = False
            while not await _is_alone(connection):
                if not has_waited:
                    log.warning("migration waits for another one")
                has_waited = True
                await asyncio.sleep(PAUSE_SECONDS)
            for attempt in range(1, ATTEMPTS_MAX + 1):
                try:
                    await connection.run_sync(_upgrade(config, to))
                    await connection.commit()
                except DBAPIError as error:
                    await connection.rollback()
                    if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE or attempt == ATTEMPTS_MAX:
                        raise
                    log.warning("migration waits for a lock", extra={"attempt": attempt})
                    await asyncio.sleep(PAUSE_SECONDS)
                else:
                    return
    finally:
        await engine.dispose()


async def _is_alone(connection: AsyncConnection) -> bool:
    """Take the lock of the one migrator, if it is free; it is kept as long as the connection."""
    is_alone: bool = (await connection.execute(text(ONE_MIGRATOR))).scalar_one()
    await connection.commit()
    return is_alone


def _upgrade(config: Config, to: str) -> Callable[[Connection], None]:
    def run(connection: Connection) -> None:
        config.attributes["connection"] = connection
        present = MigrationContext.configure(connection).get_current_revision()
        connection.rollback()  # a revision that commits by itself has to begin by itself
        newest = ScriptDirectory.from_config(config).get_current_head()
        if to == "head" and present is not None and newest is not None and present > newest:
            log.warning("the schema is that of a later release", extra={"schema": present, "newest": newest})
        elif to == "base":
            command.downgrade(config, to)
        else:
            command.upgrade(config, to)

    return run


def as_sql(package: str) -> str:
    """Return all revisions as one SQL script, for a linter to read."""
    buffer = io.StringIO()
    config = _config(package)
    config.output_buffer = buffer
    command.upgrade(config, "head", sql=True)
    return buffer.getvalue()


async def differences(address: DatabaseAddress, metadatas: Sequence[MetaData]) -> list[Any]:
    """Return where a migrated database differs from the event tables and the tables declared."""

    def compare(connection: Connection) -> list[Any]:
        options = {"include_name": _is_not_a_partition, "compare_type": True}
        migrations = MigrationContext.configure(connection, opts=options)
        found: list[Any] = compare_metadata(migrations, [*SHARED_METADATA, *metadatas])  # type: ignore[arg-type]
        return found

    engine = create_async_engine("postgresql+asyncpg://", connect_args=connect_arguments(address), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(compare)
    finally:
        await engine.dispose()


def _config(package: str) -> Config:
    config = Config()
    folder = str(files(package).joinpath("migrations"))
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["package"] = package
    return config


def _scripts(package: str) -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(package))
