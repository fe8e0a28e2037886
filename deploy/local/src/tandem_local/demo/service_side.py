"""One service with the outages and maintenance that a large public service published."""

import csv
import gzip
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from tandem_local.demo.gateway import Gateway, tell

SOURCE = "demo"
KEY = "code-hosting"
FROM, TO = "2025-12-29T00:00:00Z", "2026-03-29T00:00:00Z"
KPIS = ("availability", "downtime_seconds", "mtrs", "mtbf")


def load(gateway: Gateway) -> str:
    """Load the service and what happened to it; return its id."""
    tell("A service with four years of published incidents:")
    service = {
        "external_source": SOURCE,
        "external_id": KEY,
        "key": KEY,
        "name": "Code hosting",
        "description": "A public code hosting service, as its status page told of it.",
        "type": "business",
        "criticality": "tier1",
        "owner": "ada",
        "support_team": "platform",
        "state": "supporting",
        "live_from": "2022-01-01T00:00:00Z",
    }
    (written,) = gateway.batch("/service-catalog/v1/services:batch", [service], "service")
    incidents = list(_published())
    outages = [_outage(line) for line in incidents if line["impact"] != "maintenance"]
    windows = [_window(line) for line in incidents if line["impact"] == "maintenance"]
    gateway.batch("/service-catalog/v1/outages:batch", outages, "outages")
    gateway.batch("/service-catalog/v1/maintenance-windows:batch", windows, "maintenance windows")
    service_id: str = written["id"]
    return service_id


def figures(gateway: Gateway, service_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the service's KPIs over the 90 days whose availability is publicly quoted."""
    for code in KPIS:
        query = {"subject_type": "service", "subject_id": service_id, "from": FROM, "to": TO, "grain": "total"}
        answer = gateway.get_current(f"/kpi-engine/v1/kpis/{code}/values", **query, timezone="UTC")
        yield code, answer["items"][0]


def _published() -> Iterator[dict[str, str]]:
    content = files("tandem_local.demo").joinpath("data", "github-incidents.csv.gz").read_bytes()
    yield from csv.DictReader(gzip.decompress(content).decode().splitlines())


def _outage(line: dict[str, str]) -> dict[str, Any]:
    return {
        "external_source": SOURCE,
        "external_id": line["incident_id"],
        "service_key": KEY,
        "severity": "major",
        "started_at": line["downtime_start"],
        "ended_at": line["downtime_end"] or None,
        "cause": line["title"],
    }


def _window(line: dict[str, str]) -> dict[str, Any]:
    # Announced when it began, so it is in the register but, with the usual notice, excuses no downtime before.
    return {
        "external_source": SOURCE,
        "external_id": line["incident_id"],
        "service_keys": [KEY],
        "planned_start": line["downtime_start"],
        "planned_end": line["downtime_end"],
        "announced_at": line["downtime_start"],
        "state": "completed",
    }
