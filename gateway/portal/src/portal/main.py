"""The portal: the gateway's own answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

import httpx
from fastapi import FastAPI

from chassis.http.app import NO_TELEMETRY
from chassis.http.draining import Drain
from chassis.http.edge import Edge
from chassis.http.health import health_routes
from chassis.metrics import request_metrics
from chassis.settings import MEBIBYTE, PREFIX, SettingsError
from portal.clients import Clients, WrongClientsError
from portal.documents import document_routes
from portal.keys import SigningKeys, WrongKeyError
from portal.pages import page_routes
from portal.problems import add_problem_handlers
from portal.settings import PortalSettings
from portal.tokens import token_routes


def create_app(settings: PortalSettings, drain: Drain | None = None) -> FastAPI:
    """Return the application; what it needs of the machine is read now, so that a fault shows at the start.

    `drain` is given where something else must know that the server is about to stop.
    """
    drain = drain or Drain()
    keys, clients = _keys_and_clients(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with httpx.AsyncClient() as client:
            app.state.client = client
            yield

    app = FastAPI(
        title="Tandem",
        version=version("portal"),
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        telemetry=NO_TELEMETRY,
    )
    app.add_middleware(
        Edge, metrics=request_metrics(), drain=drain, body_bytes_max=MEBIBYTE, bulk_body_bytes_max=MEBIBYTE
    )
    add_problem_handlers(app)
    app.include_router(token_routes(keys, clients, settings.issuer))
    app.include_router(document_routes(app, settings.services, settings.document_seconds))
    app.include_router(page_routes(list(settings.services)))
    app.router.routes.extend(health_routes({}, drain))
    return app


def _keys_and_clients(settings: PortalSettings) -> tuple[SigningKeys, Clients]:
    """Read both; what is wrong with either is a fault of the settings that name them."""
    keys, clients = None, None
    faults: list[str] = []
    try:
        keys = SigningKeys.load(settings.signing_keys)
    except WrongKeyError as error:
        faults.append(f"{PREFIX}SIGNING_KEYS: {error}")
    try:
        clients = Clients(settings.clients_file)
    except WrongClientsError as error:
        faults += [f"{PREFIX}CLIENTS_FILE: {fault}" for fault in error.faults]
    if keys is None or clients is None:
        raise SettingsError(faults)
    return keys, clients
