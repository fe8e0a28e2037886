"""`/openapi.json`: the services' API documents as one, fetched from them and kept for a moment."""

import asyncio
import re
import time
from collections.abc import Mapping
from typing import Any

import httpx
from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse

from chassis.http.openapi_schemas import cleaned
from chassis.http.openapi_wording import describe
from portal.merging import Document, merged

FETCH_SECONDS = 5.0
RETRY_SECONDS = 2.0
DOCUMENT_BYTES_MAX = 16 * 1024 * 1024
PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)*", re.ASCII)
DESCRIPTION = """\
Three services behind one address: a service catalogue, a project tracker and a KPI engine.

Every request but the ones that say so needs an access token. Errors are problem documents (RFC 9457) with a stable
`code`. Lists are read by cursor, changes need `If-Match`, and every write may carry an `Idempotency-Key`.
"""


class ServiceDocuments:
    """The services' documents; one that cannot be fetched is left out until it can."""

    def __init__(self, client: httpx.AsyncClient, services: Mapping[str, str], kept_seconds: float) -> None:
        self._client = client
        self._services = services
        self._kept_seconds = kept_seconds
        self._documents: dict[str, Document | None] = {}
        self._until = 0.0
        self._lock = asyncio.Lock()

    async def current(self) -> dict[str, Document | None]:
        """Return each service's document, or None for one that is away; fetched once for all who wait."""
        async with self._lock:
            if time.monotonic() >= self._until:
                found = await asyncio.gather(*(self._fetch(address) for address in self._services.values()))
                self._documents = dict(zip(self._services, found, strict=True))
                kept = RETRY_SECONDS if None in found else self._kept_seconds
                self._until = time.monotonic() + kept
            return self._documents

    async def _fetch(self, address: str) -> Document | None:
        try:
            answer = await self._client.get(f"{address.rstrip('/')}/openapi.json", timeout=FETCH_SECONDS)
            answer.raise_for_status()
            document = answer.json()
        except (httpx.HTTPError, ValueError):
            return None
        usable = isinstance(document, dict) and len(answer.content) <= DOCUMENT_BYTES_MAX
        return document if usable else None


def document_routes(app: FastAPI, services: Mapping[str, str], kept_seconds: float) -> APIRouter:
    """Return the route of the merged document; `app.state.client` fetches."""
    router = APIRouter(include_in_schema=False)
    source: list[ServiceDocuments] = []

    @router.get("/openapi.json")
    async def get_document(request: Request) -> JSONResponse:
        if not source:
            source.append(ServiceDocuments(request.app.state.client, services, kept_seconds))
        documents = await source[0].current()
        found = {service: document for service, document in documents.items() if document is not None}
        whole = merged(
            found,
            own_document(app),
            server=server_of(request),
            missing=[service for service in documents if service not in found],
        )
        return JSONResponse(whole, headers={"cache-control": "no-cache"})

    return router


def own_document(app: FastAPI) -> dict[str, Any]:
    """Return what the portal itself answers; all of it without a token."""
    document = get_openapi(
        title="Tandem", version=app.version, description=DESCRIPTION, routes=app.routes, tags=app.openapi_tags
    )
    for item in document["paths"].values():
        for method, operation in item.items():
            operation["security"] = []
            describe(operation, method)
            for answer in operation["responses"].values():
                for content in answer.get("content", {}).values():
                    content["schema"] = cleaned(content["schema"])
    schemas = document.get("components", {}).get("schemas", {})
    schemas.update({name: cleaned(schema) for name, schema in schemas.items()})
    return document


def server_of(request: Request) -> str:
    """Return where the API begins for this caller; a prefix that is none is ignored."""
    prefix = request.headers.get("x-forwarded-prefix", "").rstrip("/")
    return prefix if prefix and PREFIX.fullmatch(prefix) else "/"
