"""The portal: the gateway's own answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

import httpx
from fastapi import APIRouter, FastAPI

from portal.clients import Clients
from portal.documents import document_routes
from portal.keys import SigningKeys
from portal.pages import page_routes
from portal.problems import add_problem_handlers
from portal.settings import PortalSettings
from portal.tokens import token_routes


def create_app(settings: PortalSettings) -> FastAPI:
    """Return the application; what it needs of the machine is read now, so that a fault shows at the start."""
    keys = SigningKeys.load(settings.signing_keys)
    clients = Clients(settings.clients_file)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with httpx.AsyncClient() as client:
            app.state.client = client
            yield

    app = FastAPI(
        title="Tandem", version=version("portal"), lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None
    )
    add_problem_handlers(app)
    app.include_router(token_routes(keys, clients, settings.issuer))
    app.include_router(document_routes(app, settings.services, settings.document_seconds))
    app.include_router(page_routes(list(settings.services)))
    app.include_router(health_routes())
    return app


def health_routes() -> APIRouter:
    """Return the routes that say the process lives; it needs nothing else to be ready."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", operation_id="get_portal_health")
    async def health() -> dict[str, str]:
        """Say that the portal's process answers."""
        return {"status": "ok"}

    @router.get("/readyz", operation_id="get_portal_readiness")
    async def readiness() -> dict[str, str]:
        """Say that the portal takes requests."""
        return {"status": "ready"}

    return router
