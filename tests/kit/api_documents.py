"""The services' applications and API documents, made in this process, and the gateway's document made of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kpi_engine.main
import kpi_engine.settings
import project_tracker.main
import project_tracker.settings
import service_catalog.main
import service_catalog.settings
from chassis.http.app import Api
from chassis.settings import ServiceSettings
from portal.documents import own_document
from portal.keys import create_signing_key
from portal.main import create_app as create_portal
from portal.merging import merged
from portal.settings import PortalSettings

_NOWHERE = {
    "database_host": "localhost",
    "database_name": "none",
    "jwks_url": "https://localhost/jwks.json",
    "issuer": "https://localhost",
    "cursor_secret": "none",
    "runtime_password": "none",
    "worker_password": "none",
}


@dataclass(frozen=True)
class Served:
    """A service: its package, its settings, what makes its application, and every scope it knows."""

    name: str
    settings: type[ServiceSettings]
    create_app: Callable[[Any], Api]
    scopes: tuple[str, ...]

    @property
    def package(self) -> str:
        return self.name.replace("-", "_")

    def document(self) -> dict[str, Any]:
        """Return the service's own API document."""
        return self.create_app(self.settings.model_validate(_NOWHERE)).openapi()


_EVENTS = ("events:read", "events:subscribe", "events:deliver")


def _scopes(family: str, *duties: str) -> tuple[str, ...]:
    return (*(f"{family}:{duty}" for duty in duties), *_EVENTS)


SERVED = {
    served.name: served
    for served in (
        Served(
            "service-catalog",
            service_catalog.settings.Settings,
            service_catalog.main.create_app,
            _scopes("catalog", "read", "write", "approve", "import"),
        ),
        Served(
            "project-tracker",
            project_tracker.settings.Settings,
            project_tracker.main.create_app,
            _scopes("projects", "read", "write", "approve", "import"),
        ),
        Served(
            "kpi-engine",
            kpi_engine.settings.Settings,
            kpi_engine.main.create_app,
            _scopes("kpi", "read", "write"),
        ),
    )
}


def documents() -> dict[str, dict[str, Any]]:
    """Return the document of every service."""
    return {name: served.document() for name, served in SERVED.items()}


def whole_document(folder: Path) -> dict[str, Any]:
    """Return the document of the gateway while every service is up; the portal keeps a key in the folder."""
    create_signing_key(folder)
    portal = create_portal(PortalSettings(issuer="https://localhost", signing_keys=folder, services={}))
    return merged(documents(), own_document(portal), server="/")
