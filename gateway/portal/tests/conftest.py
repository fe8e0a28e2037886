import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from portal.clients import HASHER
from portal.keys import create_signing_key
from portal.main import create_app
from portal.settings import PortalSettings

ISSUER = "https://tandem.test"
SECRET = "correct horse battery staple"
OK = {"200": {"description": "So be it"}}
CATALOG: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Service catalogue", "version": "1"},
    "security": [{"HTTPBearer": []}],
    "tags": [{"name": "events", "description": "What happened"}],
    "paths": {
        "/v1/incidents": {
            "get": {
                "operationId": "list_incidents",
                "tags": ["incidents"],
                "responses": {"200": {"$ref": "#/components/responses/Incidents"}},
            }
        },
        "/v1/events": {"get": {"operationId": "list_events", "tags": ["events"], "responses": OK}},
        "/healthz": {"get": {"operationId": "get_health", "security": [], "responses": OK}},
    },
    "components": {
        "securitySchemes": {"HTTPBearer": {"type": "http", "scheme": "bearer"}},
        "schemas": {
            "Money": {"type": "object", "required": ["amount"]},
            "Person": {"type": "string"},
            "Cost": {"properties": {"by": {"$ref": "#/components/schemas/Person"}}},
            "Bill": {"items": {"$ref": "#/components/schemas/Cost"}},
        },
        "responses": {"Incidents": {"description": "Incidents"}},
    },
}
TRACKER: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Project tracker", "version": "1"},
    "paths": {
        "/v1/events": {
            "get": {
                "operationId": "list_events",
                "tags": ["events"],
                "security": [{"bearer": []}],
                "responses": {
                    "200": {
                        "description": "Bills",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Bill"}}},
                    }
                },
            }
        }
    },
    "components": {
        "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        "schemas": {
            "Money": {"type": "object", "required": ["amount"]},
            "Person": {"type": "object"},
            "Cost": {"properties": {"by": {"$ref": "#/components/schemas/Person"}}},
            "Bill": {"items": {"$ref": "#/components/schemas/Cost"}},
        },
    },
}


@pytest.fixture
def settings(tmp_path: Path) -> PortalSettings:
    create_signing_key(tmp_path / "keys")
    clients = tmp_path / "clients.toml"
    hashes = json.dumps([HASHER.hash(SECRET)])
    clients.write_text(
        f'[clients.kpi-engine]\nsecret_hashes = {hashes}\norg = "*"\n'
        'scopes = ["events:read", "events:deliver"]\naudiences = ["service-catalog", "project-tracker"]\n'
    )
    return PortalSettings(
        issuer=ISSUER,
        signing_keys=tmp_path / "keys",
        clients_file=clients,
        services={"service-catalog": "http://catalog", "project-tracker": "http://tracker", "kpi-engine": "http://kpi"},
    )


@pytest.fixture
def app(settings: PortalSettings) -> FastAPI:
    return create_app(settings)


@pytest.fixture
async def services(app: FastAPI) -> AsyncIterator[list[str]]:
    """Answer for the services; the KPI engine is down. The list shows what was asked for."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        known = {"catalog": CATALOG, "tracker": TRACKER}
        if request.url.host not in known:
            raise httpx.ConnectError("down")
        return httpx.Response(200, json=known[request.url.host])

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        app.state.client = client
        yield asked


@pytest.fixture
async def portal(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://portal") as client:
        yield client
