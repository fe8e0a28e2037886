import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import product

import httpx
import pytest
import structlog
from fastapi import Depends, FastAPI
from prometheus_client import CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import Message, Receive, Scope, Send

from chassis import logs
from chassis.addresses import DatabaseAddress
from chassis.database import entered
from chassis.http import needs
from chassis.http.app import Api, create_api
from chassis.http.dispatch import Dispatch
from chassis.http.draining import Drain
from chassis.http.edge import Edge
from chassis.http.routes import Router
from chassis.metrics import RequestMetrics
from chassis.rejection import Rejection
from chassis.settings import ServiceSettings
from chassis.testkit.clients import client_of
from chassis.tracing import CURRENT, continued

THING = "/v1/things/0190f7a4-7d2e-7aaa-8aaa-000000000001"


async def test_readiness_holds_while_every_check_passes(
    settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing: dict[str, Exception | None] = {"database": None, "schema": None}

    def check(name: str) -> object:
        async def passes() -> None:
            error = failing[name]
            if error is not None:
                raise error

        return passes

    async def hang() -> None:
        await asyncio.Event().wait()

    checks = {name: check(name) for name in failing}
    api = create_api(settings, title="Ready", routers=[], ready_checks=checks)  # type: ignore[arg-type]
    async with client_of(api) as client:
        assert (await client.get("/readyz")).json() == {
            "status": "ready",
            "checks": {"database": "ok", "schema": "ok"},
        }
        for error in (OSError(), Rejection("unavailable", "overloaded", "Full."), ValueError("unforeseen")):
            failing["database"] = error
            refused = await client.get("/readyz")
            assert refused.status_code == 503
            assert refused.json()["checks"] == {"database": "failed", "schema": "ok"}
            assert (await client.get("/healthz")).status_code == 200
    monkeypatch.setattr("chassis.http.health.CHECK_SECONDS", 0.01)
    async with client_of(create_api(settings, title="Slow", routers=[], ready_checks={"slow": hang})) as client:
        assert (await client.get("/readyz")).status_code == 503


async def test_a_database_that_is_away_is_one_line_of_the_log_at_each_probe(settings: ServiceSettings) -> None:
    async def check() -> None:
        await entered(DatabaseAddress(host="/nowhere", port=1, name="none", role="none", password="none"))

    async with client_of(create_api(settings, title="Away", routers=[], ready_checks={"schema": check})) as client:
        with structlog.testing.capture_logs() as lines:
            assert (await client.get("/readyz")).status_code == 503
    (line,) = (line for line in lines if line["event"] == "not_ready")
    assert (line["log_level"], line["error"], line.get("exc_info")) == ("warning", "UnfitError", None)


async def test_a_draining_server_sends_everyone_away(api: Api, client: httpx.AsyncClient) -> None:
    assert "connection" not in (await client.get("/healthz")).headers
    waiting = asyncio.create_task(api.drain.wait())
    api.drain.begin()
    await waiting
    assert (await client.get("/readyz")).status_code == 503
    for path in ("/healthz", THING, "/v1/nothing"):
        assert (await client.get(path)).headers["connection"] == "close"
    assert (await client.get(THING)).status_code == 200


async def test_each_client_of_an_organisation_may_ask_so_often(
    settings: ServiceSettings, token: Callable[..., str]
) -> None:
    limited = settings.model_copy(update={"requests_per_second": 1})
    routes = Router("/things")

    @routes.get("/one", dependencies=[Depends(needs("things:read"))])
    async def get_one() -> str:
        return "one"

    api = create_api(limited, title="Things", routers=[routes])
    bearers = {who: token("things:read", org=who[0], sub=who[1]) for who in product(("acme", "other"), ("ada", "bob"))}
    async with client_of(api) as client:

        async def ask(org: str, sub: str) -> httpx.Response:
            return await client.get("/v1/things/one", headers={"Authorization": f"Bearer {bearers[org, sub]}"})

        assert {(await ask("acme", "ada")).status_code for _ in range(10)} == {200}
        refused = await ask("acme", "ada")
        assert (refused.status_code, refused.json()["code"]) == (429, "too-many-requests")
        assert refused.headers["Retry-After"] == "1"
        assert refused.headers["RateLimit-Policy"] == '"requests";q=10;w=10'
        assert refused.headers["RateLimit"] == '"requests";r=0;t=1'
        assert {(await ask(*who)).status_code for who in bearers if who != ("acme", "ada")} == {200}
        assert (await client.get("/healthz")).status_code == 200
        await asyncio.sleep(1)
        assert (await ask("acme", "ada")).status_code == 200


async def test_resources_live_as_long_as_the_application(settings: ServiceSettings) -> None:
    told = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        told.append("opened")
        yield
        told.append("closed")

    async with client_of(create_api(settings, title="Living", routers=[], lifespan=lifespan)):
        assert told == ["opened"]
    assert told == ["opened", "closed"]


def test_a_route_takes_one_body_only() -> None:
    router = Router("/x")
    with pytest.raises(TypeError, match="more than one body"):

        @router.post("")
        async def both(one: dict[str, str], two: dict[str, str]) -> None: ...


def test_what_has_no_fixed_path_is_not_dispatched() -> None:
    async def nothing(scope: Scope, receive: Receive, send: Send) -> None: ...

    with pytest.raises(TypeError, match="fixed length"):
        Dispatch([Mount("/files", nothing)], nothing)


async def test_fixed_segments_come_before_variable_ones(settings: ServiceSettings) -> None:
    router = Router("/a")

    @router.get("/{one}/c")
    async def variable(one: str) -> str:
        return f"variable {one}"

    @router.get("/b/{two}")
    async def fixed(two: str) -> str:
        return f"fixed {two}"

    @router.get("/b:{verb}")
    async def verb(verb: str) -> str:
        return f"verb {verb}"

    @router.post("/{one}/c")
    async def posted(one: str) -> str:
        return f"posted {one}"

    api = create_api(settings, title="Paths", routers=[router], open_path_patterns=["/v1/a/{x}/{y}", "/v1/a/{x}"])
    async with client_of(api) as client:
        assert (await client.get("/v1/a/b/c")).json() == "fixed c"
        assert (await client.get("/v1/a/x/c")).json() == "variable x"
        assert (await client.get("/v1/a/b:go")).json() == "verb go"
        assert (await client.post("/v1/a/b/c")).json() == "posted b"
        assert (await client.delete("/v1/a/b/c")).headers["allow"] == "GET, HEAD, POST"


def edge(app: object, metrics: RequestMetrics) -> Edge:
    return Edge(
        app,  # type: ignore[arg-type]  # an application without its types
        metrics=metrics,
        drain=Drain(),
        body_bytes_max=100,
        bulk_body_bytes_max=100,
    )


def request(method: str = "GET") -> Scope:
    return {"type": "http", "method": method, "path": "/x", "raw_path": b"/x", "query_string": b"", "headers": []}


async def disconnected() -> Message:
    return {"type": "http.disconnect"}


async def test_a_failure_after_the_answer_began_breaks_the_connection() -> None:
    async def half(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("half way")

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    with pytest.raises(RuntimeError, match="half way"):
        await edge(half, RequestMetrics(CollectorRegistry()))(request(), disconnected, send)
    assert [message["type"] for message in sent] == ["http.response.start"]


async def test_a_client_that_left_gets_no_answer() -> None:
    async def body_reader(scope: Scope, receive: Receive, _: Send) -> None:
        await Request(scope, receive).body()

    registry = CollectorRegistry()

    async def send(message: Message) -> None:
        raise AssertionError(message)

    await edge(body_reader, RequestMetrics(registry))(request("POST"), disconnected, send)
    assert b'status="499"' in generate_latest(registry)


async def test_requests_are_counted_by_route() -> None:
    registry = CollectorRegistry()
    metrics = RequestMetrics(registry)
    seen = []

    async def found(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(metrics.running)
        await Response("ok")(scope, receive, send)

    async def send(message: Message) -> None: ...

    for method in ("GET", "GET", "HEAD", "BREW"):
        await edge(found, metrics)(request(method), disconnected, send)
    assert registry.get_sample_value(
        "tandem_http_requests_total", {"method": "GET", "route": "unmatched", "status": "200"}
    ) == len(["GET", "GET"])
    for method in ("HEAD", "OTHER"):
        labels = {"method": method, "route": "unmatched"}
        assert registry.get_sample_value("tandem_http_request_duration_seconds_count", labels) == 1
    assert seen == [1, 1, 1, 1]
    assert registry.get_sample_value("tandem_http_requests_in_progress") == 0


async def test_a_request_is_one_line_of_json(
    api: Api, token: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with structlog.testing.capture_logs() as lines:
        monkeypatch.setattr("chassis.http.edge.LOG", structlog.get_logger())
        async with client_of(api, token("things:read", org="acme", sub="ada")) as client:
            await client.get(THING, headers={"X-Request-Id": "r-1"})
            await client.get("/healthz")
    [line] = lines
    assert line.pop("ms") >= 0
    assert line == {
        "event": "request",
        "log_level": "info",
        "method": "GET",
        "path": THING,
        "route": "/v1/things/{thing_id}",
        "status": 200,
        "bytes": 46,
        "org": "acme",
        "subject": "ada",
    }


def test_log_lines_carry_their_trace(capsys: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    handlers, level = logging.root.handlers[:], logging.root.level
    trace = continued(None, "r-2")
    unset = CURRENT.set(trace)
    try:
        logs.configure("thing-service", "INFO", "json")
        structlog.get_logger().info("ours", number=1)
        structlog.get_logger().debug("too quiet")
        logging.getLogger("uvicorn.error").warning("theirs %s", "too")
        logging.getLogger("asyncio").error("failed", exc_info=ValueError("inside"))
    finally:
        CURRENT.reset(unset)
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)
        structlog.configure(**before)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["event"], line["level"]) for line in lines] == [
        ("ours", "info"),
        ("theirs too", "warning"),
        ("failed", "error"),
    ]
    for line in lines:
        assert (line["service"], line["request_id"]) == ("thing-service", "r-2")
        assert (line["trace_id"], line["span_id"]) == (trace.trace_id, trace.span_id)
    assert "inside" in lines[2]["exception"]
