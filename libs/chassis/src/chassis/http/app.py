"""A service's HTTP application, put together."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cached_property
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from chassis.allowance import Allowance
from chassis.http.authentication import Authentication, TokenVerifier, open_paths
from chassis.http.dispatch import Dispatch
from chassis.http.draining import Drain
from chassis.http.edge import Edge
from chassis.http.health import ReadyCheck, health_routes
from chassis.http.keys import KeySource
from chassis.http.openapi import build, dump
from chassis.metrics import request_metrics
from chassis.settings import ServiceSettings
from chassis.unfit import StartCheck, always_fit

API_VERSION = "1.0.0"
AT_ONCE_SECONDS = 10
NO_TELEMETRY: Any = {"tracing": False, "metrics": False, "logs": False}
"""FastAPI's own; ours is in the edge."""
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class Api(FastAPI):
    """FastAPI with our layers in the place of its own: edge, authentication, dispatch."""

    layers: Callable[[ASGIApp], ASGIApp]
    drain: Drain
    check_start: StartCheck

    def build_middleware_stack(self) -> ASGIApp:
        """Return what a request walks through."""
        return self.layers(Dispatch(self.router.routes, otherwise=self.router))

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        return self._document

    @cached_property
    def openapi_text(self) -> str:
        """The OpenAPI document as it is served."""
        return dump(self._document)

    @cached_property
    def _document(self) -> dict[str, Any]:
        routes = [route for route in self.router.routes if isinstance(route, APIRoute)]
        return build(routes, title=self.title, version=self.version, description=self.description)


def create_api(
    settings: ServiceSettings,
    *,
    title: str,
    routers: Sequence[APIRouter],
    description: str = "",
    lifespan: Lifespan | None = None,
    ready_checks: Mapping[str, ReadyCheck] | None = None,
    open_path_patterns: Collection[str] = (),
    verifier: TokenVerifier | None = None,
    drain: Drain | None = None,
    check_start: StartCheck = always_fit,
) -> Api:
    """Return the application that serves these routers.

    `open_path_patterns` are the paths below `/v1` that need no token (`/v1/survey-answers/{token}`). `lifespan` opens
    and closes what the routes use. `drain` is given where something else must know that the server is about to stop;
    `check_start` is asked before it serves.
    """
    verifier = verifier or TokenVerifier(
        KeySource(settings.jwks_url), issuer=settings.issuer, audience=settings.service_name
    )
    drain = drain or Drain()

    @asynccontextmanager
    async def whole_life(app: FastAPI) -> AsyncIterator[None]:
        try:
            if lifespan is None:
                yield
            else:
                async with lifespan(app):
                    yield
        finally:
            await verifier.keys.close()

    api = Api(
        title=title,
        version=API_VERSION,
        description=description,
        lifespan=whole_life,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        telemetry=NO_TELEMETRY,
    )
    api.drain = drain
    api.check_start = check_start
    api.layers = _layers(settings, verifier, drain, open_path_patterns)
    api.router.routes.extend(_served(api, routers, ready_checks or {}))
    return api


def _layers(
    settings: ServiceSettings, verifier: TokenVerifier, drain: Drain, patterns: Collection[str]
) -> Callable[[ASGIApp], ASGIApp]:
    rate = settings.requests_per_second
    allowance = Allowance("requests", burst=AT_ONCE_SECONDS * rate, seconds=1 / rate) if rate else None

    def wrap(inner: ASGIApp) -> ASGIApp:
        return Edge(
            Authentication(inner, verifier, open_paths(patterns), allowance),
            metrics=request_metrics(),
            drain=drain,
            body_bytes_max=settings.body_bytes_max,
            bulk_body_bytes_max=settings.bulk_body_bytes_max,
        )

    return wrap


def _served(api: Api, routers: Sequence[APIRouter], checks: Mapping[str, ReadyCheck]) -> list[BaseRoute]:
    async def openapi(_: Request) -> Response:
        return Response(api.openapi_text, media_type="application/json")

    routes: list[BaseRoute] = [Route("/openapi.json", openapi), *health_routes(checks, api.drain)]
    names: set[str] = set()
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute) and route.include_in_schema:
                if route.unique_id in names:
                    raise ValueError(f"two routes are called {route.unique_id}")
                names.add(route.unique_id)
            routes.append(route)
    return routes
