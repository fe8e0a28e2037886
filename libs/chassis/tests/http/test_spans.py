import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import httpx
import pytest

from chassis import tracing
from chassis.http.app import Api
from chassis.testkit.clients import client_of
from chassis.testkit.collector import Collector, collecting

THING = "/v1/things/0190f7a4-7d2e-7aaa-8aaa-000000000001"
TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting() as one:
        monkeypatch.setenv(ENDPOINT, one.endpoint)
        assert tracing.switch_on("thing-service", os.environ) == []
        try:
            yield one
        finally:
            tracing.switch_off()


def given(flags: str) -> dict[str, str]:
    return {"traceparent": f"00-{TRACE}-{SPAN}-{flags}"}


async def test_a_request_is_one_span(collector: Collector, client: httpx.AsyncClient) -> None:
    assert (await client.get(THING, headers=given("01") | {"cookie": "hidden"})).status_code == 200
    await client.get("/healthz", headers=given("01"))
    tracing.switch_off()
    [span] = collector.spans
    assert (span.service, span.name, span.kind) == ("thing-service", "GET /v1/things/{thing_id}", "server")
    assert (span.trace, span.parent, span.failed) == (TRACE, SPAN, False)
    assert span.attributes == {
        "http.request.method": "GET",
        "http.route": "/v1/things/{thing_id}",
        "http.response.status_code": 200,
        "url.path": THING,
        "url.scheme": "http",
        "network.protocol.version": "1.1",
    }


async def test_a_new_trace_begins_where_none_is_given(collector: Collector, client: httpx.AsyncClient) -> None:
    told = (await client.post("/v1/things", json={"name": "a"})).json()
    tracing.switch_off()
    [span] = collector.spans
    assert span.parent == ""
    assert told["traceparent"].split("-")[1:3] == [span.trace, span.id]
    assert told["correlation"] == span.trace


async def test_what_the_caller_does_not_sample_is_passed_on_but_not_recorded(
    collector: Collector, client: httpx.AsyncClient
) -> None:
    told = (await client.post("/v1/things", json={"name": "a"}, headers=given("00"))).json()
    tracing.switch_off()
    assert collector.spans == []
    _, trace, span, flags = told["traceparent"].split("-")
    assert (trace, flags) == (TRACE, "00")
    assert span != SPAN


async def test_the_environment_says_how_many_are_sampled(
    monkeypatch: pytest.MonkeyPatch, client: httpx.AsyncClient
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0")
    with collecting() as collector:
        monkeypatch.setenv(ENDPOINT, collector.endpoint)
        tracing.switch_on("thing-service", os.environ)
        for headers in ({}, {}, given("01")):
            await client.get(THING, headers=headers)
        tracing.switch_off()
    assert [span.trace for span in collector.spans] == [TRACE]


async def test_refusals_are_answers_and_faults_are_failures(
    collector: Collector, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    for path in ("/v1/things/refusals/conflict", "/v1/things/failures/one", "/v1/nothing/at/all"):
        await client.get(path) if "refusals" not in path else await client.post(path)
    tracing.switch_off()
    refused, failed, unknown = collector.spans
    assert (refused.attributes["http.response.status_code"], refused.failed) == (409, False)
    assert (failed.attributes["http.response.status_code"], failed.failed) == (500, True)
    assert failed.attributes["error.type"] == "500"
    assert (unknown.name, "http.route" in unknown.attributes) == ("GET", False)
    assert "a secret of ours" not in repr(collector.spans)
    assert not caplog.records


async def test_no_token_is_told(collector: Collector, api: Api, token: Callable[..., str]) -> None:
    bearer = token("things:read")
    async with client_of(api, bearer) as client:
        await client.get("/v1/answers/s3cret")
        await client.get("/v1/answers/s3cret/more")
        await client.get(f"{THING}?access_token={bearer}")
    async with client_of(api) as client:
        await client.get("/v1/answers/s3cret/more")
    tracing.switch_off()
    told = repr(collector.spans)
    assert "s3cret" not in told.replace("/v1/answers/s3cret/more", "", 1)  # a path that a caller with a token made up
    assert bearer not in told
    assert [span.attributes["url.path"] for span in collector.spans] == [
        "/v1/answers/{token}",
        "/v1/answers/s3cret/more",
        THING,
        "/v1/answers/…",
    ]


def test_a_collector_that_is_away_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("chassis.spans.CLOSE_SECONDS", 0.2)
    with collecting() as collector:
        monkeypatch.setenv(ENDPOINT, collector.endpoint)
    assert tracing.switch_on("thing-service", os.environ) == []
    trace = tracing.request(None, "r-1", {"method": "GET"})
    assert trace.recorded is not None
    trace.recorded.answered("GET", None, "/", 200)
    tracing.switch_off()
    caplog.clear()


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {ENDPOINT: ""},
        {ENDPOINT: "http://collector", "OTEL_SDK_DISABLED": "true"},
        {ENDPOINT: "http://collector", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_it_is_off_unless_the_environment_names_a_collector(environment: dict[str, str]) -> None:
    assert tracing.switch_on("thing-service", environment) == []
    assert tracing._Switch.spans is None


def test_another_protocol_is_a_wrong_setting() -> None:
    environment = {ENDPOINT: "http://collector", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    assert tracing.switch_on("thing-service", environment) == [
        "OTEL_EXPORTER_OTLP_PROTOCOL: spans are sent as http/protobuf, not as grpc"
    ]
    assert tracing._Switch.spans is None


def test_nothing_is_loaded_while_it_is_off() -> None:
    program = """
import os, sys
import chassis.cli, chassis.working, chassis.events.consumer
from chassis import tracing
tracing.switch_on("thing-service", os.environ)
trace = tracing.request(None, "r-1", {"method": "GET"})
assert trace.recorded is None and trace.flags == "00"
loaded = [name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter", "google"))]
assert not loaded, loaded
"""
    subprocess.run([sys.executable, "-c", program], check=True, env={})
