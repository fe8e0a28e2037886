from typing import Annotated
from uuid import UUID

import pytest
from fastapi import Depends, Header, Query
from starlette.requests import Request
from starlette.responses import Response

from chassis.http import ExpectedVersion, Router
from chassis.http.app import create_api
from chassis.http.calling import plain_call
from chassis.http.routes import JsonRoute
from chassis.schemas import Input, Name
from chassis.settings import ServiceSettings
from chassis.testkit.clients import client_of


class New(Input):
    name: Name


def routes() -> Router:
    router = Router("/a")

    @router.put("/plain/{one}/{two}")
    async def plain(request: Request, version: ExpectedVersion, one: UUID, two: int, new: New) -> Response:
        return Response(f"{request.method} {version} {one} {two} {new.name}")

    @router.get("/header")
    async def header(x_word: Annotated[str, Header()]) -> Response:
        return Response(x_word)

    @router.get("/query")
    async def query(word: Annotated[str, Query(min_length=2)] = "none") -> Response:
        return Response(word)

    @router.get("/nested")
    async def nested(word: Annotated[str, Depends(_deeper)]) -> Response:
        return Response(word)

    @router.post("/optional")
    async def optional(new: New | None = None) -> Response:
        return Response(new.name if new else "nobody")

    @router.get("/made")
    async def made() -> str:
        return "made"

    return router


async def _deeper(x_word: Annotated[str, Header()]) -> str:
    return f"deeper {x_word}"


def test_only_plain_functions_are_called_without_fastapi() -> None:
    called = {route.name for route in routes().routes if isinstance(route, JsonRoute) and plain_call(route.dependant)}
    assert called == {"plain"}


@pytest.mark.parametrize(
    ("method", "path", "headers", "content", "answer"),
    [
        ("PUT", f"/plain/{UUID(int=1)}/2", {"If-Match": '"3"'}, b'{"name":"x"}', f"PUT 3 {UUID(int=1)} 2 x"),
        ("GET", "/header", {"X-Word": "told"}, b"", "told"),
        ("GET", "/query?word=asked", {}, b"", "asked"),
        ("GET", "/nested", {"X-Word": "told"}, b"", "deeper told"),
        ("POST", "/optional", {}, b"", "nobody"),
        ("POST", "/optional", {}, b'{"name":"x"}', "x"),
        ("GET", "/made", {}, b"", '"made"'),
    ],
)
async def test_every_kind_of_function_gets_what_it_takes(
    settings: ServiceSettings, method: str, path: str, headers: dict[str, str], content: bytes, answer: str
) -> None:
    api = create_api(settings, title="Calls", routers=[routes()], open_path_patterns=["/v1/a/{x}", "/v1/a/{x}/{y}/{z}"])
    async with client_of(api) as client:
        told = {"Content-Type": "application/json", **headers}
        answered = await client.request(method, f"/v1/a{path}", headers=told, content=content)
    assert (answered.status_code, answered.text) == (200, answer)


async def test_faults_of_the_path_come_after_dependencies(settings: ServiceSettings) -> None:
    api = create_api(settings, title="Calls", routers=[routes()], open_path_patterns=["/v1/a/{x}/{y}/{z}"])
    async with client_of(api) as client:
        unconditional = await client.put("/v1/a/plain/x/y", json={"name": "x"})
        conditional = await client.put("/v1/a/plain/x/y", json={"name": "x"}, headers={"If-Match": "*"})
    assert (unconditional.status_code, conditional.status_code) == (428, 404)
