"""What every collection promises, checked at one resource of each service."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from api_documents import SERVED

from chassis import ids
from chassis.testkit.applications import settings_on
from chassis.testkit.clients import client_of
from chassis.testkit.databases import Addresses
from chassis.testkit.tokens import Signer

START = "2026-03-02T08:00:00Z"
NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"
PAST, FUTURE = "2000-01-01T00:00:00Z", "2190-01-01T00:00:00Z"


@dataclass
class Api:
    """One organisation's client of one service."""

    service: str
    client: httpx.AsyncClient
    signer: Signer
    org: str = field(default_factory=lambda: f"org-{ids.new_id()}")

    async def send(
        self, method: str, path: str, *, scopes: tuple[str, ...] | None = None, org: str | None = None, **given: Any
    ) -> httpx.Response:
        chosen = SERVED[self.service].scopes if scopes is None else scopes
        token = self.signer.token(*chosen, org=org or self.org, aud=self.service)
        headers = {"Authorization": f"Bearer {token}", **given.pop("headers", {})}
        return await self.client.request(method, f"/v1/{path}", headers=headers, **given)

    async def made(self, path: str, body: dict[str, Any], method: str = "POST") -> dict[str, Any]:
        response = await self.send(method, path, json=body)
        assert response.status_code == 201, response.text
        made: dict[str, Any] = response.json()
        return made


@dataclass
class Collection:
    """The resource that stands for a service's: where it is, and what is sent."""

    api: Api
    path: str
    body: Callable[[int], dict[str, Any]]
    write: str = "POST"
    nullable: str | None = None
    """A text field that a merge patch may set to null; None where there is no PATCH."""
    text: str | None = None
    """The field that `q` looks into."""
    numbers: int = 0

    def next_body(self) -> dict[str, Any]:
        self.numbers += 1
        return self.body(self.numbers)

    async def new(self) -> dict[str, Any]:
        return await self.api.made(self.path, self.next_body(), self.write)

    async def send(self, method: str, below: str = "", **given: Any) -> httpx.Response:
        return await self.api.send(method, f"{self.path}{below}", **given)

    async def write_raw(self, **given: Any) -> httpx.Response:
        return await self.api.send(self.write, self.path, **given)


async def incidents(api: Api) -> Collection:
    service = await api.made("services", {"key": "shop", "name": "Shop", "type": "business"})

    def body(number: int) -> dict[str, Any]:
        told = {"title": f"Case {number}", "description": "Slow", "impact": "low", "urgency": "low"}
        return {"service_id": service["id"], **told}

    return Collection(api, "incidents", body, nullable="description", text="title")


async def tasks(api: Api) -> Collection:
    project = await api.made("projects", {"key": "crm", "name": "CRM", "currency": "EUR", "start_at": START})
    return Collection(
        api,
        f"projects/{project['id']}/tasks",
        lambda number: {"wbs": f"t{number}", "name": f"Case {number}", "duration": "1d"},
        nullable="duration",
        text="name",
    )


async def policies(api: Api) -> Collection:
    return Collection(api, "policies", lambda number: {"valid_from": f"20{number:02}-01-01T00:00:00Z"}, write="PUT")


COLLECTIONS: dict[str, Callable[[Api], Awaitable[Collection]]] = {
    "service-catalog": incidents,
    "project-tracker": tasks,
    "kpi-engine": policies,
}


@pytest.fixture(scope="module", params=COLLECTIONS)
async def app(
    request: pytest.FixtureRequest, new_database: Callable[[str], Addresses], signer: Signer, jwks_file: Path
) -> AsyncIterator[tuple[str, httpx.AsyncClient]]:
    served = SERVED[request.param]
    settings = settings_on(new_database(served.package), served.settings, jwks_file=jwks_file, signer=signer)
    async with client_of(served.create_app(settings), as_documented=True) as client:
        yield served.name, client


@pytest.fixture
async def collection(app: tuple[str, httpx.AsyncClient], signer: Signer) -> Collection:
    """Give the collection of an organisation that has nothing else."""
    service, client = app
    return await COLLECTIONS[service](Api(service, client, signer))


@pytest.fixture
def patched(collection: Collection) -> Collection:
    """Give a collection whose resources are changed by merge patches."""
    if collection.nullable is None:
        pytest.skip("this resource is replaced whole")
    return collection


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    assert response.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = response.json()
    assert told["trace_id"]
    assert told["instance"].startswith("/v1/")
    return told


async def test_head_is_get_without_its_body(collection: Collection) -> None:
    below = f"/{(await collection.new())['id']}"
    got, head = await collection.send("GET", below), await collection.send("HEAD", below)
    assert (head.status_code, head.content) == (200, b"")
    told = {"x-request-id", "date"}
    assert {k: v for k, v in got.headers.items() if k not in told} == {
        k: v for k, v in head.headers.items() if k not in told
    }


async def test_what_a_client_has_is_not_sent_again(collection: Collection) -> None:
    below = f"/{(await collection.new())['id']}"
    etag = (await collection.send("GET", below)).headers["etag"]
    same = await collection.send("GET", below, headers={"If-None-Match": f'"0", {etag}'})
    other = await collection.send("GET", below, headers={"If-None-Match": '"0"'})
    assert (same.status_code, same.content, same.headers["etag"], other.status_code) == (304, b"", etag, 200)


async def test_a_change_says_what_it_changes(patched: Collection) -> None:
    one = await patched.new()
    below, patch = f"/{one['id']}", {patched.nullable: None}
    problem(await patched.send("PATCH", below, json=patch), 428, "if-match-missing")
    stale = await patched.send("PATCH", below, json=patch, headers={"If-Match": '"77"'})
    assert problem(stale, 412, "version-stale")["current"] == one
    assert stale.headers["etag"] == f'"{one["version"]}"'
    malformed = await patched.send("PATCH", below, json=patch, headers={"If-Match": "1"})
    problem(malformed, 400, "condition-malformed")
    changed = await patched.send("PATCH", below, json=patch, headers={"If-Match": stale.headers["etag"]})
    assert changed.status_code == 200
    assert changed.headers["etag"] == f'"{one["version"] + 1}"'
    assert changed.json()[str(patched.nullable)] is None
    untouched = {k for k in one if changed.json()[k] == one[k]}
    assert one.keys() - untouched == {patched.nullable, "version", "updated_at"}


async def test_a_merge_patch_with_nothing_new_changes_nothing(patched: Collection) -> None:
    one = await patched.new()
    told = {patched.nullable: one[str(patched.nullable)]}
    same = await patched.send("PATCH", f"/{one['id']}", json=told, headers={"If-Match": "*"})
    assert (same.json(), "event-id" in same.headers) == (one, False)


async def test_a_put_may_say_whether_it_creates(collection: Collection) -> None:
    if collection.write != "PUT":
        pytest.skip("this resource is created by POST")
    body = collection.next_body()
    problem(await collection.write_raw(json=body, headers={"If-Match": "*"}), 412, "version-stale")
    created = await collection.write_raw(json=body, headers={"If-None-Match": "*"})
    assert created.status_code == 201
    again = await collection.write_raw(json=body, headers={"If-None-Match": "*"})
    assert again.status_code in {409, 412}
    problem(await collection.write_raw(json=body, headers={"If-Match": '"77"'}), 412, "version-stale")
    both = {"If-Match": "*", "If-None-Match": "*"}
    problem(await collection.write_raw(json=body, headers=both), 400, "condition-malformed")


async def test_a_request_repeated_is_answered_as_before(patched: Collection) -> None:
    body, key = patched.next_body(), {"Idempotency-Key": '"a key"'}
    first = await patched.write_raw(json=body, headers=key)
    again = await patched.write_raw(json=body, headers={"Idempotency-Key": "a key"})
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert ("idempotency-replayed" in first.headers, again.headers["idempotency-replayed"]) == (False, "true")
    for name in ("etag", "event-id", "location"):
        assert again.headers[name] == first.headers[name]
    problem(await patched.write_raw(json=patched.next_body(), headers=key), 422, "idempotency-key-reused")
    problem(
        await patched.write_raw(json=body, headers={"Idempotency-Key": "ä".encode()}), 400, "idempotency-key-malformed"
    )


async def test_a_request_sent_twice_at_once_takes_effect_once(patched: Collection) -> None:
    body, key = patched.next_body(), {"Idempotency-Key": str(ids.new_id())}
    answers = await asyncio.gather(*(patched.write_raw(json=body, headers=key) for _ in range(4)))
    created = [answer for answer in answers if answer.status_code == 201]
    assert created
    assert all(answer.status_code in {201, 409} for answer in answers), [answer.text for answer in answers]
    assert len({answer.json()["id"] for answer in created}) == 1
    assert (await patched.send("GET", params={"count": "true"})).json()["count"] == 1


async def test_pages_follow_one_another(collection: Collection) -> None:
    made = [(await collection.new())["id"] for _ in range(3)]
    first = await collection.send("GET", params={"limit": 2, "count": "true"})
    cursor = first.json()["next"]
    second = await collection.send("GET", params={"limit": 2, "after": cursor})
    assert [item["id"] for page in (first, second) for item in page.json()["items"]] == made
    assert (first.json()["count"], "count" in second.json(), second.json()["next"]) == (3, False, None)
    assert 'rel="next"' in first.headers["link"]
    assert "link" not in second.headers
    link = first.headers["link"].partition(">")[0].removeprefix("</v1/")
    followed = await collection.api.send("GET", link)
    assert followed.json()["items"] == second.json()["items"]


async def test_a_cursor_is_good_for_its_question_only(collection: Collection) -> None:
    for _ in range(2):
        await collection.new()
    cursor = (await collection.send("GET", params={"limit": 1})).json()["next"]
    for other in ({"updated_since": PAST}, {"sort": "-created_at"}):
        told = problem(await collection.send("GET", params={"after": cursor, **other}), 422, "invalid-input")
        assert told["errors"][0]["code"] == "cursor-invalid"
    problem(await collection.send("GET", params={"after": f"{cursor}x"}), 422, "invalid-input")


async def test_only_what_is_asked_for_is_shown(collection: Collection) -> None:
    one = await collection.new()
    listed = await collection.send("GET", params={"fields": "id,version"})
    assert listed.json()["items"] == [{"id": one["id"], "version": one["version"]}]
    for since, found in ((PAST, 1), (FUTURE, 0)):
        assert len((await collection.send("GET", params={"updated_since": since})).json()["items"]) == found


async def test_texts_are_looked_into(collection: Collection) -> None:
    made = [await collection.new() for _ in range(2)]
    if collection.text is None:
        told = problem(await collection.send("GET", params={"q": "x"}), 422, "invalid-input")
        assert told["errors"][0]["code"] == "unknown-parameter"
        return
    wanted = made[1][collection.text]
    found = (await collection.send("GET", params={"q": wanted.upper()})).json()["items"]
    assert [item["id"] for item in found] == [made[1]["id"]]


WRONG_QUERIES = [
    ({"wich": "x"}, "wich", "unknown-parameter"),
    ([("limit", 1), ("limit", 2)], "limit", "repeated-parameter"),
    ({"limit": 201}, "limit", "less-than-equal"),
    ({"limit": "x"}, "limit", "int-parsing"),
    ({"sort": "labels"}, "sort", "sort-unknown"),
    ({"fields": "org"}, "fields", "field-unknown"),
    ({"updated_since": "yesterday"}, "updated_since", "instant"),
    ({"count": "perhaps"}, "count", "bool-parsing"),
    ({"after": "nowhere"}, "after", "cursor-invalid"),
]


@pytest.mark.parametrize(("query", "name", "code"), WRONG_QUERIES, ids=[code for *_, code in WRONG_QUERIES])
async def test_wrong_query_parameters_are_named(collection: Collection, query: Any, name: str, code: str) -> None:
    told = problem(await collection.send("GET", params=query), 422, "invalid-input")
    assert [(error["pointer"], error["code"]) for error in told["errors"]] == [(name, code)]


async def test_wrong_bodies_are_told_from_malformed_ones(collection: Collection) -> None:
    body = collection.next_body()
    told = problem(await collection.write_raw(json=body | {"a~b/c": 1}), 422, "invalid-input")
    assert told["errors"] == [{"pointer": "/a~0b~1c", "code": "unknown-field", "message": "There is no such field."}]
    as_json = {"Content-Type": "application/json"}
    for raw in (b"{", b"", b'{"labels": NaN}', b"\xff\xfe"):
        problem(await collection.write_raw(content=raw, headers=as_json), 400, "malformed-json")
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml"):
        sent = await collection.write_raw(content=b"{}", headers={"Content-Type": kind})
        problem(sent, 415, "content-type-unsupported")
    too_large = b'{"labels": "' + b"x" * 1_100_000 + b'"}'
    problem(await collection.write_raw(content=too_large, headers=as_json), 413, "body-too-large")
    nul = await collection.write_raw(json=body | {"labels": {"a": "\0"}})
    assert problem(nul, 422, "invalid-input")["errors"][0]["code"] == "nul-character"
    assert (await collection.send("GET")).json()["items"] == []


async def test_who_may_not_is_told_why(collection: Collection) -> None:
    one = await collection.new()
    below = f"/{one['id']}"
    without = await collection.api.client.get(f"/v1/{collection.path}{below}")
    problem(without, 401, "token-missing")
    assert without.headers["www-authenticate"].startswith("Bearer")
    lacking = await collection.send("GET", below, scopes=("events:read",))
    needed = problem(lacking, 403, "missing-scope")["scope"]
    assert needed in SERVED[collection.api.service].scopes
    assert f'scope="{needed}"' in lacking.headers["www-authenticate"]
    problem(await collection.send("GET", below, org="another"), 404, "not-found")
    problem(await collection.send("GET", f"/{NOBODY}"), 404, "not-found")
    problem(await collection.send("GET", "/no-id"), 404, "not-found")


async def test_a_method_that_is_not_known_is_told_with_those_that_are(collection: Collection) -> None:
    refused = await collection.send("TRACE")
    problem(refused, 405, "method-not-allowed")
    assert set(refused.headers["allow"].split(", ")) == {"GET", "HEAD", collection.write}


async def test_a_request_can_be_found_again(collection: Collection) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    sent = {"X-Request-Id": "mine-1", "traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    answered = await collection.send("GET", f"/{NOBODY}", headers=sent)
    assert (answered.headers["x-request-id"], answered.json()["trace_id"]) == ("mine-1", trace)
    made = await collection.send("GET", headers={"X-Request-Id": "not\tsane"})
    assert made.headers["x-request-id"] not in {"", "not\tsane"}
