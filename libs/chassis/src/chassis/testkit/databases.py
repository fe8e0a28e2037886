"""Databases for tests: each service's migrations run once, and every test module gets a copy of the result."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from chassis.addresses import DatabaseAddress
from chassis.database import Database
from chassis.migrating import migrate


@dataclass(frozen=True, slots=True)
class Addresses:
    """One database, as each of its three roles."""

    owner: DatabaseAddress
    runtime: DatabaseAddress
    worker: DatabaseAddress

    def named(self, name: str) -> "Addresses":
        """Return the same roles in another database."""
        return Addresses(
            owner=replace(self.owner, name=name),
            runtime=replace(self.runtime, name=name),
            worker=replace(self.worker, name=name),
        )

    @asynccontextmanager
    async def pools(self, size: int = 5) -> AsyncIterator["Pools"]:
        """Open the two pools a service works with, and close them after the block."""
        pools = Pools(Database(self.runtime, size=size), Database(self.worker, size=size))
        try:
            yield pools
        finally:
            await pools.runtime.close()
            await pools.worker.close()


@dataclass(frozen=True, slots=True)
class Pools:
    """The pools of one service: `runtime` answers requests, `worker` runs the loops."""

    runtime: Database
    worker: Database


class Templates:
    """Migrated databases, one a package, from which new ones are cloned in a few tens of milliseconds.

    `execute` runs SQL as a superuser and returns the rows as lines; `create` makes an empty database with its
    three roles and says how to enter it.
    """

    def __init__(self, execute: Callable[[str], str], create: Callable[[str], Addresses]) -> None:
        self._execute = execute
        self._create = create
        self._templates: dict[str, Addresses] = {}
        self._clones = 0

    def empty(self, name: str) -> Addresses:
        """Return a new database without any table."""
        return self._create(name)

    def clone(self, package: str) -> Addresses:
        """Return a new database, migrated as far as the package's revisions go."""
        if package not in self._templates:
            addresses = self._create(package.rpartition(".")[2])
            _in_a_loop_of_its_own(lambda: migrate(addresses.owner, package))
            self._templates[package] = addresses
        template = self._templates[package]
        self._clones += 1
        clone = template.named(f"{template.owner.name}_{self._clones}")
        self._execute(f"CREATE DATABASE {clone.owner.name} TEMPLATE {template.owner.name} OWNER {clone.owner.role}")
        return clone


def _in_a_loop_of_its_own(work: Callable[[], Coroutine[None, None, None]]) -> None:
    """Run a coroutine to its end, whether or not the calling thread is within an event loop already."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(work())).result()
