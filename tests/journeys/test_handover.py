"""A project hands a service over, through the gateway: from the event that says so to the service in support."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx

from chassis import clock, ids

CATALOG = "/service-catalog/v1"
STRUCTURED = {"Content-Type": "application/cloudevents+json"}
ClientOf = Callable[..., httpx.Client]


def requested(**given: Any) -> dict[str, Any]:
    """Return the event by which the project tracker tells that a service is handed over."""
    data = {
        "id": str(ids.new_id()),
        "version": 1,
        "project_id": str(ids.new_id()),
        "project_key": "booking-1",
        "attempt": 1,
        "service": {"key": "booking", "name": "Booking"},
        "deliverables": [
            {"id": str(ids.new_id()), "name": "Booking in production", "acceptance": {"status": "accepted"}}
        ],
        "service_levels": [{"metric": "availability", "target": "99.9"}],
        "acceptance_criteria": [
            {"dimension": "process", "text": "Who is called at night is written down."},
            {"dimension": "technology", "text": "A backup was restored."},
        ],
        "early_life_support_end": str(clock.now().date() - timedelta(days=1)),
        "early_life_support_exit_criteria": ["Two weeks without a major incident."],
        "state": "requested",
        "requested_by": "grace",
        "requested_at": "2026-03-02T10:00:00Z",
    } | given
    return {
        "specversion": "1.0",
        "id": str(ids.new_id()),
        "source": "/project-tracker",
        "type": "tandem.handover.requested.v1",
        "data": data,
    }


def answered(response: httpx.Response, status: int = httpx.codes.OK) -> Any:
    assert response.status_code == status, response.text[:2000]
    return response.json()


def unmet(refusal: Any) -> list[str]:
    return [guard["code"] for guard in refusal["unmet_guards"]]


def settle(client: httpx.Client, service: str, needed_for: str) -> None:
    criteria = answered(client.get(f"{service}/acceptance-criteria", params={"needed_for": needed_for}))["items"]
    assert criteria
    for one in criteria:
        answered(client.post(f"{service}/acceptance-criteria/{one['id']}/decision", json={"decision": "passed"}))


def test_a_project_hands_a_service_over_and_it_comes_to_be_supported(client_of: ClientOf) -> None:
    owner, monitor = client_of("handing-over"), client_of("handing-over", "events:deliver")
    event = requested()
    received = answered(monitor.post(f"{CATALOG}/events", json=event, headers=STRUCTURED), httpx.codes.ACCEPTED)
    assert (received["applied"], received["quarantined"]) == (1, 0)
    again = monitor.post(f"{CATALOG}/events", json=event, headers=STRUCTURED)
    assert again.status_code == httpx.codes.NO_CONTENT

    service = answered(owner.get(f"{CATALOG}/services/by-key/booking"))
    own = f"{CATALOG}/services/{service['id']}"
    assert (service["state"], service["project_id"]) == ("creating", event["data"]["project_id"])
    (handover,) = answered(owner.get(f"{CATALOG}/handovers", params={"service_id": service["id"]}))["items"]
    decision = f"{CATALOG}/handovers/{handover['id']}/decision"
    early = owner.post(decision, json={"decision": "accept"})
    assert unmet(answered(early, httpx.codes.CONFLICT)) == ["service_in_delivery", "mandatory_criteria_passed"]

    answered(owner.patch(own, json={"support_team": "booking-desk", "owner": "ada"}, headers={"If-Match": "*"}))
    settle(owner, own, "acceptance")
    assert answered(owner.post(f"{own}/transitions", json={"to": "delivering"}))["live_from"]
    undecided = answered(owner.post(f"{own}/transitions", json={"to": "supporting"}), httpx.codes.CONFLICT)
    assert unmet(undecided) == ["mandatory_criteria_passed", "handover_accepted"]

    accepted = answered(owner.post(decision, json={"decision": "accept", "reason": "It runs."}))
    assert accepted["state"] == "accepted"
    (level,) = answered(owner.get(f"{CATALOG}/service-levels", params={"service_id": service["id"]}))["items"]
    assert (level["metric"], level["target"]) == ("availability", "99.9")
    assert answered(owner.post(decision, json={"decision": "accept"}), httpx.codes.CONFLICT)["available"] == []

    settle(owner, own, "early_life_support_exit")
    assert answered(owner.post(f"{own}/transitions", json={"to": "supporting"}))["state"] == "supporting"

    told: list[str] = []
    path = f"{CATALOG}/events?types=tandem.handover.*"
    while len(told) < 2:
        page = owner.get(path, headers={"Prefer": "wait=10"})
        told += [one["type"] for one in answered(page)]
        path = page.links["next"]["url"]
    assert told == ["tandem.handover.created.v1", "tandem.handover.accepted.v1"]


def test_only_who_may_deliver_does_and_for_its_own_organisation(client_of: ClientOf) -> None:
    event = requested(service={"key": "other", "name": "Other"})
    refused = client_of("handing-over", "catalog:write").post(f"{CATALOG}/events", json=event, headers=STRUCTURED)
    assert answered(refused, httpx.codes.FORBIDDEN)["scope"] == "events:deliver"
    foreign = client_of("somebody-else", "events:deliver")
    response = foreign.post(f"{CATALOG}/events", json=event | {"orgid": "handing-over"}, headers=STRUCTURED)
    assert answered(response, httpx.codes.FORBIDDEN)["code"] == "organisation-foreign"
    broken = answered(
        foreign.post(f"{CATALOG}/events", json=requested(attempt="first"), headers=STRUCTURED), httpx.codes.ACCEPTED
    )
    assert broken["quarantined"] == 1
    (kept,) = answered(client_of("somebody-else").get(f"{CATALOG}/quarantine"))["items"]
    assert "/attempt" in kept["reason"]


def test_handovers_are_read_after_what_the_project_tracker_was_told(client_of: ClientOf) -> None:
    client = client_of("handing-over")
    project = {
        "key": "ferry-1",
        "name": "Ferry",
        "kind": "other",
        "currency": "EUR",
        "start_at": "2026-03-02T08:00:00Z",
    }
    made = client.post("/project-tracker/v1/projects", json=project)
    answered(made, httpx.codes.CREATED)
    after = {"After-Event": f"project-tracker/{made.headers['Event-Id']}", "Prefer": "wait=20"}
    found = client.get(f"{CATALOG}/handovers", params={"project_id": made.json()["id"]}, headers=after)
    assert answered(found)["items"] == []
    unknown = client.get(f"{CATALOG}/handovers", headers={"After-Event": f"project-tracker/{ids.new_id()}"})
    assert answered(unknown, httpx.codes.UNPROCESSABLE_ENTITY)["code"] == "unknown-event"
