"""What generated requests find in a service: one resource for every name that a path of it has."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx
from contract_run import make

from chassis import ids
from service_catalog.handovers.schemas import EXAMPLE as HANDOVER

START = "2026-03-02T08:00:00Z"
EURO = {"amount": "100", "currency": "EUR"}


def catalog_resources(client: httpx.Client) -> dict[str, str]:
    """Make what service-catalog has paths for; return the ids by the names of parameters and fields."""
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
        **handed_over(client, service["id"]),
        **asked_for(client, service),
        "response_id": make(client, "survey-responses", {**about, "score": 4})["id"],
        "improvement_id": make(client, "improvements", {**about, "title": "Faster"})["id"],
        "invitation_id": make(client, "survey-invitations", about)["id"],
        "calendar_id": make(client, "calendars", office())["id"],
    }


def handed_over(client: httpx.Client, service_id: str) -> dict[str, str]:
    """Let a project hand a service over, and tell it what makes no sense; return the ids of what came of both."""
    data = HANDOVER | {"service": {"service_id": service_id}}
    for about in (data, {}):
        deliver(client, "project-tracker", "handover.requested", about)
    return {"handover_id": data["id"], "project_id": data["project_id"], "quarantine_id": put_away(client)}


def asked_for(client: httpx.Client, service: Mapping[str, Any]) -> dict[str, str]:
    """Offer something that somebody else asks for; the item has the key of its service, so that both are found."""
    form = {"type": "object", "properties": {"size": {"enum": ["13", "15"]}}}
    offered = {"key": service["key"], "service_id": service["id"], "name": "A laptop", "approval_required": True}
    item = make(client, "catalogue-items", {**offered, "form_schema": form, "fulfilment_target_minutes": 60})
    published = client.post(f"/v1/catalogue-items/{item['id']}/transitions", json={"to": "published"})
    assert published.status_code == 200, published.text
    wish = {"catalogue_item_id": item["id"], "requester": "grace", "form": {"size": "15"}}
    return {
        "catalogue_item_id": item["id"],
        "catalogue_item_key": item["key"],
        "service_key": service["key"],
        "service_request_id": make(client, "service-requests", wish)["id"],
    }


def deliver(client: httpx.Client, source: str, kind: str, data: Mapping[str, Any], **about: str) -> None:
    """Deliver an event of a sibling."""
    event = {"specversion": "1.0", "id": str(ids.new_id()), "source": f"/{source}", "type": f"tandem.{kind}.v1"}
    headers = {"Content-Type": "application/cloudevents+json"}
    response = client.post("/v1/events", json={**event, **about, "data": data}, headers=headers)
    assert response.status_code == 202, response.text


def put_away(client: httpx.Client) -> str:
    """Return the id of the event that waits in quarantine."""
    (kept,) = client.get("/v1/quarantine").raise_for_status().json()["items"]
    return str(kept["id"])


def tracker_resources(client: httpx.Client) -> dict[str, str]:
    """Make what project-tracker has paths for; return the ids likewise."""
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
    """Tell kpi-engine of a project, and make what it has paths for; return the ids likewise."""
    policy = client.put("/v1/policies", json={"valid_from": START})
    project, task, baseline = (str(ids.new_id()) for _ in range(3))
    at = {"start": START, "finish": "2026-03-03T08:00:00Z", "kind": "task", "wbs": "1", "name": "Build"}
    crm = {"key": "crm", "name": "CRM", "currency": "EUR", "start_at": START, "state": "executing"}
    accrual = {"fixed_accrual": "start", "earning_rule": "percent_complete", "fixed_budget": None}
    frozen = {"baseline_id": baseline, "task_id": task, "budget": EURO, **at, **accrual}
    approved = {"number": 1, "task_count": 1, "approved_at": START, "management_reserve": None, "calendar": None}
    tell(client, "projects", {"id": project, "calendar_id": None, "deadline_at": None, "outcome": None, **crm})
    tell(client, "tasks", {"id": task, "project_id": project, **at})
    tell(client, "baseline-tasks", {"id": str(ids.new_id()), **frozen})
    tell(client, "baselines", {"id": baseline, "project_id": project, **approved})
    of_task = {"project_id": project, "task_id": task}
    tell(client, "progress-reports", {"id": str(ids.new_id()), **of_task, "status_at": START, "percent_complete": "10"})
    deliver(client, "project-tracker", "task.updated", {})
    return {
        "code": "availability",
        "policy_id": policy.raise_for_status().json()["id"],
        "project_id": project,
        "quarantine_id": put_away(client),
    }


def tell(client: httpx.Client, collection: str, data: Mapping[str, Any]) -> None:
    """Tell of a resource as the project tracker does."""
    noun = collection.removesuffix("s").replace("-", "_")
    about = {"subject": f"{collection}/{data['id']}", "aggregateversion": "1", "sequence": "1.1", "time": START}
    deliver(client, "project-tracker", f"{noun}.created", {"version": 1, "updated_at": START, **data}, **about)


def office() -> dict[str, Any]:
    """Return a calendar of Monday mornings."""
    monday = {"weekday": "monday", "intervals": [["08:00", "12:00"]]}
    return {"name": "Office", "timezone": "Europe/Berlin", "weekly": [monday]}


RESOURCES: dict[str, Callable[[httpx.Client], dict[str, str]]] = {
    "service-catalog": catalog_resources,
    "project-tracker": tracker_resources,
    "kpi-engine": engine_resources,
}
