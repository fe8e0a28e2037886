"""One PostgreSQL server for a whole test run, and the fixtures every service's tests share."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chassis.addresses import DatabaseAddress
from chassis.testkit.databases import Addresses, Templates
from tandem_local.databases import create_databases
from tandem_local.postgres import PostgresServer

pytest_plugins = ["chassis.testkit.plugin"]


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """Run a server of this test run's own."""
    home: Path = tmp_path_factory.mktemp("postgres")
    server = PostgresServer(home, durable=False)
    try:
        with server:
            yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def templates(postgres_server: PostgresServer) -> Templates:
    """Give migrated databases to clone from."""

    def create(name: str) -> Addresses:
        made = create_databases(postgres_server, [name])[name]

        def address(duty: str) -> DatabaseAddress:
            return DatabaseAddress(
                host=postgres_server.host,
                port=postgres_server.port,
                name=name,
                role=made.role(duty),
                password=made.password(duty),
            )

        return Addresses(owner=address("owner"), runtime=address("runtime"), worker=address("worker"))

    return Templates(postgres_server.execute, create)


@pytest.fixture(scope="session")
def new_database(templates: Templates) -> Callable[[str], Addresses]:
    """Give a package's database, migrated and empty: `new_database("service_catalog")`."""
    return templates.clone
