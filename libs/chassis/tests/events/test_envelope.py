import json
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from pydantic import ValidationError

from chassis.events.envelope import BATCH_JSON, STRUCTURED_JSON, read_batch, read_message
from chassis.events.handling import is_lasting, is_passing, newest
from chassis.events.preference import wait_preferred
from chassis.events.service_token import ServiceToken, TokenUnavailableError
from chassis.rejection import Rejection

EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "1",
    "source": "/monitor",
    "type": "tandem.note.created.v1",
    "subject": "notes/1",
    "time": "2026-03-01T10:00:00Z",
    "orgid": "acme",
    "aggregateversion": "0000000000000000007",
    "data": {"title": "ä"},
}


def test_all_three_modes_say_the_same() -> None:
    (structured,) = read_message({"content-type": f"{STRUCTURED_JSON}; charset=utf-8"}, json.dumps(EVENT).encode())
    (batched,) = read_message({"content-type": BATCH_JSON}, json.dumps([EVENT]).encode())
    headers = {f"ce-{name}": str(value) for name, value in EVENT.items() if name != "data"}
    body = json.dumps(EVENT["data"]).encode()
    (binary,) = read_message({**headers, "content-type": "application/json"}, body)
    assert structured == batched
    assert binary.model_copy(update={"datacontenttype": None}) == structured
    assert structured.aggregateversion == 7
    assert structured.data == {"title": "ä"}


def test_attributes_in_headers_are_percent_encoded() -> None:
    headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/a%20b", "ce-type": "t", "ce-subject": "%C3%A4"}
    (event,) = read_message(headers, b"")
    assert (event.source, event.subject, event.data) == ("/a b", "ä", None)


@pytest.mark.parametrize(
    "change",
    [
        {"specversion": "0.3"},
        {"specversion": None},
        {"id": ""},
        {"id": 7},
        {"source": None},
        {"type": ""},
        {"time": 0},
        {"recordedtime": 1.5},
        {"time": "yesterday"},
        {"time": "2026-03-01T10:00:00"},
        {"Upper": "x"},
        {"with-dash": "x"},
        {"deep": {"a": 1}},
        {"aggregateversion": "-1"},
        {"aggregateversion": True},
    ],
)
def test_a_broken_event_is_malformed(change: dict[str, Any]) -> None:
    with pytest.raises(Rejection) as refused:
        read_message({"content-type": STRUCTURED_JSON}, json.dumps(EVENT | change).encode())
    assert (refused.value.kind, refused.value.code) == ("malformed", "not-a-cloudevent")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_json_has_no_number_for_is_malformed(number: str) -> None:
    event, data = json.dumps(EVENT | {"data": "?"}).replace('"?"', f'{{"a": {number}}}'), f'{{"a": {number}}}'
    binary = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/a", "ce-type": "t"}
    for headers, body in (
        ({"content-type": STRUCTURED_JSON}, event),
        ({"content-type": BATCH_JSON}, f"[{event}]"),
        (binary, data),
    ):
        with pytest.raises(Rejection) as refused:
            read_message(headers, body.encode())
        assert (refused.value.kind, refused.value.code) == ("malformed", "not-a-cloudevent")
    (said,) = read_message({"content-type": STRUCTURED_JSON}, json.dumps(EVENT | {"data": number}).encode())
    assert said.data == number


def test_data_may_be_something_else_than_json() -> None:
    encoded = {name: EVENT[name] for name in EVENT if name != "data"} | {"data_base64": "PGEvPg=="}
    (structured,) = read_message({"content-type": STRUCTURED_JSON}, json.dumps(encoded).encode())
    headers = {f"ce-{name}": str(value) for name, value in EVENT.items() if name != "data"}
    (binary,) = read_message({**headers, "content-type": "text/xml"}, b"<a/>")
    for event in (structured, binary):
        assert (event.data, event.data_base64) == (None, "PGEvPg==")


def test_a_refusal_does_not_repeat_what_was_sent() -> None:
    with pytest.raises(Rejection) as refused:
        read_message({"content-type": STRUCTURED_JSON}, json.dumps(EVENT | {"X" * 5000: "secret"}).encode())
    assert "secret" not in refused.value.detail
    assert len(refused.value.detail) < 250


def test_the_time_is_not_invented() -> None:
    (event,) = read_batch(json.dumps([{name: EVENT[name] for name in EVENT if name != "time"}]).encode())
    assert event.time is None
    with pytest.raises(ValueError, match="no time"):
        _ = event.happened_at


@pytest.mark.parametrize("headers", [{}, {"content-type": "application/json"}, {"content-type": "text/plain"}])
def test_what_is_no_cloudevent_is_unsupported(headers: dict[str, str]) -> None:
    with pytest.raises(Rejection) as refused:
        read_message(headers, json.dumps(EVENT).encode())
    assert refused.value.kind == "unsupported"


def test_an_extension_is_kept() -> None:
    (event,) = read_batch(json.dumps([EVENT | {"severity": "high", "count2": 3, "none": None}]).encode())
    assert event.model_extra == {"severity": "high", "count2": 3, "none": None}


def test_the_newest_of_a_subject_is_the_one_with_the_highest_version() -> None:
    steps = [{"id": "a", "aggregateversion": "2"}, {"id": "b", "aggregateversion": "1"}, {"id": "c", "subject": "x"}]
    events = read_batch(json.dumps([EVENT | step for step in steps]).encode())
    assert [event.id for event in newest(events)] == ["a", "c"]


def test_failures_are_of_the_moment_or_of_the_data() -> None:
    with pytest.raises(ValidationError) as broken:
        read_batch(b"[{}]")
    too_large = asyncpg.ProgramLimitExceededError("index row size 4136 exceeds btree version 4 maximum 2704")
    lasting = [broken.value, KeyError("x"), Rejection("conflict", "rule", "No."), too_large]
    passing = [OSError(), TimeoutError(), Rejection("unavailable", "x", ""), Rejection("conflict", "busy", "")]
    assert [is_lasting(error) for error in [*lasting, *passing]] == [True] * 4 + [False] * 4
    assert [is_passing(error) for error in [*lasting, *passing]] == [False] * 4 + [True] * 4
    assert not is_lasting(RuntimeError())
    assert not is_passing(RuntimeError())


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        ([], None),
        (["respond-async"], None),
        (["wait=20"], 20),
        (["respond-async, wait=7"], 7),
        (['handling=lenient, Wait = "5"'], 5),
        (["wait=99"], 30),
        (["wait=-1"], None),
        (["return=minimal", "wait=2"], 2),
    ],
)
def test_a_preference_to_wait(sent: list[str], seconds: float | None) -> None:
    assert wait_preferred(sent, seconds_max=30) == seconds


async def test_a_service_token_is_fetched_once_and_renewed_before_it_expires() -> None:
    requests: list[httpx.Request] = []
    now = datetime(2026, 3, 1, tzinfo=UTC)

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        if len(requests) == 4:
            return httpx.Response(503)
        return httpx.Response(200, json={"access_token": f"t{len(requests)}", "expires_in": 300})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        token = ServiceToken(
            client, url="http://portal.test/oauth/token", client_id="kpi", client_secret="s", now=lambda: now
        )
        assert [await token.get() for _ in range(3)] == ["t1"] * 3
        assert requests[0].content == b"grant_type=client_credentials&scope=events%3Aread"
        assert requests[0].headers["authorization"].startswith("Basic ")
        now += timedelta(seconds=269)
        assert await token.get() == "t1"
        now += timedelta(seconds=2)
        assert await token.get() == "t2"
        token.refuse("t1")
        assert await token.get() == "t2"
        token.refuse("t2")
        assert await token.get() == "t3"
        token.refuse("t3")
        with pytest.raises(TokenUnavailableError):
            await token.get()
