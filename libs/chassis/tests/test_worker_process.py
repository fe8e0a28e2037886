import asyncio
import http.client
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from chassis.testkit.databases import Addresses
from chassis.testkit.eventing import until
from chassis.testkit.sample.notes import a_caller, add_note
from chassis.testkit.tokens import Signer

PROGRAM = """
import sys
from chassis import working
from chassis.cli import service_command
from chassis.http.app import create_api
from chassis.settings import ServiceSettings
from chassis.standing import Standing

PACKAGE = "chassis.testkit.sample"

def create_app(settings):
    standing = Standing(settings, PACKAGE)
    return create_api(settings, title="sample", routers=[], check_start=standing.check_start)

def work(settings):
    standing = Standing(settings, PACKAGE)
    loops = working.shared_loops(standing)
    return working.work(standing, loops, reads=settings.feeds, metrics_port=settings.metrics_port)

sys.exit(service_command(ServiceSettings, package=PACKAGE, create_app=create_app, work=work, arguments=sys.argv[1:]))
"""


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port: int = taken.getsockname()[1]
        return port


def scraped(port: int) -> dict[str, float]:
    """Return the samples, each called by its name and the values of its labels, in the order of the labels' names."""
    try:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
    except OSError:
        return {}
    return {
        ".".join([one.name, *one.labels.values()]): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def environment(addresses: Addresses, jwks_file: Path, signer: Signer, port: int) -> dict[str, str]:
    return {
        "TANDEM_SERVICE_NAME": "sample",
        "TANDEM_OWNER_PASSWORD": addresses.owner.password,
        "TANDEM_DATABASE_HOST": addresses.runtime.host,
        "TANDEM_DATABASE_PORT": str(addresses.runtime.port),
        "TANDEM_DATABASE_NAME": addresses.runtime.name,
        "TANDEM_DATABASE_ROLES": addresses.runtime.role.removesuffix("_runtime"),
        "TANDEM_RUNTIME_PASSWORD": addresses.runtime.password,
        "TANDEM_WORKER_PASSWORD": addresses.worker.password,
        "TANDEM_JWKS_URL": jwks_file.as_uri(),
        "TANDEM_ISSUER": signer.issuer,
        "TANDEM_CURSOR_SECRET": "secret",
        "TANDEM_METRICS_PORT": str(port),
    }


async def test_a_worker_tells_what_it_does(
    new_database: Callable[[str], Addresses], jwks_file: Path, signer: Signer
) -> None:
    addresses, port = new_database("chassis.testkit.sample"), free_port()
    variables = environment(addresses, jwks_file, signer, port) | {"TANDEM_FEEDS": '{"producer": "http://127.0.0.1:9"}'}
    told: dict[str, float] = {}

    async def has_worked() -> bool:
        told.update(await asyncio.to_thread(scraped, port))
        is_awaited = {"tandem_loop_last_turn_timestamp_seconds.sequencer", "tandem_lease_held_here.housekeeping"}
        return told.get("tandem_event_log_head_position") == 1 and is_awaited <= told.keys()

    async with addresses.pools() as pools:
        await add_note(pools.runtime, a_caller(), title="a")
    with subprocess.Popen([sys.executable, "-c", PROGRAM, "work"], env=variables) as process:  # noqa: ASYNC220  (it is the worker)
        try:
            await until(has_worked)
            process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(process.wait, 20) == 0
        finally:
            process.kill()
    assert told["tandem_database_readable"] == 1
    assert told["tandem_events_pending"] == 0
    assert told["tandem_consumer_head_age_seconds.1.producer"] > 0
    assert told["tandem_database_connections_limit.worker"] == 6
    assert told["tandem_lease_held_here.housekeeping"] == 1
    assert {name for name in told if name.startswith("tandem_loop_running")} == {
        "tandem_loop_running.sequencer",
        "tandem_loop_running.housekeeping",
    }
    assert told["tandem_loop_last_turn_timestamp_seconds.sequencer"] > 1e9


WRONG_PASSWORDS = {f"TANDEM_{role}_PASSWORD": "wrong" for role in ("RUNTIME", "WORKER", "OWNER")}


@pytest.mark.parametrize(
    ("command", "wrong", "reason"),
    [
        ("serve", WRONG_PASSWORDS, "authentication failed"),
        ("work", WRONG_PASSWORDS, "authentication failed"),
        ("migrate", WRONG_PASSWORDS, "authentication failed"),
        ("restored", {"TANDEM_DATABASE_PORT": "{free}"}, "No such file or directory"),
        ("work", {"TANDEM_DATABASE_NAME": "none_of_that_name"}, "does not exist"),
    ],
)
def test_a_command_that_cannot_start_says_why_in_a_line_of_the_log(
    new_database: Callable[[str], Addresses],
    jwks_file: Path,
    signer: Signer,
    command: str,
    wrong: dict[str, str],
    reason: str,
) -> None:
    variables = environment(new_database("chassis.testkit.sample"), jwks_file, signer, free_port())
    variables |= {name: told.format(free=free_port()) for name, told in wrong.items()}
    failed = line_of_failure(command, variables)
    assert (failed["level"], failed["event"]) == ("error", "cannot start")
    assert "cannot be entered as" in failed["reason"]
    assert reason in failed["reason"]
    assert "exception" not in failed


def test_a_port_for_metrics_that_is_taken_is_told(
    new_database: Callable[[str], Addresses], jwks_file: Path, signer: Signer
) -> None:
    with closing(socket.create_server(("0.0.0.0", 0))) as taken:  # noqa: S104 - as metrics are served
        port: int = taken.getsockname()[1]
        variables = environment(new_database("chassis.testkit.sample"), jwks_file, signer, port)
        failed = line_of_failure("work", variables)
    assert (failed["event"], failed["reason"]) == (
        "cannot start",
        f"metrics cannot be served on port {port}: Address already in use",
    )


def line_of_failure(command: str, variables: dict[str, str]) -> dict[str, Any]:
    """Run a command that fails, and return the last line of its log."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, command], env=variables, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (1, b"")
    failed: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return failed


async def test_a_restored_log_begins_a_new_epoch(
    new_database: Callable[[str], Addresses], jwks_file: Path, signer: Signer
) -> None:
    addresses = new_database("chassis.testkit.sample")
    variables = environment(addresses, jwks_file, signer, free_port())
    async with addresses.pools() as pools, pools.worker.begin(a_caller()) as tx:
        before = await tx.connection.fetchval("SELECT epoch FROM event_head")
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", PROGRAM, "restored"], env=variables, capture_output=True, check=False
    )
    assert done.returncode == 0, done
    async with addresses.pools() as pools, pools.worker.begin(a_caller()) as tx:
        assert await tx.connection.fetchval("SELECT epoch FROM event_head") == before + 1
