"""Two years of a service desk through the gateway, with every state of every incident, in one go and again."""

from collections import Counter
from datetime import datetime
from typing import Any

import httpx
import pytest
import service_desk

BATCH = 1000
DAY_SECONDS = 86_400
KEY = "vehicle-desk"

pytestmark = pytest.mark.skipif(not service_desk.FILE.exists(), reason=f"the incidents are not at {service_desk.FILE}")


def send_all(client: httpx.Client, items: list[dict[str, Any]]) -> Counter[int]:
    statuses: Counter[int] = Counter()
    for start in range(0, len(items), BATCH):
        body = {"items": items[start : start + BATCH]}
        response = client.post("/service-catalog/v1/incidents:batch", json=body)
        assert response.is_success, response.text[:2000]
        statuses.update(item["status"] for item in response.json()["items"])
    return statuses


def every(client: httpx.Client, **asked: str) -> list[dict[str, Any]]:
    path: str | None = "/service-catalog/v1/incidents"
    found: list[dict[str, Any]] = []
    params: dict[str, str] | None = {"limit": "200", **asked}
    while path is not None:
        response = client.get(path, params=params)
        assert response.is_success, response.text
        found += response.json()["items"]
        path, params = response.links.get("next", {}).get("url"), None
    return found


def test_a_history_is_imported_whole_and_once(client: httpx.Client) -> None:
    service = {"key": KEY, "name": "Vehicle desk", "type": "business", "owner": "ada"}
    assert client.post("/service-catalog/v1/services", json=service).is_success
    items = list(service_desk.items(KEY))
    assert len(items) == 7_554
    assert send_all(client, items) == {httpx.codes.CREATED: 7_554}
    assert send_all(client, items) == {httpx.codes.OK: 7_554}

    (found,) = client.get("/service-catalog/v1/services", params={"key": KEY}).json()["items"]
    incidents = every(client, service_id=found["id"])
    assert len(incidents) == 7_554
    months = Counter(incident["occurred_at"][:7] for incident in incidents)
    assert months == Counter(item["occurred_at"][:7] for item in items)
    (busiest, count), *_ = months.most_common(1)
    year, month = (int(part) for part in busiest.split("-"))
    following = f"{year + month // 12}-{month % 12 + 1:02}-01T00:00:00Z"
    asked = {"service_id": found["id"], "count": "true", "limit": "1"}
    asked |= {"occurred_at_from": f"{busiest}-01T00:00:00Z", "occurred_at_to": following}
    assert client.get("/service-catalog/v1/incidents", params=asked).json()["count"] == count

    states = Counter(incident["state"] for incident in incidents)
    assert states == Counter(item["history"][-1]["state"] for item in items)


def test_the_mean_of_last_minus_first_entry_is_that_of_the_log(client: httpx.Client) -> None:
    (service,) = client.get("/service-catalog/v1/services", params={"key": KEY}).json()["items"]
    by_number = {item["external_id"]: item for item in service_desk.items(KEY)}
    spans = []
    for incident in every(client, service_id=service["id"]):
        first, last = (datetime.fromisoformat(incident[name]) for name in ("occurred_at", "state_since"))
        assert last <= datetime.fromisoformat(by_number[incident["external_id"]]["history"][-1]["at"])
        spans.append((last - first).total_seconds())
    assert round(sum(spans) / len(spans) / DAY_SECONDS, 2) == 12.08


def test_the_longest_history_comes_back_step_by_step(client: httpx.Client) -> None:
    longest = max(service_desk.items(KEY), key=lambda item: len(item["history"]))
    asked = {"external_source": "desk", "external_id": longest["external_id"]}
    (incident,) = client.get("/service-catalog/v1/incidents", params=asked).json()["items"]
    timeline = client.get(f"/service-catalog/v1/incidents/{incident['id']}/timeline").json()
    told = timeline["items"] if isinstance(timeline, dict) else timeline
    steps = [(entry["to"], entry["at"]) for entry in told if entry["kind"] == "state"]
    assert [(step["state"], step["at"]) for step in longest["history"]] == steps[-len(longest["history"]) :]
