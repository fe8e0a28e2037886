from typing import Any
from uuid import UUID

import httpx
import pytest

from chassis.http.authentication import open_paths
from chassis.tracing import continued

THING = "/v1/things/0190f7a4-7d2e-7aaa-8aaa-000000000001"


async def test_what_is_new_says_where_it_is(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/things", json={"name": "a"}, headers={"X-Forwarded-Prefix": "/thing-service"})
    assert response.status_code == 201
    assert response.headers["location"] == f"/thing-service{THING}"
    assert response.headers["etag"] == '"1"'
    assert response.headers["event-id"] == "0190f7a4-7d2e-7aaa-8aaa-000000000002"
    assert "idempotency-replayed" not in response.headers


@pytest.mark.parametrize("prefix", ["//evil.example", "/a b", "javascript:x", "/a/../b?c", ""])
async def test_a_strange_prefix_is_ignored(client: httpx.AsyncClient, prefix: str) -> None:
    response = await client.post("/v1/things", json={"name": "a"}, headers={"X-Forwarded-Prefix": prefix})
    assert response.headers["location"] == THING


async def test_a_replayed_answer_says_so(client: httpx.AsyncClient) -> None:
    response = await client.post(f"{THING}/replay")
    assert response.status_code == 200
    assert response.headers["idempotency-replayed"] == "true"
    assert "event-id" in response.headers


@pytest.mark.parametrize(
    ("known", "status"), [('"3"', 304), ('W/"3"', 304), ('"1", "3"', 304), ("*", 304), ('"2"', 200), ("3", 200)]
)
async def test_what_the_client_has_is_not_sent_again(client: httpx.AsyncClient, known: str, status: int) -> None:
    response = await client.get(THING, headers={"If-None-Match": known})
    assert response.status_code == status
    assert response.headers["etag"] == '"3"'
    assert bool(response.content) == (status == 200)


async def test_a_page_links_to_the_next(client: httpx.AsyncClient) -> None:
    response = await client.get(
        "/v1/things?limit=1&state=a&state=b&after=old&count=true&fields=id,name", headers={"X-Forwarded-Prefix": "/t"}
    )
    assert response.json() == {
        "items": [{"limit": 1, "fields": ["id", "name"], "state": ["a", "b"]}],
        "next": "abc",
        "count": 7,
    }
    following = "/t/v1/things?limit=1&state=a&state=b&count=true&fields=id%2Cname&after=abc"
    assert response.headers["link"] == f'<{following}>; rel="next"'


async def test_the_last_page_links_nowhere(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/things")
    assert response.json() == {"items": [{"limit": 50, "fields": None}], "next": None}
    assert "link" not in response.headers


@pytest.mark.parametrize(
    ("sent", "expected"), [('"3"', 3), ('W/"3"', 3), ("*", None), ('"abc"', 0), ('"03"', 0), ('"99999999999"', 0)]
)
async def test_the_version_a_client_has_seen(client: httpx.AsyncClient, sent: str, expected: int | None) -> None:
    response = await client.patch(THING, json={"color": None}, headers={"If-Match": sent})
    assert response.json() == [expected, {"color": None}]


@pytest.mark.parametrize("sent", ["3", '"3", "4"', '"', "W/3", ""])
async def test_a_malformed_condition(client: httpx.AsyncClient, sent: str) -> None:
    response = await client.patch(THING, json={}, headers={"If-Match": sent})
    assert (response.status_code, response.json()["code"]) == (400, "condition-malformed")


async def test_a_change_needs_a_condition(client: httpx.AsyncClient) -> None:
    assert (await client.patch(THING, json={})).json()["code"] == "if-match-missing"
    assert (await client.patch(THING, json={})).status_code == 428


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, [False, False, None]),
        ({"If-None-Match": "*"}, [False, True, None]),
        ({"If-Match": "*"}, [True, False, None]),
        ({"If-Match": '"7"'}, [True, False, 7]),
    ],
)
async def test_a_put_creates_replaces_or_both(client: httpx.AsyncClient, headers: Any, expected: list[Any]) -> None:
    assert (await client.put("/v1/things/by-key/a", headers=headers)).json() == ["a", *expected]


@pytest.mark.parametrize("headers", [{"If-None-Match": '"3"'}, {"If-None-Match": "*", "If-Match": "*"}])
async def test_a_put_refuses_other_conditions(client: httpx.AsyncClient, headers: Any) -> None:
    assert (await client.put("/v1/things/by-key/a", headers=headers)).status_code == 400


async def test_null_is_only_sent_where_it_means_something(client: httpx.AsyncClient) -> None:
    response = await client.patch(THING, json={"name": None}, headers={"If-Match": "*"})
    assert response.json()["errors"][0]["pointer"] == "/name"


async def test_a_key_makes_a_post_repeatable(client: httpx.AsyncClient) -> None:
    async def told(name: str, key: str) -> dict[str, Any]:
        response = await client.post("/v1/things", json={"name": name}, headers={"Idempotency-Key": key})
        answered: dict[str, Any] = response.json()
        return answered

    bare, quoted, other = await told("a", "k-1"), await told("a", '"k-1"'), await told("b", "k-1")
    assert bare["key"] == quoted["key"] == other["key"] == "k-1"
    assert bare["fingerprint"] == quoted["fingerprint"] != other["fingerprint"]
    assert (await client.post("/v1/things", json={"name": "a"})).json()["key"] is None


@pytest.mark.parametrize("key", [b"", b'""', b"x" * 256, b"a\tb", "ä".encode()])
async def test_a_malformed_key(client: httpx.AsyncClient, key: bytes) -> None:
    response = await client.post("/v1/things", json={"name": "a"}, headers=[(b"Idempotency-Key", key)])
    assert (response.status_code, response.json()["code"]) == (400, "idempotency-key-malformed")


async def test_two_keys_are_none(client: httpx.AsyncClient) -> None:
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    assert (await client.post("/v1/things", json={"name": "a"}, headers=headers)).status_code == 400


async def test_a_trace_is_continued(client: httpx.AsyncClient) -> None:
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
    told = (await client.post("/v1/things", json={"name": "a"}, headers={"traceparent": parent})).json()
    version, trace, span, flags = told["traceparent"].split("-")
    assert (version, trace, flags) == ("00", "4bf92f3577b34da6a3ce929d0e0e4736", "00")
    assert span != "00f067aa0ba902b7"
    assert told["correlation"] == trace


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "nonsense",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{'a' * 32}-{'0' * 16}-01",
        f"ff-{'a' * 32}-00f067aa0ba902b7-01",
        f"00-{'a' * 32}-00f067aa0ba902b7-01-more",
        f"00-{'A' * 32}-00f067aa0ba902b7-01",
    ],
)
def test_a_broken_trace_begins_anew(broken: str) -> None:
    assert continued(broken).trace_id not in {"0" * 32, "a" * 32}


async def test_a_correlation_id_is_kept_if_it_is_sane(client: httpx.AsyncClient) -> None:
    async def told(sent: str) -> str:
        response = await client.post("/v1/things", json={"name": "a"}, headers={"X-Correlation-Id": sent})
        correlation: str = response.json()["correlation"]
        return correlation

    assert await told("case-7") == "case-7"
    assert len(await told("not sane")) == 32


async def test_a_request_id_is_echoed_if_it_is_sane(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz", headers={"X-Request-Id": "abc-1"})).headers["x-request-id"] == "abc-1"
    for strange in ("a b", "x" * 129, ""):
        response = await client.get("/v1/none", headers={"X-Request-Id": strange})
        assert UUID(response.headers["x-request-id"]).version == 7


async def test_head_is_get_without_its_body(client: httpx.AsyncClient) -> None:
    asked, shown = await client.head(THING), await client.get(THING)
    assert asked.status_code == 200
    assert asked.content == b""
    assert asked.headers["etag"] == shown.headers["etag"]
    assert asked.headers["content-length"] == shown.headers["content-length"]


def test_open_paths_match_whole_segments() -> None:
    is_open = open_paths(["/v1/answers/{token}", "/v1/open.path"])
    assert is_open("/v1/answers/abc")
    assert is_open("/v1/open.path")
    for path in ("/v1/answers/", "/v1/answers/a/b", "/v1/answers", "/v1/openXpath", "/v1/things"):
        assert not is_open(path)
    assert not open_paths([])("/v1/things")
