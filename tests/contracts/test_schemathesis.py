import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from api_documents import SERVED, Served
from contract_run import ORGANISATION, make, run_schemathesis, serving

from chassis.testkit.applications import settings_on
from chassis.testkit.databases import Addresses
from chassis.testkit.tokens import Signer
from service_catalog.handovers.schemas import EXAMPLE as HANDOVER

WIDE = "TANDEM_CONTRACT_WIDE"
START = "2026-03-02T08:00:00Z"
EURO = {"amount": "100", "currency": "EUR"}


@dataclass(frozen=True)
class Running:
    """A service that answers: where, to which token, and what it has."""

    url: str
    token: str
    known: Mapping[str, str]


def catalog_resources(client: httpx.Client) -> dict[str, str]:
    service, other = (
        make(client, "services", {"key": key, "name": key, "type": "business"}) for key in ("shop", "payments")
    )
    own = f"services/{service['id']}"
    about = {"service_id": service["id"]}
    incident = make(client, "incidents", {**about, "title": "Slow", "impact": "low", "urgency": "low"})
    outage = make(client, "outages", {**about, "severity": "major", "started_at": START})
    planned = {"planned_start": START, "planned_end": "2026-03-02T10:00:00Z"}
    window = make(client, "maintenance-windows", {"service_ids": [service["id"]], **planned})
    change = make(client, "changes", {"service_ids": [service["id"]], "title": "Move the database", **planned})
    level = make(client, "service-levels", {**about, "metric": "resolution_time", "target": "240"})
    month = {"period_start": "2026-02-01", "period_end": "2026-02-28"}
    cost = make(client, "costs", {**about, "category": "cloud", "nature": "opex", "amount": EURO, **month})
    link = make(client, f"{own}/dependencies", {"depends_on_id": other["id"], "type": "hard"})
    criterion = make(client, f"{own}/acceptance-criteria", {"dimension": "people", "text": "Two can restore it."})
    return {
        "service_id": service["id"],
        "key": service["key"],
        "incident_id": incident["id"],
        "outage_id": outage["id"],
        "window_id": window["id"],
        "change_id": change["id"],
        "service_level_id": level["id"],
        "cost_id": cost["id"],
        "depends_on_id": other["id"],
        "dependency_id": link["id"],
        "criterion_id": criterion["id"],
        "problem_id": make(client, "problems", {**about, "title": "It recurs"})["id"],
        "work_note_id": make(client, f"incidents/{incident['id']}/timeline", {"text": "Called them."})["id"],
        "handover_id": handed_over(client, service["id"]),
        "improvement_id": make(client, "improvements", {**about, "title": "Faster"})["id"],
        "invitation_id": make(client, "survey-invitations", about)["id"],
        "calendar_id": make(client, "calendars", office())["id"],
    }


def handed_over(client: httpx.Client, service_id: str) -> str:
    """Let a project hand a service over; return the handover's id."""
    data = HANDOVER | {"service": {"service_id": service_id}}
    event = {"specversion": "1.0", "id": "1", "source": "/project-tracker", "data": data}
    event["type"] = "tandem.handover.requested.v1"
    response = client.post("/v1/events", json=event, headers={"Content-Type": "application/cloudevents+json"})
    assert response.status_code == 202, response.text
    return str(data["id"])


def tracker_resources(client: httpx.Client) -> dict[str, str]:
    project = make(client, "projects", {"key": "crm", "name": "CRM", "currency": "EUR", "start_at": START})
    own = f"projects/{project['id']}"
    first, second = (
        make(client, f"{own}/tasks", {"wbs": wbs, "name": f"Task {wbs}", "duration": "1d", "budget": EURO})
        for wbs in ("1", "2")
    )
    link = make(client, f"{own}/dependencies", {"predecessor_wbs": "1", "successor_wbs": "2"})
    line = make(
        client, f"{own}/budget-lines", {"period_start": "2026-03-02", "period_end": "2026-03-31", "amount": EURO}
    )
    report = make(client, f"{own}/progress-reports", {"wbs": "1", "status_at": START, "percent_complete": "10"})
    cost = {"wbs": "1", "incurred_at": START, "category": "labour", "amount": EURO}
    return {
        "project_id": project["id"],
        "key": project["key"],
        "task_id": first["id"],
        "predecessor_id": first["id"],
        "successor_id": second["id"],
        "dependency_id": link["id"],
        "line_id": line["id"],
        "report_id": report["id"],
        "baseline_id": make(client, f"{own}/baselines", {})["id"],
        "cost_id": make(client, f"{own}/costs", cost)["id"],
        "calendar_id": make(client, "calendars", office())["id"],
    }


def engine_resources(client: httpx.Client) -> dict[str, str]:
    policy = client.put("/v1/policies", json={"valid_from": START})
    return {"code": "availability", "policy_id": policy.raise_for_status().json()["id"]}


def office() -> dict[str, Any]:
    monday = {"weekday": "monday", "intervals": [["08:00", "12:00"]]}
    return {"name": "Office", "timezone": "Europe/Berlin", "weekly": [monday]}


RESOURCES: dict[str, Callable[[httpx.Client], dict[str, str]]] = {
    "service-catalog": catalog_resources,
    "project-tracker": tracker_resources,
    "kpi-engine": engine_resources,
}
MODEL_OPERATIONS = {
    "service-catalog": "_incidents?$|_incident_",
    "project-tracker": "_tasks?$",
    "kpi-engine": "_kpi",
}


@pytest.fixture(params=SERVED)
def running(
    request: pytest.FixtureRequest, new_database: Callable[[str], Addresses], signer: Signer, jwks_file: Path
) -> Iterator[Running]:
    served: Served = SERVED[request.param]
    settings = settings_on(new_database(served.package), served.settings, jwks_file=jwks_file, signer=signer)
    token = signer.token(*served.scopes, org=ORGANISATION, aud=served.name)
    with serving(served.create_app(settings)) as url:
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
            known = RESOURCES[served.name](client)
        yield Running(url, token, known)


def test_the_model_slices_answer_as_documented(
    running: Running, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    service = request.node.callspec.params["running"]
    ended = run_schemathesis(
        tmp_path,
        running.url,
        running.token,
        known=running.known,
        examples=4,
        phases="examples,coverage,fuzzing",
        operations=MODEL_OPERATIONS[service],
        seconds_max=120,
    )
    assert ended.returncode == 0, ended.stdout[-8000:] + ended.stderr[-2000:]


@pytest.mark.skipif(WIDE not in os.environ, reason=f"takes minutes; `make contract` sets {WIDE}")
def test_every_operation_answers_as_documented(running: Running, tmp_path: Path) -> None:
    ended = run_schemathesis(
        tmp_path,
        running.url,
        running.token,
        known=running.known,
        examples=int(os.environ[WIDE]),
        phases="examples,coverage,fuzzing,stateful",
        seconds_max=1800,
    )
    assert ended.returncode == 0, ended.stdout[-20000:] + ended.stderr[-2000:]
