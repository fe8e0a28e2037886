import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import httpx
import pytest
from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from chassis.caller import Caller
from chassis.http import ExpectedVersion, ListQuery, PutCondition, Router, answer, needs, problems
from chassis.http.app import Api, create_api
from chassis.outcome import Found, Page, Written
from chassis.rejection import Overtaken, Quota, Rejection, UnmetGuard
from chassis.schemas import UNSET, ExternalIdentity, Input, Money, Name, PageOf, Patch, Traceable
from chassis.settings import ServiceSettings
from chassis.testkit.clients import client_of
from chassis.testkit.tokens import Signer

THING_ID = UUID("0190f7a4-7d2e-7aaa-8aaa-000000000001")
EVENT_ID = UUID("0190f7a4-7d2e-7aaa-8aaa-000000000002")
SERVICE = "thing-service"

READS = [Depends(needs("things:read"))]
WRITES = [Depends(needs("things:write"))]
Writer = Annotated[Caller, Depends(needs("things:write"))]


class Part(Input):
    name: Name
    note: Name | None = None


class ThingCreate(ExternalIdentity):
    name: Name
    color: Literal["red", "blue"] | None = None
    is_big: bool = False
    price: Money | None = None
    tags: list[Name] = []
    parts: list[Part] = []


class ThingPatch(Patch):
    name: Name = UNSET
    color: Literal["red", "blue"] | None = UNSET


class Thing(Traceable):
    name: str
    color: Literal["red", "blue"] | None
    price: Money | None
    parts: list[Part]


class ThingQuery(ListQuery):
    color: Literal["red", "blue"] | None = None
    state: list[str] = []


def thing_routes() -> Router:
    routes = Router("/things", tags=["things"])

    @routes.post("", status_code=201, response_model=Thing)
    async def create_thing(request: Request, caller: Writer, body: ThingCreate) -> Response:
        """Create a thing."""
        key = caller.idempotency
        told = {
            "name": body.name,
            "key": key.key if key else None,
            "fingerprint": key.fingerprint.hex() if key else None,
            "correlation": caller.correlation_id,
            "traceparent": caller.traceparent,
        }
        return answer(request, Written(json.dumps(told), THING_ID, 1, EVENT_ID, f"things/{THING_ID}"))

    @routes.post("/{thing_id}/replay", response_model=Thing, dependencies=WRITES)
    async def replay_thing(request: Request, thing_id: UUID) -> Response:
        return answer(request, Written("{}", thing_id, 2, EVENT_ID, replayed=True))

    @routes.get("", response_model=PageOf[Thing], dependencies=READS)
    async def list_things(request: Request, query: Annotated[ThingQuery, Query()]) -> Response:
        listing = query.listing()
        items = json.dumps([{"limit": listing.limit, "fields": listing.fields, **listing.filters}])
        return answer(request, Page(items, "abc" if listing.limit == 1 else None, 7 if listing.count else None))

    @routes.get("/latest", response_model=Thing, dependencies=READS)
    async def get_latest_thing(request: Request) -> Response:
        return answer(request, Found(json.dumps({"id": str(THING_ID)}), 3))

    @routes.get("/{thing_id}", response_model=Thing, responses=problems(404), dependencies=READS)
    async def get_thing(request: Request, thing_id: UUID) -> Response:
        return answer(request, Found(json.dumps({"id": str(thing_id)}), 3))

    @routes.patch("/{thing_id}", response_model=Thing, dependencies=WRITES)
    async def change_thing(request: Request, thing_id: UUID, expected: ExpectedVersion, body: ThingPatch) -> Response:
        return answer(request, Written(json.dumps([expected, body.changes({})]), thing_id, 4))

    @routes.put("/by-key/{key}", response_model=Thing, dependencies=WRITES)
    async def put_thing(request: Request, key: str, condition: PutCondition) -> Response:
        told = [key, condition.must_exist, condition.must_be_new, condition.expected]
        return answer(request, Written(json.dumps(told), None, 4))

    return routes


def refusing_routes() -> Router:
    routes = Router("/things")
    overtaken = Counter[str]()

    @routes.post("/refusals/{kind}", dependencies=READS)
    async def refuse(kind: str) -> Response:
        raise Rejection(
            kind,  # type: ignore[arg-type]  # the test names each of them
            "because",
            "It is so.",
            guards=[UnmetGuard("not-yet", "Not yet.", "things/1")],
            extra={"available": ["closed"]},
            current=('{"name": "now"}', 8) if kind == "stale" else None,
            retry_after_seconds={"unavailable": 3, "rate_limited": 7}.get(kind),
            quota=Quota("all", 10, window_seconds=60, more_in_seconds=7) if kind == "rate_limited" else None,
        )

    @routes.post("/overtaken/{name}", dependencies=WRITES)
    async def overtake(name: str, times: int) -> dict[str, int]:
        overtaken[name] += 1
        if overtaken[name] <= times:
            raise Overtaken("deadlock", "Another request was faster.")
        return {"attempts": overtaken[name]}

    @routes.get("/failures/one", dependencies=READS)
    async def fail() -> Response:
        raise RuntimeError("a secret of ours")

    return routes


def open_routes() -> Router:
    routes = Router("/answers")

    @routes.get("/{token}")
    async def get_answer(token: str) -> dict[str, str]:
        return {"token": token}

    return routes


@pytest.fixture(scope="session")
def settings(jwks_file: Path, signer: Signer) -> ServiceSettings:
    return ServiceSettings(
        service_name=SERVICE,
        database_host="nowhere",
        database_name="nothing",
        jwks_url=jwks_file.as_uri(),
        issuer=signer.issuer,
        cursor_secret="secret",  # type: ignore[arg-type]  # pydantic makes it one
        body_bytes_max=2000,
        bulk_body_bytes_max=4000,
    )


@pytest.fixture
def api(settings: ServiceSettings) -> Api:
    return create_api(
        settings,
        title="Things",
        routers=[thing_routes(), refusing_routes(), open_routes()],
        open_path_patterns=["/v1/answers/{token}"],
    )


@pytest.fixture
def token(signer: Signer) -> Callable[..., str]:
    def make(*scopes: str, **claims: Any) -> str:
        return signer.token(*scopes, **{"aud": SERVICE, **claims})

    return make


@pytest.fixture
async def client(api: Api, token: Callable[..., str]) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(api, token("things:read", "things:write")) as talking:
        yield talking
