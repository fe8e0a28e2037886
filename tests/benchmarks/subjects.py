"""What the ladder is measured on: resources with their requests, and the same for the floor."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from measuring import Request
from stand import Stand

BATCH = 100
FILLED = 5000
PROJECTS = 100
_KEYED = {"Idempotency-Key": "{n}"}
_INCIDENT = {
    "title": "Orders cannot be paid",
    "description": "The payment page answers with an error since a quarter past nine.",
    "impact": "high",
    "urgency": "medium",
    "caller": "shop floor",
    "assigned_team": "payments",
}
_TASK = {"name": "Analysis", "duration": "5d", "earning_rule": "percent_complete"}


@dataclass(frozen=True)
class Subject:
    """One kind of resource: the service it is of, its requests below `/v1`, and what the floor has to know of it.

    `floor` are further fields of `floor.Description`.
    """

    name: str
    service: str
    requests: Mapping[str, Sequence[Request]]
    floor_requests: Mapping[str, Sequence[Request]]
    floor: Mapping[str, Any]


def sent(method: str, path: str, body: Any = None, **headers: str) -> Request:
    """Return one request; its body as JSON."""
    request: Request = {"method": method, "path": path, "headers": headers}
    return request if body is None else request | {"body": json.dumps(body)}


def incidents(stand: Stand) -> Subject:
    """Fill a service with incidents."""
    with stand.client() as client:
        service = _created(client, "/service-catalog/v1/services", _SERVICE | {"key": "shop", "name": "Shop"})
        body = _INCIDENT | {"service_id": service}
        _import(client, body, 0, FILLED)
        found = _ok(client.get("/service-catalog/v1/incidents?limit=200&sort=-created_at"))["items"]
    known = [one["id"] for one in found]
    items = [body | {"external_source": "bench", "external_id": f"{{n}}-{n}"} for n in range(BATCH)]
    since = "2026-03-02T09:15:00+00:00"
    defaults = {
        "state": "new",
        "state_since": since,
        "occurred_at": since,
        "priority": "p2",
        "major": False,
        "reported_by": "bench",
    }
    return Subject(
        name="incidents",
        service="service-catalog",
        requests={
            "create": [sent("POST", "/incidents", body, **_KEYED)],
            "get": [sent("GET", f"/incidents/{id_}") for id_ in known],
            "list 100": [sent("GET", "/incidents?limit=100")],
            "batch of 100": [sent("POST", "/incidents:batch", {"items": items}, **_KEYED)],
        },
        floor_requests={
            "create": [sent("POST", "/incident", body)],
            "get": [sent("GET", f"/incident/{id_}") for id_ in known],
            "list 100": [sent("GET", "/incident")],
            "batch of 100": [sent("POST", "/incident:batch", {"items": items})],
        },
        floor={
            "table": "incident",
            "defaults": defaults | {"labels": "{}", "reopened_count": 0, "resolved_before_reopening_seconds": 0},
        },
    )


def fill(stand: Stand, subject: Subject, first: int, last: int) -> None:
    """Add further incidents, up to so many."""
    with stand.client() as client:
        _import(client, json.loads(subject.requests["create"][0]["body"]), first, last)


def _import(client: httpx.Client, body: Mapping[str, Any], first: int, last: int) -> None:
    for number in range(first, last, 1000):
        items = [{**body, "external_source": "fill", "external_id": str(number + n)} for n in range(1000)]
        _ok(client.post("/service-catalog/v1/incidents:batch", json={"items": items}))


def tasks(stand: Stand) -> Subject:
    """Fill projects with tasks: one with a list's worth of them, many with a few that creates go to in turn."""
    with stand.client() as client:
        ids = [_created(client, "/project-tracker/v1/projects", _project(n)) for n in range(PROJECTS + 1)]
        for place, project in enumerate(ids):
            items = [_TASK | {"wbs": str(n)} for n in range(1, 201 if place == 0 else 21)]
            _ok(client.post(f"/project-tracker/v1/projects/{project}/tasks:batch", json={"items": items}))
        big, *small = ids
        found = _ok(client.get(f"/project-tracker/v1/projects/{big}/tasks?limit=200"))["items"]
    known = [one["id"] for one in found]
    new = _TASK | {"wbs": "{n}"}
    items = [_TASK | {"wbs": f"{{n}}-{n}"} for n in range(BATCH)]
    rows = {project: [item | {"project_id": project} for item in [new, *items]] for project in small}
    defaults = {"kind": "task", "parent_is_given": False, "currency": "EUR", "fixed_accrual": "start", "labels": "{}"}
    return Subject(
        name="tasks",
        service="project-tracker",
        requests={
            "create": [sent("POST", f"/projects/{project}/tasks", new, **_KEYED) for project in small],
            "get": [sent("GET", f"/projects/{big}/tasks/{id_}") for id_ in known],
            "list 100": [sent("GET", f"/projects/{big}/tasks?limit=100")],
            "batch of 100": [
                sent("POST", f"/projects/{project}/tasks:batch", {"items": items}, **_KEYED) for project in small
            ],
        },
        floor_requests={
            "create": [sent("POST", "/task", rows[project][0]) for project in small],
            "get": [sent("GET", f"/task/{id_}") for id_ in known],
            "list 100": [sent("GET", "/task")],
            "batch of 100": [sent("POST", "/task:batch", {"items": rows[project][1:]}) for project in small],
        },
        floor={
            "table": "task",
            "defaults": defaults | {"percent_complete": "0"},
            "of_list": f"project_id = '{big}'",
        },
    )


SUBJECTS: Mapping[str, Callable[[Stand], Subject]] = {"incidents": incidents, "tasks": tasks}
_SERVICE = {"type": "business", "criticality": "tier1", "owner": "ada"}


def _project(number: int) -> dict[str, Any]:
    return {
        "key": f"bench-{number}",
        "name": f"Project {number}",
        "kind": "other",
        "currency": "EUR",
        "start_at": "2026-03-02T08:00:00Z",
    }


def _ok(response: httpx.Response) -> Any:
    if response.is_error:
        raise RuntimeError(f"{response.request.url} was answered with {response.status_code}: {response.text}")
    return response.json()


def _created(client: httpx.Client, path: str, body: Mapping[str, Any]) -> str:
    return str(_ok(client.post(path, json=body))["id"])
