from typing import Any

import httpx
import pytest
from catalog_api import Catalog, ago, codes

from chassis.testkit.applications import pointers
from service_catalog.services.schemas import EXAMPLE, Service


async def test_a_service_is_what_it_shows(catalog: Catalog) -> None:
    made = await catalog.post("services", EXAMPLE)
    Service.model_validate_json(httpx.Response(200, json=made).text, extra="forbid", strict=True)
    assert made["state"] == "proposed"
    assert made["boundaries"]["outcomes"] == [
        {
            "name": "Goods are ordered at any hour",
            "description": None,
            "measure": EXAMPLE["boundaries"]["outcomes"][0]["measure"],
        }
    ]
    assert await catalog.get(f"services/{made['id']}") == made
    assert await catalog.get(f"services/by-key/{EXAMPLE['key']}") == made
    assert (await catalog.get("services"))["items"] == [made]


async def test_a_key_is_taken_once_an_organisation(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    refused = await catalog.post("services", {"key": "shop", "name": "Another"}, status=409)
    assert refused["code"] == "key-taken"
    await catalog.of_another_organisation().service(key="shop")


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"key": "No Slug"}, "/key"),
        ({"key": "x" * 65}, "/key"),
        ({"name": " "}, "/name"),
        ({"type": "other"}, "/type"),
        ({"criticality": "tier5"}, "/criticality"),
        ({"state": "supporting"}, "/state"),
        ({"live_from": "2020-01-01T00:00:00Z"}, "/live_from"),
        ({"retire_on": "2026-02-30"}, "/retire_on"),
        ({"calendar_id": "01890a5d-ac96-774b-bcce-b302099a8057"}, "/calendar_id"),
        ({"successor_service_id": "01890a5d-ac96-774b-bcce-b302099a8057"}, "/successor_service_id"),
        ({"boundaries": {"inputs": [{"name": "a", "measure": "b"}]}}, "/boundaries/inputs/0/measure"),
        ({"colour": "red"}, "/colour"),
    ],
)
async def test_wrong_fields_are_refused_where_they_are(
    catalog: Catalog, wrong: dict[str, object], pointer: str
) -> None:
    refused = await catalog.post("services", {"key": "s", "name": "S"} | wrong, status=422)
    assert [error["pointer"] for error in refused["errors"]] == [pointer]


async def test_a_patch_merges_objects_and_replaces_lists(catalog: Catalog) -> None:
    made = await catalog.service(
        boundaries={"inputs": [{"name": "a"}], "outputs": [{"name": "b"}]}, labels={"x": "1", "y": "2"}, owner="ada"
    )
    own = f"services/{made['id']}"
    changed = await catalog.patch(
        own, {"boundaries": {"inputs": [{"name": "c"}]}, "labels": {"x": None, "z": "3"}, "owner": None}
    )
    assert [item["name"] for item in changed["boundaries"]["inputs"]] == ["c"]
    assert [item["name"] for item in changed["boundaries"]["outputs"]] == ["b"]
    assert changed["labels"] == {"y": "2", "z": "3"}
    assert (changed["owner"], changed["version"]) == (None, 2)
    assert (await catalog.patch(own, {"labels": {"y": "2"}}))["version"] == 2
    for fixed in ({"key": "other"}, {"state": "designing"}, {"live_from": None}):
        await catalog.patch(own, fixed, status=422)
    assert (await catalog.patch(own, {"boundaries": None}))["boundaries"]["outputs"] == []


async def test_changes_name_the_version_they_change(catalog: Catalog) -> None:
    made = await catalog.service()
    own = f"services/{made['id']}"
    assert (await catalog.send("PATCH", own, json={"name": "B"})).status_code == 428
    stale = await catalog.send("PATCH", own, json={"name": "B"}, headers={"If-Match": '"7"'})
    assert (stale.status_code, stale.json()["current"]) == (412, made)
    fine = await catalog.send("PATCH", own, json={"name": "B"}, headers={"If-Match": '"1"'})
    assert (fine.status_code, fine.headers["ETag"]) == (200, '"2"')
    assert fine.headers["Event-Id"]


async def test_put_by_key_creates_replaces_and_keeps_to_its_conditions(catalog: Catalog) -> None:
    path, body = "services/by-key/shop", {"name": "Shop", "owner": "ada"}

    async def put(body: dict[str, str], **headers: str) -> httpx.Response:
        answer: httpx.Response = await catalog.send(
            "PUT", path, json=body, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        return answer

    assert (await put(body, If_Match='"1"')).status_code == 412
    made = await put(body, If_None_Match="*")
    assert (made.status_code, made.json()["key"]) == (201, "shop")
    assert made.headers["Location"].endswith(f"services/{made.json()['id']}")
    again = await put(body)
    assert (again.status_code, again.headers["ETag"]) == (200, '"1"')
    replaced = await put({"name": "New shop"}, If_Match='"1"')
    assert (replaced.json()["owner"], replaced.headers["ETag"]) == (None, '"2"')
    refused = await put(body, If_None_Match="*")
    assert (refused.status_code, refused.json()["current"]["version"]) == (412, 2)
    assert (await put(body, If_Match='"1"')).status_code == 412


async def test_a_service_is_deleted_only_before_anything_came_of_it(catalog: Catalog) -> None:
    free = await catalog.service()
    assert (await catalog.delete(f"services/{free['id']}"))["id"] == free["id"]
    await catalog.get(f"services/{free['id']}", status=404)
    for refer in (catalog.incident, catalog.outage, catalog.window):
        used = await catalog.service()
        await refer(used)
        assert (await catalog.delete(f"services/{used['id']}", status=409))["code"] == "service-in-use"
    successor = await catalog.service()
    await catalog.service(successor_service_id=successor["id"])
    assert (await catalog.delete(f"services/{successor['id']}", status=409))["code"] == "service-in-use"
    begun = await catalog.complete_service()
    await catalog.move(f"services/{begun['id']}", "designing")
    assert (await catalog.delete(f"services/{begun['id']}", status=409))["code"] == "service-begun"


async def test_the_life_of_a_service(catalog: Catalog) -> None:
    made = await catalog.complete_service()
    own = f"services/{made['id']}"
    for state in ("designing", "creating", "delivering", "supporting", "retiring", "supporting", "retiring", "retired"):
        moved = await catalog.move(own, state, reason="Because.")
        assert moved["state"] == state
        assert (moved["live_from"] is not None) == (state not in {"designing", "creating"})
        assert (moved["retired_at"] is not None) == (state == "retired")
    history = (await catalog.get(f"{own}/history"))["items"]
    assert [step["to"] for step in history][:4] == ["proposed", "designing", "creating", "delivering"]
    assert (history[0]["from"], history[1]["from"], history[1]["reason"]) == (None, "proposed", "Because.")
    assert history[0]["actor"] == "tester"
    left = await catalog.get(f"{own}/transitions")
    assert (left["state"], left["available"]) == ("retired", [])
    assert left["history"] == history


async def test_all_that_stands_in_the_way_is_told_at_once_and_beforehand(catalog: Catalog) -> None:
    made = await catalog.service()
    own = f"services/{made['id']}"
    refused = await catalog.move(own, "designing", status=409)
    assert codes(refused) == ["owner_set", "outcome_defined"]
    available = {one["to"]: codes(one) for one in (await catalog.get(f"{own}/transitions"))["available"]}
    assert available == {"designing": ["owner_set", "outcome_defined"], "cancelled": ["reason_given"]}
    unreachable = await catalog.move(own, "supporting", status=409)
    assert unreachable["code"] == "transition-not-allowed"
    assert [one["to"] for one in unreachable["available"]] == ["designing", "cancelled"]
    await catalog.move(own, "nowhere", status=422)


async def test_open_incidents_stand_in_the_way(catalog: Catalog) -> None:
    made = await catalog.complete_service()
    own = f"services/{made['id']}"
    for state in ("designing", "creating", "delivering"):
        await catalog.move(own, state)
    incident = await catalog.incident(made, major=True)
    assert codes(await catalog.move(own, "supporting", status=409)) == ["no_open_major_incident"]
    await catalog.patch(f"incidents/{incident['id']}", {"major": False})
    await catalog.move(own, "supporting")
    await catalog.move(own, "retiring")
    assert codes(await catalog.move(own, "retired", status=409)) == ["no_open_incidents"]
    await catalog.move(f"incidents/{incident['id']}", "cancelled", reason="other")
    await catalog.move(own, "retired")


async def test_a_live_service_that_is_cancelled_ends_with_it(catalog: Catalog) -> None:
    made = await catalog.complete_service()
    own = f"services/{made['id']}"
    for state in ("designing", "creating", "delivering"):
        await catalog.move(own, state)
    cancelled = await catalog.move(own, "cancelled", reason="Not wanted any more.")
    assert cancelled["retired_at"] is not None


async def test_the_status_is_the_worst_of_what_is_open(catalog: Catalog) -> None:
    service = await catalog.service()
    path = f"services/{service['id']}/status"
    assert (await catalog.get(path))["operational_status"] == "operational"
    window = await catalog.window(service, actual_start=ago(hours=1))
    told = await catalog.get(path)
    assert told["operational_status"] == "maintenance"
    assert [one["id"] for one in told["maintenance_windows"]] == [window["id"]]
    outage: Any = None
    for severity, status in (("degraded", "degraded"), ("partial", "partial_outage"), ("major", "major_outage")):
        outage = await catalog.outage(service, severity=severity)
        assert (await catalog.get(path))["operational_status"] == status
    await catalog.incident(service, major=True)
    told = await catalog.get(path)
    assert [one["severity"] for one in told["open_outages"]] == ["major", "partial", "degraded"]
    assert (told["open_incidents"], told["open_major_incidents"]) == (1, 1)
    await catalog.patch(f"outages/{outage['id']}", {"ended_at": ago(minutes=1)})
    assert (await catalog.get(path))["operational_status"] == "partial_outage"
    await catalog.get("services/01890a5d-ac96-774b-bcce-b302099a8057/status", status=404)


IMPORTED = {
    "external_source": "cmdb",
    "external_id": "42",
    "key": "web-shop",
    "name": "Web shop",
    "type": "business",
    "criticality": "tier1",
    "owner": "ada",
    "state": "supporting",
    "live_from": "2020-01-01T00:00:00Z",
}


async def test_an_import_brings_the_past_along_once(catalog: Catalog) -> None:
    (first,) = await catalog.batch("services", [IMPORTED])
    assert (first["status"], first["version"]) == (201, 1)
    shown = await catalog.get(f"services/{first['id']}")
    assert (shown["state"], shown["live_from"], shown["retired_at"]) == ("supporting", "2020-01-01T00:00:00Z", None)
    (again,) = await catalog.batch("services", [IMPORTED])
    assert again == first | {"status": 200}
    (moved,) = await catalog.batch("services", [IMPORTED | {"state": "retired"}])
    assert moved["version"] == 2
    retired = await catalog.get(f"services/{first['id']}")
    assert (retired["state"], retired["live_from"]) == ("retired", "2020-01-01T00:00:00Z")
    assert retired["retired_at"] is not None
    (again,) = await catalog.batch("services", [IMPORTED | {"state": "retired"}])
    assert again["version"] == 2
    steps = (await catalog.get(f"services/{first['id']}/history"))["items"]
    assert [(step["from"], step["to"]) for step in steps] == [(None, "supporting"), ("supporting", "retired")]


async def test_an_item_changes_only_what_it_names(catalog: Catalog) -> None:
    await catalog.batch("services", [IMPORTED])
    (changed,) = await catalog.batch("services", [{"key": "web-shop", "support_team": "desk"}])
    shown = await catalog.get(f"services/{changed['id']}")
    assert (shown["support_team"], shown["owner"], shown["state"], shown["version"]) == ("desk", "ada", "supporting", 2)


async def test_a_batch_needs_the_scope_of_imports_only_for_the_past(catalog: Catalog) -> None:
    writer = catalog.limited_to("catalog:write")
    await writer.batch("services", [{"key": "a", "name": "A"}])
    refused = await writer.batch("services", [IMPORTED], status=403)
    assert (refused["code"], refused["scope"]) == ("missing-scope", "catalog:import")


async def test_items_are_judged_each_by_itself_or_all_together(catalog: Catalog) -> None:
    items = [{"key": "a", "name": "A"}, {"key": "b"}, {"key": "c", "name": "C", "type": "no"}]
    refused = await catalog.batch("services", items, status=422)
    assert pointers(refused) == [("/items/2/type", "not-one-of")]
    refused = await catalog.batch("services", items[:2], status=422)
    assert pointers(refused) == [("/items/1/name", "missing")]
    assert (await catalog.get("services"))["items"] == []
    answered = await catalog.batch("services", items, mode="independent")
    assert [item["status"] for item in answered] == [201, 422, 422]
    await catalog.batch("services", [{"key": "d", "name": "D", "external_source": "x", "external_id": "1"}])
    renamed = {"key": "e", "external_source": "x", "external_id": "1"}
    assert pointers(await catalog.batch("services", [renamed], status=422)) == [("/items/0/key", "immutable")]


async def test_lists_filter_sort_and_page(catalog: Catalog) -> None:
    for key in ("c", "a", "b"):
        await catalog.service(key=key, name=f"Service {key}", owner="ada" if key == "a" else None)
    page = await catalog.get("services", sort="key", limit=2)
    assert [one["key"] for one in page["items"]] == ["a", "b"]
    rest = await catalog.get("services", sort="key", limit=2, after=page["next"])
    assert ([one["key"] for one in rest["items"]], rest["next"]) == (["c"], None)
    assert [one["key"] for one in (await catalog.get("services", owner="ada"))["items"]] == ["a"]
    assert [one["key"] for one in (await catalog.get("services", q="vice B"))["items"]] == ["b"]
    assert (await catalog.get("services", state="retired", count="true"))["count"] == 0
    await catalog.get("services", colour="red", status=422)


async def test_a_live_service_keeps_its_owner_and_its_team(catalog: Catalog) -> None:
    service = await catalog.complete_service()
    for state in ("designing", "creating", "delivering"):
        await catalog.move(f"services/{service['id']}", state)
    path = f"services/{service['id']}"
    refused = await catalog.patch(path, {"owner": None, "support_team": None, "description": "x"}, status=422)
    assert pointers(refused) == [("/owner", "missing"), ("/support_team", "missing")]
    assert refused["errors"][0]["message"] == "A service that is delivering has an owner."
    item = {"key": service["key"], "name": "Shop", "owner": None}
    refused = await catalog.batch("services", [item], status=422)
    assert pointers(refused) == [("/items/0/owner", "missing")]
    (led_elsewhere,) = await catalog.batch("services", [item | {"state": "delivering"}])
    assert led_elsewhere["status"] == 200
    assert (await catalog.patch(path, {"owner": "grace"}))["owner"] == "grace"


@pytest.mark.parametrize(
    ("collection", "item"),
    [
        ("incidents", {"title": "It is down"}),
        ("problems", {"title": "It is down often"}),
        ("outages", {"severity": "major", "started_at": "2024-01-01T00:00:00Z"}),
        ("improvements", {"title": "Let it stay up"}),
        ("survey-responses", {"score": 3}),
        ("catalogue-items", {"key": "laptop", "name": "Laptop"}),
    ],
)
async def test_an_id_and_a_key_that_name_two_services_are_refused(
    catalog: Catalog, collection: str, item: dict[str, Any]
) -> None:
    one, other = await catalog.service(), await catalog.service()
    for key in (other["key"], "nobody-has-this-key"):
        named = item | {"service_id": one["id"], "service_key": key}
        refused = await catalog.batch(collection, [named], status=422)
        assert pointers(refused) == [("/items/0/service_key", "named-differently")]
    (added,) = await catalog.batch(collection, [item | {"service_id": one["id"], "service_key": one["key"]}])
    assert added["status"] == 201
