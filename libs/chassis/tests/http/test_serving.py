import http.client
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from chassis.cli import service_command
from chassis.http.app import Api, create_api
from chassis.logs import Lines
from chassis.settings import ServiceSettings
from chassis.testkit.collector import collecting
from chassis.testkit.tokens import Signer

SAMPLE = "chassis.testkit.sample"
THING = "/v1/things/0190f7a4-7d2e-7aaa-8aaa-000000000001"
PROGRAM = """
import asyncio, sys
from chassis.cli import service_command
from chassis.http.app import create_api
from chassis.http.routes import Router
from chassis.settings import ServiceSettings

routes = Router("/slow")

@routes.get("")
async def slow(seconds: float) -> str:
    print("begun", flush=True)
    await asyncio.sleep(seconds)
    return "done"

def create_app(settings):
    return create_api(settings, title="Served", routers=[routes], open_path_patterns=["/v1/slow"])

sys.exit(service_command(ServiceSettings, package="chassis.testkit.sample", create_app=create_app, work=lambda _: 0))
"""


def environment(jwks_file: Path, signer: Signer, **other: str) -> dict[str, str]:
    return {
        "TANDEM_SERVICE_NAME": "thing-service",
        "TANDEM_DATABASE_HOST": "nowhere",
        "TANDEM_DATABASE_NAME": "nothing",
        "TANDEM_JWKS_URL": jwks_file.as_uri(),
        "TANDEM_ISSUER": signer.issuer,
        "TANDEM_CURSOR_SECRET": "secret",
        **other,
    }


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def served(variables: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], int]]:
    port = free_port()
    command = [sys.executable, "-c", PROGRAM, "serve", "--port", str(port)]
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if "running on" in line:
                    break
            yield process, port
        finally:
            process.kill()


@contextmanager
def connect(port: int) -> Iterator[http.client.HTTPConnection]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        yield connection


def ask(
    connection: http.client.HTTPConnection, path: str, method: str = "GET"
) -> tuple[http.client.HTTPResponse, bytes]:
    connection.request(method, path)
    response = connection.getresponse()
    return response, response.read()


def test_a_stopping_server_first_sends_everyone_elsewhere(jwks_file: Path, signer: Signer) -> None:
    variables = environment(jwks_file, signer, TANDEM_DRAIN_SECONDS="3", TANDEM_GRACEFUL_SECONDS="10")
    with served(variables) as (process, port), connect(port) as kept, connect(port) as slow, connect(port) as new:
        response, body = ask(kept, "/readyz")
        assert (response.status, json.loads(body)["status"]) == (200, "ready")
        assert {"server", "connection"}.isdisjoint(name.lower() for name in response.headers)
        response, body = ask(kept, "/readyz", "HEAD")
        assert (response.status, body, response.headers["content-length"]) == (200, b"", "30")

        slow.request("GET", "/v1/slow?seconds=4")
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGTERM)
        line = process.stdout.readline()
        assert json.loads(line)["event"] == "draining"

        response, body = ask(kept, "/readyz")
        assert (response.status, json.loads(body)["checks"]) == (503, {"draining": "failed"})
        assert response.headers["connection"] == "close"
        response, _ = ask(new, "/healthz")
        assert (response.status, response.headers["connection"]) == (200, "close")

        answered = slow.getresponse()
        assert (answered.status, answered.read()) == (200, b'"done"')
        assert process.wait(timeout=20) == -signal.SIGTERM


@pytest.mark.parametrize(
    "sent", [b"nonsense\r\n\r\n", b"GET /healthz?" + 70_000 * b"x" + b" HTTP/1.1\r\nHost: here\r\n\r\n"]
)
def test_what_cannot_be_read_is_answered_with_a_problem(jwks_file: Path, signer: Signer, sent: bytes) -> None:
    with served(environment(jwks_file, signer)) as (_, port), socket.create_connection(("127.0.0.1", port), 20) as line:
        line.sendall(sent)
        response = http.client.HTTPResponse(line)
        response.begin()
        assert (response.status, response.headers["content-type"]) == (400, "application/problem+json")
        problem = json.loads(response.read())
        assert (problem["code"], problem["trace_id"]) == ("malformed-request", None)
        assert line.recv(1) == b""


def test_a_second_signal_stops_at_once(jwks_file: Path, signer: Signer) -> None:
    with served(environment(jwks_file, signer, TANDEM_DRAIN_SECONDS="600")) as (process, port):
        with connect(port) as connection:
            ask(connection, "/readyz")
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        assert "draining" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == -signal.SIGTERM


def test_metrics_have_a_port_of_their_own(jwks_file: Path, signer: Signer) -> None:
    metrics_port = free_port()
    variables = environment(jwks_file, signer, TANDEM_METRICS_PORT=str(metrics_port))
    with served(variables) as (_, port), connect(port) as service, connect(metrics_port) as metrics:
        ask(service, "/v1/nothing")
        response, body = ask(metrics, "/metrics")
        assert response.status == 200
        assert b'tandem_http_requests_total{method="GET",route="unmatched",status="401"} 1.0' in body
        assert ask(service, "/metrics")[0].status == 404


def test_the_last_spans_are_sent_before_the_process_ends(jwks_file: Path, signer: Signer) -> None:
    with collecting() as collector:
        sent_to = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint, "NO_PROXY": "*"}
        with served(environment(jwks_file, signer, TANDEM_DRAIN_SECONDS="0", **sent_to)) as (process, port):
            with connect(port) as connection:
                ask(connection, "/v1/slow?seconds=0")
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == -signal.SIGTERM
    assert collector.named("GET /v1/slow").service == "thing-service"


def nothing(settings: ServiceSettings) -> Api:
    return create_api(settings, title="Nothing", routers=[])


def test_wrong_settings_are_all_listed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TANDEM_METRICS_PORT", "many")
    monkeypatch.delenv("TANDEM_ISSUER", raising=False)
    code = service_command(ServiceSettings, package=SAMPLE, create_app=nothing, work=lambda _: 0, arguments=["migrate"])
    told = capsys.readouterr()
    assert code == 2
    assert told.out == ""
    lines = told.err.splitlines()
    assert any(line.startswith("TANDEM_METRICS_PORT: ") for line in lines)
    assert any(line.startswith("TANDEM_ISSUER: ") for line in lines)
    assert "Traceback" not in told.err


def test_a_command_may_need_another_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], jwks_file: Path, signer: Signer
) -> None:
    for name, value in environment(jwks_file, signer).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("chassis.cli.logs.configure", lambda *_: Lines(sys.stdout))

    code = service_command(ServiceSettings, package=SAMPLE, create_app=nothing, work=lambda _: 7, arguments=["migrate"])
    assert (code, capsys.readouterr().err) == (2, "TANDEM_OWNER_PASSWORD: this command needs it\n")
    assert (
        service_command(ServiceSettings, package=SAMPLE, create_app=nothing, work=lambda _: 7, arguments=["work"]) == 7
    )


def test_the_document_needs_no_environment(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TANDEM_SERVICE_NAME", "thing-service")
    code = service_command(ServiceSettings, package=SAMPLE, create_app=nothing, work=lambda _: 0, arguments=["openapi"])
    assert code == 0
    assert json.loads(capsys.readouterr().out)["info"]["title"] == "Nothing"


@pytest.mark.parametrize("port", ["99999", "65536", "-1", "http"])
def test_a_port_that_is_none_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        service_command(
            ServiceSettings,
            package=SAMPLE,
            create_app=nothing,
            work=lambda _: 0,
            arguments=["serve", "--port", port],
        )
    assert refused.value.code == 2
    assert "--port" in capsys.readouterr().err
