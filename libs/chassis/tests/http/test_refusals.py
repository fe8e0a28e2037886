import json
from typing import Any

import httpx
import pytest

JSON = {"content-type": "application/json"}
STATUS_OF = {
    "malformed": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "conflict": 409,
    "gone": 410,
    "stale": 412,
    "too_large": 413,
    "unsupported": 415,
    "invalid": 422,
    "precondition_required": 428,
    "rate_limited": 429,
    "unavailable": 503,
}


def problem(response: httpx.Response) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = response.json()
    assert told["status"] == response.status_code
    assert told["type"] == f"urn:tandem:problem:{told['code']}"
    assert len(told["trace_id"]) == 32
    return told


@pytest.mark.parametrize(("kind", "status"), STATUS_OF.items())
async def test_each_kind_of_refusal_has_its_status(client: httpx.AsyncClient, kind: str, status: int) -> None:
    response = await client.post(f"/v1/things/refusals/{kind}", headers={"X-Forwarded-Prefix": "/thing-service"})
    assert response.status_code == status
    told = problem(response)
    assert told["code"] == "because"
    assert told["detail"] == "It is so."
    assert told["unmet_guards"] == [{"code": "not-yet", "message": "Not yet.", "ref": "things/1"}]
    assert told["available"] == ["closed"]
    assert told["instance"] == f"/thing-service/v1/things/refusals/{kind}"
    assert ("www-authenticate" in response.headers) == (status == 401)
    assert response.headers.get("retry-after") == {503: "3", 429: "7"}.get(status)
    assert response.headers.get("ratelimit-policy") == ('"all";q=10;w=60' if status == 429 else None)
    assert response.headers.get("ratelimit") == ('"all";r=0;t=7' if status == 429 else None)


async def test_a_stale_change_is_shown_the_current_representation(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/things/refusals/stale")
    assert problem(response)["current"] == {"name": "now"}
    assert response.headers["etag"] == '"8"'


async def test_who_is_overtaken_is_served_anew_and_not_for_ever(client: httpx.AsyncClient) -> None:
    once = await client.post("/v1/things/overtaken/a?times=2")
    assert (once.status_code, once.json()) == (200, {"attempts": 3})
    response = await client.post("/v1/things/overtaken/b?times=9")
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert problem(response)["code"] == "deadlock"
    again = await client.post("/v1/things/overtaken/b?times=9")
    assert again.status_code == 503
    assert (await client.post("/v1/things/overtaken/b?times=6")).json() == {"attempts": 7}


async def test_a_bug_tells_nothing_but_its_trace(client: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]) -> None:
    response = await client.get("/v1/things/failures/one")
    assert response.status_code == 500
    assert problem(response).keys() == {"type", "title", "status", "code", "trace_id"}
    assert "secret of ours" in capsys.readouterr().out


async def test_unknown_paths_and_methods_are_problems(client: httpx.AsyncClient) -> None:
    assert problem(await client.get("/v1/nothing"))["code"] == "not-found"
    assert problem(await client.get("/v1/things/a/b/c"))["status"] == 404
    assert problem(await client.get("/v1/things/"))["status"] == 404
    assert problem(await client.get("/elsewhere"))["status"] == 404
    refused = await client.delete("/v1/things")
    assert problem(refused)["status"] == 405
    assert refused.headers["allow"] == "GET, HEAD, POST"


async def test_a_fixed_path_is_no_value_of_the_variable_one_beside_it(client: httpx.AsyncClient) -> None:
    fixed = await client.post("/v1/things/latest", json={})
    assert (fixed.status_code, fixed.headers["allow"]) == (405, "GET, HEAD")
    assert (await client.patch("/v1/things/latest", json={}, headers={"If-Match": "*"})).status_code == 405


async def test_an_id_that_is_none_names_nothing(client: httpx.AsyncClient) -> None:
    assert problem(await client.get("/v1/things/not-a-uuid"))["status"] == 404


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"name": "a"', b"\xff\xfe", b'{"name": "\xff"}', b'{"a": -Infinity}', b"[" * 1000, b"{} {}"]
)
async def test_what_is_no_json_is_malformed(client: httpx.AsyncClient, body: bytes) -> None:
    told = problem(await client.post("/v1/things", content=body, headers=JSON))
    assert (told["status"], told["code"]) == (400, "malformed-json")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        *(
            {"content-type": content_type}
            for content_type in (
                "text/plain",
                "application/x-www-form-urlencoded",
                "json",
                "application/cloudevents+json",
                "application/merge-patch+json",
                "application/json; charset=utf-16",
            )
        ),
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
async def test_other_types_than_json_are_unsupported(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    assert problem(await client.post("/v1/things", content=b'{"name": "a"}', headers=headers))["status"] == 415


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON", "application/json"])
async def test_json_may_be_named_in_other_ways(client: httpx.AsyncClient, content_type: str) -> None:
    response = await client.post("/v1/things", content=b'{"name": "a"}', headers={"content-type": content_type})
    assert response.status_code == 201


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/name", "missing"),
        ({"name": "a", "nam/e~": 1}, "/nam~1e~0", "unknown-field"),
        ({"name": 5}, "/name", "string-type"),
        ({"name": "  "}, "/name", "pattern"),
        ({"name": "x" * 201}, "/name", "string-too-long"),
        ({"name": "a", "is_big": "yes"}, "/is_big", "bool-type"),
        ({"name": "a", "is_big": 1}, "/is_big", "bool-type"),
        ({"name": "a", "color": "secret"}, "/color", "not-one-of"),
        ({"name": "a", "price": {"amount": 12, "currency": "EUR"}}, "/price/amount", "decimal"),
        ({"name": "a", "price": {"amount": "12"}}, "/price/currency", "missing"),
        ({"name": "a", "tags": ["b", None]}, "/tags/1", "string-type"),
        ({"name": "a", "external_id": "1"}, "", "external-identity-incomplete"),
        ({"name": "a\0"}, "/name", "nul-character"),
        ({"name": "a", "tags": ["b", "c\0"]}, "/tags/1", "nul-character"),
        (["a"], "", "model-type"),
        (None, "", "model-type"),
    ],
)
async def test_wrong_fields_are_pointed_at(client: httpx.AsyncClient, body: Any, pointer: str, code: str) -> None:
    response = await client.post("/v1/things", content=json.dumps(body), headers=JSON)
    told = problem(response)
    assert told["status"] == 422
    assert [(fault["pointer"], fault["code"]) for fault in told["errors"]] == [(pointer, code)]
    assert "secret" not in response.text
    assert told["errors"][0]["message"].endswith(".")


async def test_a_text_may_speak_of_infinity(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/things", json={"name": "NaN and Infinity"})).status_code == 201


async def test_a_written_backslash_is_no_nul(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/things", content=rb'{"name": "a\\u0000"}', headers=JSON)
    assert response.json()["name"] == r"a\u0000"


async def test_all_faults_come_at_once_but_not_without_end(client: httpx.AsyncClient) -> None:
    told = problem(await client.post("/v1/things", json={"name": 1, "color": 2, "x": 3}))
    assert len(told["errors"]) == 3
    told = problem(await client.post("/v1/things", json={f"a{number}": 1 for number in range(150)}))
    assert len(told["errors"]) == 100
    told = problem(await client.post("/v1/things", json={"name": "a", "tags": ["\0"] * 150}))
    assert len(told["errors"]) == 100


async def test_the_scope_is_judged_before_the_body(client: httpx.AsyncClient, token: Any) -> None:
    headers = {**JSON, "Authorization": f"Bearer {token('things:read')}"}
    assert (await client.post("/v1/things", content=b"{", headers=headers)).status_code == 403


@pytest.mark.parametrize(
    ("query", "name", "code"),
    [
        ("limit=0", "limit", "greater-than-equal"),
        ("limit=201", "limit", "less-than-equal"),
        ("limit=many", "limit", "int-parsing"),
        ("limit=1&limit=2", "limit", "repeated-parameter"),
        ("colour=red", "colour", "unknown-parameter"),
        ("color=secret", "color", "not-one-of"),
        ("updated_since=yesterday", "updated_since", "instant"),
        ("q=", "q", "string-too-short"),
        ("q=%00", "q", "nul-character"),
        (f"q={'x' * 201}", "q", "string-too-long"),
        ("q=%FF", "", "not-utf-8"),
        ("color=%ED%A0%80", "", "not-utf-8"),
        ("fields=a;b", "fields", "pattern"),
        ("&".join(f"state={number}" for number in range(200)), "", "too-many-parameters"),
    ],
)
async def test_wrong_query_parameters_are_named(client: httpx.AsyncClient, query: str, name: str, code: str) -> None:
    response = await client.get(f"/v1/things?{query}")
    told = problem(response)
    assert told["status"] == 422
    assert [(fault["pointer"], fault["code"]) for fault in told["errors"]] == [(name, code)]
    assert "secret" not in response.text


async def test_a_route_without_query_parameters_takes_none(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/things?dry_run=true", json={"name": "a"})
    assert problem(response)["errors"][0]["code"] == "unknown-parameter"


async def test_bodies_are_limited_by_what_they_say_and_by_what_they_are(client: httpx.AsyncClient) -> None:
    async def chunks() -> Any:
        yield json.dumps({"name": "x" * 1000}).encode()
        yield b" " * 2000

    said = await client.post("/v1/things", content=b"x" * 2001, headers=JSON)
    sent = await client.post("/v1/things", content=chunks(), headers=JSON)
    for response in (said, sent):
        assert problem(response)["code"] == "body-too-large"
        assert response.status_code == 413
        assert response.headers["connection"] == "close"
    assert (await client.post("/v1/things:batch", content=b"x" * 2001, headers=JSON)).status_code == 404
    assert (await client.post("/v1/things:batch", content=b"x" * 4001, headers=JSON)).status_code == 413
