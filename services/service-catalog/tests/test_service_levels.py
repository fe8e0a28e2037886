import asyncio
from typing import Any

import pytest
from catalog_api import Catalog, codes, ready_service

from chassis.testkit.applications import ANY_VERSION, pointers
from service_catalog.levels.schemas import ServiceLevel

OFFICE: dict[str, Any] = {
    "name": "office",
    "timezone": "UTC",
    "weekly": [{"weekday": "monday", "intervals": [["08:00", "18:00"]]}],
}


async def test_a_level_is_agreed_changed_and_taken_back(catalog: Catalog) -> None:
    service = await catalog.service()
    made = await catalog.level(service, metric="availability", target="99.90", labels={"kind": "gold"})
    ServiceLevel.model_validate_json(ServiceLevel(**made).model_dump_json(), extra="forbid")
    assert set(made) == set(ServiceLevel.model_fields)
    assert (made["target"], made["priority"], made["valid_from"], made["valid_to"]) == ("99.9", None, None, None)
    own = f"service-levels/{made['id']}"
    changed = await catalog.patch(own, {"target": "99.5", "labels": {"kind": None}})
    assert (changed["target"], changed["labels"], changed["version"]) == ("99.5", {}, 2)
    listed = await catalog.get("service-levels", service_id=service["id"], metric="availability")
    assert [one["id"] for one in listed["items"]] == [made["id"]]
    await catalog.of_another_organisation().get(own, status=404)
    await catalog.delete(own)
    await catalog.get(own, status=404)


async def test_the_levels_in_force_at_an_instant(catalog: Catalog) -> None:
    service = await catalog.service()
    old = await catalog.level(service, valid_to="2026-01-01T00:00:00Z")
    new = await catalog.level(service, valid_from="2026-01-01T00:00:00Z", target="120")
    for at, level in (("2025-12-31T23:59:59Z", old), ("2026-01-01T00:00:00Z", new)):
        listed = await catalog.get("service-levels", service_id=service["id"], in_force_at=at)
        assert [one["id"] for one in listed["items"]] == [level["id"]]


@pytest.mark.parametrize(
    ("wrong", "faults"),
    [
        ({"metric": "uptime"}, [("/metric", "literal-error")]),
        ({"target": "0"}, [("/target", "out-of-range")]),
        ({"target": "1.5"}, [("/target", "out-of-range")]),
        ({"target": "1000001"}, [("/target", "out-of-range")]),
        ({"metric": "csat", "target": "100.1"}, [("/target", "out-of-range")]),
        ({"metric": "csat", "target": "90", "priority": "P1"}, [("/priority", "not-allowed")]),
        ({"valid_from": "2026-01-02T00:00:00Z", "valid_to": "2026-01-02T00:00:00Z"}, [("/valid_to", "before-start")]),
        ({"service_id": "01890a5d-ac96-774b-bcce-b302099a8057"}, [("/service_id", "reference-unknown")]),
        ({"calendar_id": "01890a5d-ac96-774b-bcce-b302099a8057"}, [("/calendar_id", "reference-unknown")]),
    ],
)
async def test_what_makes_no_level_is_refused(catalog: Catalog, wrong: Any, faults: Any) -> None:
    refused = await catalog.level(await catalog.service(), status=422, **wrong)
    if "metric" not in wrong or wrong["metric"] == "csat":
        assert pointers(refused) == faults
    else:
        assert pointers(refused)[0][0] == faults[0][0]


async def test_two_are_never_in_force_for_the_same_thing(catalog: Catalog) -> None:
    service = await catalog.service()
    first = await catalog.level(service, valid_from="2026-01-01T00:00:00Z", valid_to="2026-07-01T00:00:00Z")
    refused = await catalog.level(service, valid_from="2026-06-30T00:00:00Z", status=409)
    assert refused["code"] == "service-level-overlaps"
    assert [guard["ref"] for guard in refused["unmet_guards"]] == [f"service-levels/{first['id']}"]
    later = await catalog.level(service, valid_from="2026-07-01T00:00:00Z")
    await catalog.level(service, valid_from="2026-06-30T00:00:00Z", priority="P1")
    await catalog.level(service, valid_from="2026-06-30T00:00:00Z", metric="response_time")
    await catalog.patch(f"service-levels/{later['id']}", {"valid_from": None}, status=409)
    await catalog.patch(f"service-levels/{first['id']}", {"valid_to": None}, status=409)
    assert (await catalog.get(f"service-levels/{first['id']}"))["version"] == 1


async def test_of_two_equal_levels_agreed_at_once_one_wins(catalog: Catalog) -> None:
    service = await catalog.service()
    body = {"service_id": service["id"], "metric": "csat", "target": "90"}
    answers = await asyncio.gather(*(catalog.send("POST", "service-levels", json=body) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7


async def test_a_level_is_needed_before_creation(catalog: Catalog) -> None:
    made = await catalog.service(**ready_service())
    own = f"services/{made['id']}"
    await catalog.move(own, "designing")
    assert "service_level_defined" in codes(await catalog.move(own, "creating", status=409))
    ended = await catalog.level(made, valid_to="2020-01-01T00:00:00Z")
    assert "service_level_defined" in codes(await catalog.move(own, "creating", status=409))
    await catalog.patch(f"service-levels/{ended['id']}", {"valid_to": "2099-01-01T00:00:00Z"})
    available = {one["to"]: codes(one) for one in (await catalog.get(f"{own}/transitions"))["available"]}
    assert "service_level_defined" not in available["creating"]


async def test_what_a_level_refers_to_stays(catalog: Catalog) -> None:
    calendar = await catalog.post("calendars", OFFICE)
    service = await catalog.service()
    await catalog.level(service, calendar_id=calendar["id"])
    assert (await catalog.delete(f"calendars/{calendar['id']}", status=409))["code"] == "calendar-in-use"
    assert (await catalog.delete(f"services/{service['id']}", status=409))["code"] == "service-in-use"


async def test_a_change_needs_the_scope_and_the_version(catalog: Catalog) -> None:
    made = await catalog.level(await catalog.service())
    path = f"service-levels/{made['id']}"
    reader = catalog.limited_to("catalog:read")
    assert (await reader.send("PATCH", path, json={}, headers=ANY_VERSION)).status_code == 403
    assert (await catalog.send("PATCH", path, json={"target": "1"})).status_code == 428
    stale = await catalog.send("PATCH", path, json={"target": "1"}, headers={"If-Match": '"7"'})
    assert (stale.status_code, stale.json()["current"]["target"]) == (412, "240")
