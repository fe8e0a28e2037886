import os
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from chassis.standing import RUNTIME_SECONDS, WORKER_SECONDS
from tandem_local.databases import Database, create_databases, drop_database
from tandem_local.postgres import PostgresServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with PostgresServer(tmp_path_factory.mktemp("postgres"), durable=False) as running:
        yield running


@pytest.fixture(scope="module")
def database(server: PostgresServer) -> Database:
    return create_databases(server, ["garden"])["garden"]


def test_socket_folder_and_passwords_are_closed_to_others(server: PostgresServer, database: Database) -> None:
    assert stat.S_IMODE(Path(server.host).stat().st_mode) == 0o700
    for name in ("postgres-password", "databases.json"):
        assert stat.S_IMODE((server.home / name).stat().st_mode) == 0o600
    assert server.execute("SHOW listen_addresses") == ""
    assert len({database.password(duty) for duty in ("owner", "runtime", "worker")}) == 3


async def test_asks_for_the_password(server: PostgresServer) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(server.dsn_of("postgres", password="guess"))


UNANSWERED = {"runtime": RUNTIME_SECONDS, "worker": WORKER_SECONDS}


async def test_roles_have_no_more_rights_than_their_duty(server: PostgresServer, database: Database) -> None:
    for duty, statement_timeout in (("owner", "0"), ("runtime", "30s"), ("worker", "2min")):
        connection = await asyncpg.connect(server.dsn_of("garden", database.role(duty), database.password(duty)))
        try:
            row = await connection.fetchrow(
                "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
            )
            assert row is not None
            assert not any(row.values())
            assert await connection.fetchval("SHOW statement_timeout") == statement_timeout
            allowed = await connection.fetchval("SELECT current_setting('statement_timeout')::interval")
            assert duty == "owner" or allowed.total_seconds() < UNANSWERED[duty]
            if duty == "owner":
                await connection.execute("CREATE TABLE bed (id int); DROP TABLE bed")
            else:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute("CREATE TABLE bed (id int)")
        finally:
            await connection.close()
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(server.dsn_of("postgres", database.role(duty), database.password(duty)))


def test_creating_again_changes_nothing(server: PostgresServer, database: Database) -> None:
    assert create_databases(server, ["garden"])["garden"] == database


def test_a_dropped_database_leaves_no_role(server: PostgresServer) -> None:
    create_databases(server, ["shed"])
    drop_database(server, "shed")
    assert server.execute("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'shed%'") == "0"


def test_a_name_that_is_no_identifier_is_refused(server: PostgresServer) -> None:
    with pytest.raises(ValueError, match="Not the name"):
        create_databases(server, ["x; DROP ROLE postgres"])


def test_two_servers_run_beside_each_other_and_a_long_path_is_no_obstacle(
    server: PostgresServer, tmp_path: Path
) -> None:
    home = tmp_path / ("long-" * 20) / "home"
    with PostgresServer(home, durable=False) as other:
        assert len(other.host) < 100
        other.execute("CREATE DATABASE only_here")
        assert server.execute("SELECT count(*) FROM pg_database WHERE datname = 'only_here'") == "0"
    other.remove()
    assert not Path(other.host).exists()


def test_starts_again_after_being_killed_with_its_pid_taken_by_another(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path, durable=False)
    server.start()
    server.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    pid = server.running_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while server.running_pid() is not None:
        time.sleep(0.01)
    bystander = subprocess.Popen(["/bin/sleep", "60"])
    try:
        pid_file = server.data / "postmaster.pid"
        pid_file.write_text(pid_file.read_text().replace(str(pid), str(bystander.pid), 1))
        with PostgresServer(tmp_path, durable=False) as again:
            assert again.execute("SELECT answer FROM kept") == "42"
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
        server.stop()
