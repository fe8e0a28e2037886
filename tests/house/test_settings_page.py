"""docs/settings.md names every variable that the processes read, with what holds where it is not told."""

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from chassis.settings import PREFIX, ServerSettings, ServiceSettings
from kpi_engine.settings import Settings as KpiEngineSettings
from portal.settings import PortalSettings
from project_tracker.settings import Settings as ProjectTrackerSettings
from service_catalog.settings import Settings as ServiceCatalogSettings

REPOSITORY = Path(__file__).parents[2]
GATEWAY = runpy.run_path(str(REPOSITORY / "deploy" / "images" / "gateway" / "gateway.py"))["ENVIRONMENT"]
PAGE = (REPOSITORY / "docs" / "settings.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \| [^|]*\|$", re.MULTILINE)
ITS_OWN = {"TANDEM_SERVICE_NAME": "its own", "TANDEM_DATABASE_ROLES": "the database's name"}


def told(section: str) -> dict[str, str]:
    """Return the variables that a section of the page names, each with what holds usually."""
    (text,) = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return {name: usually.strip(" `") for name, usually in ROW.findall(text)}


def read(settings: type[ServerSettings], beside: type[ServerSettings] | None = None) -> dict[str, str]:
    """Return the variables that settings are read from, but those of `beside`, as the page is to tell them."""
    known = beside.model_fields if beside else {}
    named = {
        f"{PREFIX}{name.upper()}": usually(field.default, is_needed=field.is_required())
        for name, field in settings.model_fields.items()
        if name not in known
    }
    return named | {name: said for name, said in ITS_OWN.items() if name in named}


def usually(default: Any, *, is_needed: bool) -> str:
    """Return how the page writes a default."""
    return "–" if is_needed else "none" if default is None else str(default)


@pytest.mark.parametrize(
    ("section", "variables"),
    [
        ("The services and the portal", read(ServerSettings)),
        ("The services", read(ServiceSettings, beside=ServerSettings)),
        ("The portal", read(PortalSettings, beside=ServerSettings)),
    ],
)
def test_the_page_names_what_is_read(section: str, variables: dict[str, str]) -> None:
    assert told(section) == variables


@pytest.mark.parametrize("settings", [ServiceCatalogSettings, ProjectTrackerSettings, KpiEngineSettings])
def test_no_service_reads_what_the_page_tells_of_none(settings: type[ServiceSettings]) -> None:
    assert settings.model_fields.keys() == ServiceSettings.model_fields.keys()


def test_the_page_names_what_the_gateway_reads() -> None:
    assert told("The gateway's image").keys() == GATEWAY.keys()
