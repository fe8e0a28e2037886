import http.client
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from portal.keys import SigningKeys, create_signing_key
from tandem_local.gateway import SOURCE, UPSTREAMS, envoy_command, render_configuration
from tandem_local.ports import choose_ports

ISSUER = "https://tandem.test"
MEBIBYTE = 1024 * 1024


class Upstream(BaseHTTPRequestHandler):
    """Every service and the portal at once: answers with what reached it."""

    protocol_version = "HTTP/1.1"
    keys: SigningKeys

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        if "slow" in self.headers:
            time.sleep(float(self.headers["slow"]))
        content: dict[str, Any] = {"path": self.path, "headers": dict(self.headers.items()), "bytes": len(body)}
        if self.path == "/.well-known/jwks.json":
            content = self.keys.key_set()
        payload = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(payload)

    do_GET = do_POST = do_OPTIONS = answer  # noqa: N815 - the base class names them so

    def log_message(self, *_: object) -> None:
        return


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    content: Any


@dataclass
class Gateway:
    port: int
    admin_port: int
    configuration: Path
    keys: SigningKeys
    values: dict[str, Any] = field(default_factory=dict)

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        signed: bool = True,
        port: int | None = None,
    ) -> Answer:
        """Send a request as it is written; most clients would tidy up the path."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=10)
        token = {"Authorization": f"Bearer {self.token()}"} if signed else {}
        try:
            connection.request(method, path, body=body, headers=token | (headers or {}))
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        found = {name.lower(): value for name, value in response.getheaders()}
        is_json = "json" in found.get("content-type", "")
        return Answer(response.status, found, json.loads(text) if is_json and text else text.decode())

    def token(self, *, issuer: str = ISSUER, lifetime: timedelta = timedelta(hours=1)) -> str:
        return self.keys.sign(
            issuer=issuer, subject="ada", org="default", scopes=["catalog:read"], audiences=["any"], lifetime=lifetime
        )

    def counter(self, name: str) -> int:
        text = self.ask(f"/stats?filter={name}", port=self.admin_port, signed=False).content
        return sum(int(line.rpartition(": ")[2]) for line in text.splitlines() if line.rpartition(": ")[2].isdigit())


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("gateway")
    create_signing_key(folder / "keys")
    keys = SigningKeys.load(folder / "keys")
    upstream = ThreadingHTTPServer(("127.0.0.1", 0), type("Answering", (Upstream,), {"keys": keys}))
    upstream.daemon_threads = True
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    ports = choose_ports(folder / "ports.json", ["gateway", "admin", "nobody"])
    # The templates as they are, but for a time limit that a test can wait for.
    source = folder / "templates"
    shutil.copytree(SOURCE, source)
    routes = source / "routes.yaml"
    routes.write_text(routes.read_text().replace("timeout: 60s", "timeout: 0.4s"))
    values: dict[str, Any] = {
        "port": ports["gateway"],
        "admin_port": ports["admin"],
        "upstreams": {name: [upstream.server_port] for name in UPSTREAMS} | {"kpi-engine": [ports["nobody"]]},
        "issuer": ISSUER,
        "source": source,
    }
    configuration = folder / "envoy"
    configuration.mkdir()
    bootstrap = render_configuration(configuration, **values)
    running = Gateway(ports["gateway"], ports["admin"], configuration, keys, values)
    with (folder / "envoy.log").open("wb") as log:
        process = subprocess.Popen(envoy_command(bootstrap), stdout=log, stderr=log)
    try:
        wait_for(running)
        yield running
    finally:
        process.terminate()
        process.wait(10)
        upstream.shutdown()
        upstream.server_close()


def wait_for(gateway: Gateway) -> None:
    for _ in range(200):
        try:
            if gateway.ask("/service-catalog/v1/x").status == 200:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise AssertionError((gateway.configuration.parent / "envoy.log").read_text())


def assert_problem(answer: Answer, status: int, code: str, instance: str) -> None:
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.content["type"] == f"urn:tandem:problem:{code}"
    assert answer.content["status"] == status
    assert answer.content["code"] == code
    assert answer.content["title"]
    assert answer.content["detail"]
    assert answer.content["instance"] == instance
    assert answer.content["trace_id"] == answer.headers["x-request-id"]


def test_envoy_takes_the_whole_configuration(gateway: Gateway) -> None:
    command = [*envoy_command(gateway.configuration / "bootstrap.yaml"), "--mode", "validate"]
    subprocess.run(command, check=True, capture_output=True)
    for source in ("listener_manager.lds", "cluster_manager.cds", "http.gateway.rds.gateway"):
        assert gateway.counter(f"{source}.update_rejected") == 0
        assert gateway.counter(f"{source}.update_success") >= 1


@pytest.mark.parametrize("service", ["service-catalog", "project-tracker"])
def test_a_service_sees_its_own_paths_and_is_told_the_prefix(gateway: Gateway, service: str) -> None:
    for path in ("/v1/services?limit=1", "/v1/services:batch", "/v1/events?after=1.0", "/v1/events/stream"):
        answer = gateway.ask(f"/{service}{path}")
        assert answer.content["path"] == path
        assert answer.content["headers"]["x-forwarded-prefix"] == f"/{service}"
        assert answer.content["headers"]["authorization"].startswith("Bearer ")


def test_nobody_outside_speaks_in_the_gateways_name(gateway: Gateway) -> None:
    forged = {
        "X-Forwarded-Prefix": "/evil",
        "X-Forwarded-For": "8.8.8.8",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "X-Real-Ip": "8.8.8.8",
        "Forwarded": "for=8.8.8.8",
        "X-Envoy-Original-Path": "/evil",
        "X-Envoy-External-Address": "8.8.8.8",
        "X-Envoy-Internal": "true",
        "X-Envoy-Upstream-Rq-Timeout-Ms": "9999999",
        "X-Tandem-Org": "other",
    }
    seen = gateway.ask("/service-catalog/v1/x", headers=forged).content["headers"]
    assert seen["x-forwarded-prefix"] == "/service-catalog"
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert seen["x-forwarded-proto"] == "http"
    assert seen["x-envoy-original-path"] == "/service-catalog/v1/x"
    assert not {"x-forwarded-host", "x-real-ip", "forwarded", "x-envoy-internal", "x-tandem-org"} & seen.keys()
    assert "8.8.8.8" not in json.dumps(seen)
    assert "evil" not in json.dumps(seen)
    trusted = gateway.ask("/service-catalog/v1/x").content["headers"]
    assert trusted["x-forwarded-for"] == "127.0.0.1"
    assert "x-envoy-internal" not in trusted
    del forged["X-Forwarded-For"]
    portal = gateway.ask("/docs", headers=forged).content["headers"]
    assert "9999999" not in json.dumps(portal)
    assert "x-forwarded-prefix" not in portal


def test_every_answer_names_its_request(gateway: Gateway) -> None:
    answer = gateway.ask("/service-catalog/v1/x")
    assert answer.headers["x-request-id"] == answer.content["headers"]["x-request-id"]
    assert len(answer.headers["x-request-id"]) == 36
    assert "x-envoy-upstream-service-time" not in answer.headers
    given = gateway.ask("/service-catalog/v1/x", headers={"X-Request-Id": "my-own"})
    assert given.headers["x-request-id"] == given.content["headers"]["x-request-id"] == "my-own"


@pytest.mark.parametrize(
    "path",
    [
        "/service-catalog/v1/x",
        "/service-catalog/v1/survey-responses/answer:batch",
        "/service-catalog/v1/survey-responses/answer/x",
        "/kpi-engine/v1/kpis",
        "/overview/services/1",
        "/docs/../project-tracker/v1/x",
    ],
)
def test_without_a_token_nobody_passes(gateway: Gateway, path: str) -> None:
    answer = gateway.ask(path, signed=False)
    assert_problem(answer, 401, "token-missing", path.removeprefix("/docs/.."))
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_token_must_be_ours_and_in_time_and_in_the_header(gateway: Gateway) -> None:
    for token in (
        "rubbish",
        gateway.token(issuer="https://elsewhere.test"),
        gateway.token(lifetime=timedelta(seconds=-60)),
        gateway.token()[:-8] + "AAAAAAAA",
    ):
        answer = gateway.ask("/service-catalog/v1/x", headers={"Authorization": f"Bearer {token}"}, signed=False)
        assert_problem(answer, 401, "token-invalid", "/service-catalog/v1/x")
    assert gateway.ask(f"/service-catalog/v1/x?access_token={gateway.token()}", signed=False).status == 401


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/openapi.json",
        "/docs",
        "/docs/swagger-ui.css",
        "/healthz",
        "/readyz",
        "/.well-known/jwks.json",
        "/oauth/token",
        "/service-catalog/openapi.json",
        "/project-tracker/healthz",
        "/project-tracker/readyz",
        "/service-catalog/v1/survey-responses/answer",
    ],
)
def test_what_is_open_is_open(gateway: Gateway, path: str) -> None:
    assert gateway.ask(path, signed=False).status == 200


@pytest.mark.parametrize("path", ["/nowhere", "/docsx", "/metrics", "/openapi.json/x", "/service-catalogue/v1"])
def test_a_path_nobody_answers_at(gateway: Gateway, path: str) -> None:
    assert_problem(gateway.ask(path, signed=False), 404, "no-such-path", path)


@pytest.mark.parametrize(("path", "limit"), [("/v1/x", MEBIBYTE), ("/v1/x:batch", 16 * MEBIBYTE)])
def test_bodies_are_bounded(gateway: Gateway, path: str, limit: int) -> None:
    fits = gateway.ask(f"/service-catalog{path}", method="POST", body=b"x" * limit)
    assert (fits.status, fits.content["bytes"]) == (200, limit)
    large = gateway.ask(f"/service-catalog{path}", method="POST", body=b"x" * (limit + 1))
    assert_problem(large, 413, "body-too-large", f"/service-catalog{path}")


def test_a_service_that_takes_too_long(gateway: Gateway) -> None:
    answer = gateway.ask("/service-catalog/v1/x?secret=1", headers={"Slow": "1"})
    assert_problem(answer, 504, "service-timeout", "/service-catalog/v1/x")


@pytest.mark.parametrize("path", ["/v1/events", "/v1/events/stream", "/v1/x:batch"])
def test_the_log_and_bulk_bodies_have_more_time(gateway: Gateway, path: str) -> None:
    assert gateway.ask(f"/service-catalog{path}", headers={"Slow": "0.8"}).status == 200


def test_a_service_that_is_away(gateway: Gateway) -> None:
    answer = gateway.ask("/kpi-engine/v1/kpis")
    assert_problem(answer, 503, "service-unavailable", "/kpi-engine/v1/kpis")
    assert answer.headers["retry-after"] == "1"


def test_there_is_one_way_to_write_a_path_or_a_header(gateway: Gateway) -> None:
    assert gateway.ask("/service-catalog/v1//x/./y/../z").content["path"] == "/v1/x/z"
    for path in ("/service-catalog/v1/a%2Fb", "/service-catalog/v1/a%5Cb"):
        answer = gateway.ask(path)
        assert answer.status == 400
        assert answer.content["code"] == "malformed-request"
    answer = gateway.ask("/service-catalog/v1/x", headers={"X_Org": "other"})
    assert answer.status == 400


@pytest.mark.parametrize(
    ("status", "path", "headers"),
    [
        (400, "/service-catalog/v1/x", {"X_Org": "other"}),
        (400, "/service-catalog/v1/a%2Fb", {}),
        (400, "/service-catalog/v1/a%2Fb", {"X-Request-Id": "my-own"}),
        (431, "/service-catalog/v1/x", {"X-Long": "a" * 70_000}),
        (403, "/service-catalog/v1/x", {"Connection": "Upgrade", "Upgrade": "websocket"}),
        (501, "/service-catalog/v1/x", {"Transfer-Encoding": "gzip"}),
    ],
)
def test_what_cannot_be_read_is_named_as_well(
    gateway: Gateway, status: int, path: str, headers: dict[str, str]
) -> None:
    answer = gateway.ask(path, headers=headers)
    assert answer.status == status
    assert answer.content["trace_id"] == answer.headers["x-request-id"]
    assert not answer.content["detail"].endswith(": .")
    assert headers.get("X-Request-Id") in {None, answer.headers["x-request-id"]}


def test_a_path_that_is_none_is_named_as_well(gateway: Gateway) -> None:
    assert_problem(gateway.ask("*", method="OPTIONS"), 404, "no-such-path", "*")


def test_browsers_of_this_machine_may_read(gateway: Gateway) -> None:
    origin = "http://localhost:5173"
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization,if-match",
    }
    preflight = gateway.ask("/service-catalog/v1/x", method="OPTIONS", headers=asked, signed=False)
    assert preflight.status == 200
    assert preflight.headers["access-control-allow-origin"] == origin
    assert "PATCH" in preflight.headers["access-control-allow-methods"]
    assert "if-match" in preflight.headers["access-control-allow-headers"]
    answer = gateway.ask("/service-catalog/v1/x", headers={"Origin": origin})
    assert "etag" in answer.headers["access-control-expose-headers"]
    refused = gateway.ask("/service-catalog/v1/x", headers={"Origin": origin}, signed=False)
    assert refused.headers["access-control-allow-origin"] == origin
    for other in ("https://evil.example", "http://localhost.evil.example", "null"):
        answer = gateway.ask("/service-catalog/v1/x", headers={"Origin": other})
        assert "access-control-allow-origin" not in answer.headers


def test_routes_are_counted_one_by_one(gateway: Gateway) -> None:
    before = gateway.counter("vhost.tandem.route.service_catalog.upstream_rq_total")
    gateway.ask("/service-catalog/v1/x")
    assert gateway.counter("vhost.tandem.route.service_catalog.upstream_rq_total") == before + 1


def test_changed_routes_take_effect_without_a_restart(gateway: Gateway, tmp_path: Path) -> None:
    assert gateway.ask("/elsewhere").status == 404
    changed = tmp_path / "templates"
    shutil.copytree(gateway.values["source"], changed)
    routes = changed / "routes.yaml"
    routes.write_text(routes.read_text().replace("match: {prefix: /oauth/}", "match: {prefix: /elsewhere}"))
    try:
        render_configuration(gateway.configuration, **{**gateway.values, "source": changed})
        for _ in range(100):
            if gateway.ask("/elsewhere").status == 200:
                break
            time.sleep(0.02)
        assert gateway.ask("/elsewhere").status == 200
    finally:
        render_configuration(gateway.configuration, **gateway.values)
