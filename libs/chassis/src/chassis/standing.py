"""What every service's processes stand on: its two pools, its feed, and the checks before and while it answers."""

import asyncio
import hmac
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cached_property

from fastapi import FastAPI

from chassis.cursors import CursorSeal
from chassis.database import Database, entered
from chassis.events.feed import Feed
from chassis.events.head import HeadWatcher
from chassis.http.draining import Drain
from chassis.http.health import ReadyCheck
from chassis.metrics import process_metrics
from chassis.schema_version import newest_revision, schema_at_least
from chassis.settings import ServiceSettings
from chassis.unfit import UnfitError

# A little longer than PostgreSQL lets a statement of the role take: where it does not say so itself, it is gone.
RUNTIME_SECONDS = 35.0
WORKER_SECONDS = 125.0
# A role may do what those may do that it is a member of, itself among them.
_RIGHTS = """
    SELECT bool_or(
        rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole
        OR EXISTS (SELECT FROM pg_catalog.pg_class WHERE relowner = pg_roles.oid)
    )
    FROM pg_catalog.pg_roles WHERE pg_has_role(current_user, oid, 'MEMBER')
"""


class TooManyRightsError(UnfitError):
    """The role a service entered its database by could get around row-level security."""


class Standing:
    """The pools of one service and what is made of them; `package` is where its migrations are."""

    def __init__(self, settings: ServiceSettings, package: str) -> None:
        self._package = package
        self.runtime = Database(
            settings.address("runtime"), size=settings.runtime_pool_size, answer_seconds=RUNTIME_SECONDS
        )
        self.worker = Database(
            settings.address("worker"), size=settings.worker_pool_size, answer_seconds=WORKER_SECONDS
        )
        self._secret = settings.cursor_secret.get_secret_value()
        self.seal = CursorSeal(self._secret)
        self.watcher = HeadWatcher(self.runtime)
        self.drain = Drain()
        self.feed = Feed(
            f"/{settings.service_name}",
            runtime=self.runtime,
            worker=self.worker,
            watcher=self.watcher,
            drain=self.drain,
        )

    @cached_property
    def _revision(self) -> str:
        return newest_revision(self._package)

    def key_for(self, purpose: str) -> bytes:
        """Return a key that all copies of the service share, and that is good for one purpose only."""
        return hmac.digest(self._secret.encode(), purpose.encode(), "sha256")

    @property
    def ready_checks(self) -> Mapping[str, ReadyCheck]:
        """What has to hold for this service to be sent requests."""
        return {"schema": self.check_schema}

    async def check_schema(self) -> None:
        """Fail unless the database answers and is migrated far enough."""
        connection = await entered(self.runtime.address)
        try:
            await schema_at_least(connection, self._revision)
        finally:
            await connection.close()

    async def check_start(self) -> None:
        """Fail with `UnfitError` unless the database is fit for this release, and neither role may do too much."""
        await self.check_schema()
        for database in (self.runtime, self.worker):
            connection = await entered(database.address)
            try:
                if await connection.fetchval(_RIGHTS):
                    raise TooManyRightsError(f"the role {database.address.role} has more rights than a service needs")
            finally:
                await connection.close()

    def watch_pools(self) -> None:
        """Let the process's metrics tell how much of the pools is in use."""
        for name, pool in (("runtime", self.runtime), ("worker", self.worker)):
            process_metrics().watch(name, pool)

    @asynccontextmanager
    async def lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        """Watch the log while serving; close the pools at the end."""
        self.watch_pools()
        stop = asyncio.Event()
        watching = asyncio.ensure_future(self.watcher.run(stop))
        try:
            yield
        finally:
            stop.set()
            await watching
            await self.close()

    async def close(self) -> None:
        """Close the pools."""
        await self.runtime.close()
        await self.worker.close()
