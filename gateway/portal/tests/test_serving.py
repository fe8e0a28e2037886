"""The portal as a server: ready until it drains, measured like the services, wrong settings listed."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from chassis.http.draining import Drain
from portal.clients import HASHER
from portal.main import create_app
from portal.settings import PortalSettings
from tandem_local.ports import HOST, choose_ports

METRICS_PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"
COMMAND = Path(sys.executable).with_name("portal")
START_SECONDS_MAX = 30
TOKEN_REQUEST = {"grant_type": "client_credentials", "client_id": "nobody", "client_secret": "none"}


@pytest.fixture
def drain() -> Drain:
    return Drain()


@pytest.fixture
def app(settings: PortalSettings, drain: Drain) -> FastAPI:
    return create_app(settings, drain)


async def test_it_is_ready_until_it_drains(portal: httpx.AsyncClient, drain: Drain) -> None:
    answer = await portal.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert "connection" not in answer.headers
    drain.begin()
    answer = await portal.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]) == (503, {"draining": "failed"})
    for path in ("/healthz", "/.well-known/jwks.json", "/nowhere"):
        answer = await portal.get(path)
        assert answer.status_code < 500
        assert answer.headers["connection"] == "close"


async def test_a_fault_of_ours_tells_nothing_but_its_trace(portal: httpx.AsyncClient, app: FastAPI) -> None:
    @app.get("/broken")
    async def broken() -> None:
        raise ValueError("secret")

    answer = await portal.get("/broken")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")
    assert answer.json()["trace_id"]
    assert "secret" not in answer.text


@pytest.fixture
def served(settings: PortalSettings, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, str]]]:
    ports = choose_ports(tmp_path / "ports.json", ["http", "metrics"])
    environment = os.environ | {
        "TANDEM_ISSUER": settings.issuer,
        "TANDEM_SIGNING_KEYS": str(settings.signing_keys),
        "TANDEM_SERVICES": "{}",
        "TANDEM_METRICS_PORT": str(ports["metrics"]),
        "TANDEM_DRAIN_SECONDS": "600",
    }
    with subprocess.Popen([COMMAND, "serve", "--port", str(ports["http"])], env=environment) as process:
        try:
            yield process, {name: f"http://{HOST}:{port}" for name, port in ports.items()}
        finally:
            process.kill()


def until_answered(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        try:
            assert httpx.get(f"{address}/readyz").is_success
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the portal did not start")


OF_EVENTS = {"tandem_events_received"}  # the portal is sent none


def test_it_is_measured_as_the_services_are_and_drains_at_a_signal(
    served: tuple[subprocess.Popen[bytes], dict[str, str]],
) -> None:
    process, addresses = served
    until_answered(addresses["http"], process)
    assert httpx.post(f"{addresses['http']}/oauth/token", data=TOKEN_REQUEST).status_code == 401
    assert httpx.get(f"{addresses['http']}/docs/start.js").is_success
    assert httpx.get(f"{addresses['http']}/healthz").is_success
    told = httpx.get(f"{addresses['metrics']}/metrics").text
    assert 'tandem_http_requests_total{method="GET",route="/healthz",status="200"}' in told
    assert 'tandem_http_requests_total{method="POST",route="/oauth/token",status="401"} 1.0' in told
    assert 'tandem_http_requests_total{method="GET",route="/docs/{name}",status="200"} 1.0' in told
    assert httpx.get(f"{addresses['http']}/metrics").status_code == 404

    section = re.split(r"^## ", METRICS_PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (serve,) = (part for part in section if part.startswith("`serve`"))
    documented = {name.removesuffix("_total") for name in re.findall(r"^\| `(tandem_\w+)`", serve, re.MULTILINE)}
    counted = re.findall(r"^# TYPE (tandem_\w+?)(?:_created)? ", told, re.MULTILINE)
    assert {name.removesuffix("_total") for name in counted} == documented - OF_EVENTS

    process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + START_SECONDS_MAX
    while httpx.get(f"{addresses['http']}/readyz").status_code != 503:
        assert time.monotonic() < deadline
    assert httpx.get(f"{addresses['http']}/.well-known/jwks.json").headers["connection"] == "close"
    process.send_signal(signal.SIGTERM)
    assert process.wait(START_SECONDS_MAX) == -signal.SIGTERM


def test_wrong_settings_are_all_listed(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "TANDEM_SERVICES": "{", "TANDEM_SIGNING_KEYS": str(tmp_path)}
    done = subprocess.run([COMMAND, "serve"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == ["TANDEM_ISSUER", "TANDEM_SERVICES"]


def test_keys_and_clients_that_cannot_be_read_are_faults_of_the_settings(tmp_path: Path) -> None:
    clients = tmp_path / "clients.toml"
    environment = {
        "PATH": os.environ["PATH"],
        "TANDEM_ISSUER": "https://tandem.test",
        "TANDEM_SERVICES": "{}",
        "TANDEM_SIGNING_KEYS": str(tmp_path),
        "TANDEM_CLIENTS_FILE": str(clients),
    }

    def told() -> list[str]:
        done = subprocess.run([COMMAND, "serve"], env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (2, "")
        return done.stderr.splitlines()

    assert told() == [
        "TANDEM_SIGNING_KEYS: signing.pem cannot be read: No such file or directory",
        "TANDEM_CLIENTS_FILE: No such file or directory",
    ]
    (tmp_path / "signing.pem").write_text("no key")
    clients.write_text("[clients.x]\norg = 5\n")
    key, *others = told()
    assert key.startswith("TANDEM_SIGNING_KEYS: signing.pem is no key")
    assert {line.split(": ")[1] for line in others} == {
        "clients.x.secret_hashes",
        "clients.x.org",
        "clients.x.scopes",
        "clients.x.audiences",
    }
    clients.write_text('[clients.x]\nsecret_hashes = ["a plain one"]\norg = "a"\nscopes = ["s"]\naudiences = ["a"]\n')
    assert told()[1:] == ["TANDEM_CLIENTS_FILE: clients.x.secret_hashes: This is no hash; `portal hash` makes one."]


def test_a_secret_is_hashed_as_the_file_of_clients_has_it() -> None:
    done = subprocess.run([COMMAND, "hash"], input="a new one\n", capture_output=True, text=True, check=True)
    (line,) = done.stdout.splitlines()
    assert HASHER.verify(line, "a new one")


@pytest.mark.parametrize("told", ["", "\n", "one\ntwo\n"])
def test_what_is_no_secret_is_not_hashed(told: str) -> None:
    done = subprocess.run([COMMAND, "hash"], input=told, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "One line is needed" in done.stderr
