import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any, Literal

import asyncpg
import pytest
import structlog

from chassis import logs
from chassis.caller import Caller
from chassis.http import Router
from chassis.http.app import create_api
from chassis.settings import ServiceSettings
from chassis.testkit.clients import client_of
from chassis.testkit.databases import Pools
from chassis.testkit.tokens import Signer
from chassis.tracing import CURRENT, Trace, continued

Configure = Callable[[Literal["json", "console"]], logs.Lines]
Lines = Callable[[], list[dict[str, Any]]]
LISTED = {"timestamp", "level", "event", "service", "logger"}


@pytest.fixture
def configured() -> Iterator[Configure]:
    """Set logging up as a process does, and undo it."""
    before = structlog.get_config()
    handlers, level = logging.root.handlers[:], logging.root.level
    yield lambda style: logs.configure("thing-service", "INFO", style)
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    structlog.configure(**before)


@pytest.fixture
def trace() -> Iterator[Trace]:
    one = continued(None, "r-1")
    unset = CURRENT.set(one)
    yield one
    CURRENT.reset(unset)


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def own_lines(lines: Lines) -> Lines:
    """The lines of the test alone: while one waits, what other tests left behind may say something too."""
    return lambda: [line for line in lines() if line["event"] in {"told", "warned"}]


async def test_lines_that_inform_leave_together(configured: Configure, own_lines: Lines) -> None:
    configured("json")
    for number in range(3):
        structlog.get_logger().info("told", number=number)
    assert own_lines() == []
    await asyncio.sleep(2 * logs.GATHER_SECONDS)
    assert [line["number"] for line in own_lines()] == [0, 1, 2]


@pytest.mark.parametrize("logger_of", [structlog.get_logger, logging.getLogger])
async def test_a_warning_leaves_at_once_after_what_was_gathered(
    configured: Configure, own_lines: Lines, logger_of: Callable[[str], Any]
) -> None:
    configured("json")
    structlog.get_logger().info("told")
    logger_of("theirs").warning("warned")
    assert [line["event"] for line in own_lines()] == ["told", "warned"]
    await asyncio.sleep(2 * logs.GATHER_SECONDS)
    assert own_lines() == []


def test_what_was_gathered_is_written_at_the_end(configured: Configure, own_lines: Lines) -> None:
    gathered = configured("json")

    async def work() -> None:
        structlog.get_logger().info("told")

    asyncio.run(work())
    assert own_lines() == []
    gathered.flush()
    assert [line["event"] for line in own_lines()] == ["told"]


def test_a_line_says_where_it_belongs(configured: Configure, lines: Lines, trace: Trace) -> None:
    configured("json")
    trace.org = "acme"
    structlog.get_logger().info("ours")
    logging.getLogger("theirs").warning("theirs")
    structlog.get_logger().info("of another", org="other")
    told = lines()
    for line in told[:2]:
        assert {name: line[name] for name in ("service", "trace_id", "span_id", "request_id", "org")} == {
            "service": "thing-service",
            "trace_id": trace.trace_id,
            "span_id": trace.span_id,
            "request_id": "r-1",
            "org": "acme",
        }
        assert line["timestamp"].endswith("Z")
    assert told[2]["org"] == "other"


def test_a_line_outside_of_any_request_is_plain(configured: Configure, lines: Lines) -> None:
    configured("json")
    logging.getLogger("theirs").warning("theirs")
    [line] = lines()
    assert set(line) == LISTED


def test_what_the_standard_library_s_loggers_add_is_told(configured: Configure, lines: Lines) -> None:
    configured("json")
    logging.getLogger("chassis").warning("lease interrupted", extra={"lease": "a", "reason": "away"})
    logging.getLogger("uvicorn.error").info("Started %s", "it", extra={"color_message": "Started \x1b[36mit"})
    interrupted, started = lines()
    assert (interrupted["event"], interrupted["lease"], interrupted["reason"]) == ("lease interrupted", "a", "away")
    assert (started["event"], set(started)) == ("Started it", LISTED)


def test_requests_of_clients_and_accesses_are_not_told_twice(configured: Configure, lines: Lines) -> None:
    configured("json")
    for name in ("uvicorn.access", "httpx", "httpcore"):
        logging.getLogger(name).info("GET https://sibling/v1/events?after=1.1")
    assert lines() == []


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_failure_is_told_without_the_values_at_hand(
    style: Literal["json", "console"],
    configured: Configure,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(password: str) -> int:
        return len(password) // 0

    configured(style)
    secret = token_hex()
    try:
        fail(secret)
    except ZeroDivisionError as error:
        structlog.get_logger().error("failed", exc_info=error)
        logging.getLogger("theirs").exception("failed")
    told = capsys.readouterr().out
    assert told.count("ZeroDivisionError") == 2
    assert secret not in told


async def test_neither_tokens_nor_headers_nor_passwords_are_told(
    configured: Configure,
    lines: Lines,
    monkeypatch: pytest.MonkeyPatch,
    signer: Signer,
    jwks_file: Path,
    notes_pools: Pools,
) -> None:
    gathered = configured("json")
    monkeypatch.setattr("chassis.http.edge.LOG", structlog.get_logger())
    settings = ServiceSettings(
        service_name="thing-service",
        database_host="nowhere",
        database_name="nothing",
        jwks_url=jwks_file.as_uri(),
        issuer=signer.issuer,
        cursor_secret="c0rsor",  # type: ignore[arg-type]  # pydantic makes it one
    )
    routes = Router("/answers")

    @routes.get("/{token}")
    async def get_answer(token: str) -> str:
        if token == "s3cret-fault":
            raise RuntimeError("at fault")
        return "ok"

    @routes.get("/of/mine")
    async def fail_in_the_database() -> str:
        async with notes_pools.runtime.begin(Caller(org="acme", subject="ada")) as tx:
            await tx.connection.execute("SELECT nothing")
        return "ok"

    api = create_api(settings, title="Things", routers=[routes], open_path_patterns=["/v1/answers/{token}"])
    bearer = signer.token("things:read", org="acme", aud="thing-service")
    hidden = {"Cookie": "session=c00kie", "Idempotency-Key": "k3y"}
    async with client_of(api, bearer) as client:
        for path in ("s3cret", "s3cret-fault", "s3cret?token=qu3ry", "of/mine"):
            await client.get(f"/v1/answers/{path}", headers=hidden)
        await client.get("/v1/answers/s3cret/x", headers={"Authorization": f"Bearer {bearer}x"})
    gathered.flush()
    told = lines()
    assert [line["event"] for line in told].count("request") == 5
    assert {line["event"] for line in told} == {"request", "request_failed"}
    for secret in (bearer, "s3cret", "c00kie", "k3y", "qu3ry", "c0rsor", notes_pools.runtime.address.password):
        assert secret not in json.dumps(told)
    assert asyncpg.UndefinedColumnError.__name__ in json.dumps(told)
    assert {line["path"] for line in told} == {"/v1/answers/{token}", "/v1/answers/of/mine", "/v1/answers/…"}
    assert {line.get("org") for line in told if line["path"] == "/v1/answers/of/mine"} == {"acme"}
