from typing import Any

import httpx
import pytest
from catalog_api import Catalog, ago, codes

from chassis import clock
from chassis.schemas import instant_text
from chassis.testkit.applications import pointers
from service_catalog.incidents.schemas import EXAMPLE, Incident

NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"
LATER = "2190-01-01T00:00:00Z"


async def test_an_incident_is_what_it_shows(catalog: Catalog) -> None:
    service = await catalog.service()
    made = await catalog.post("incidents", EXAMPLE | {"service_id": service["id"]})
    Incident.model_validate_json(httpx.Response(200, json=made).text, extra="forbid", strict=True)
    assert (made["state"], made["priority"], made["reported_by"]) == ("new", "P2", "tester")
    assert made["state_since"] == made["occurred_at"] == EXAMPLE["occurred_at"]
    assert await catalog.get(f"incidents/{made['id']}") == made
    assert (await catalog.get("incidents", service_id=service["id"]))["items"] == [made]


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"service_id": NOBODY}, "/service_id"),
        ({"parent_id": NOBODY}, "/parent_id"),
        ({"title": ""}, "/title"),
        ({"impact": "huge"}, "/impact"),
        ({"priority": "P1"}, "/priority"),
        ({"state": "closed"}, "/state"),
        ({"occurred_at": LATER}, "/occurred_at"),
        ({"factor": "bad luck"}, "/factor"),
        ({"major": "yes"}, "/major"),
        ({"external_id": "1"}, ""),
    ],
)
async def test_wrong_fields_are_refused_where_they_are(
    catalog: Catalog, wrong: dict[str, object], pointer: str
) -> None:
    service = await catalog.service()
    refused = await catalog.post("incidents", {"service_id": service["id"], "title": "It hurts"} | wrong, status=422)
    assert [error["pointer"] for error in refused["errors"]] == [pointer]


async def test_the_second_with_a_dedup_key_is_the_first_until_it_is_resolved(catalog: Catalog) -> None:
    service = await catalog.service()
    first = await catalog.incident(service, dedup_key="disk")
    again = {"service_id": service["id"], "title": "The same again", "dedup_key": "disk"}
    assert await catalog.post("incidents", again, status=200) == first
    own = f"incidents/{first['id']}"
    await catalog.move(own, "resolved", resolution="A new disk.", factor="technical")
    second = await catalog.post("incidents", again)
    assert second["id"] != first["id"]
    (stands,) = (await catalog.move(own, "in_progress", status=409))["unmet_guards"]
    assert (stands["code"], stands["ref"]) == ("dedup_key_free", f"incidents/{second['id']}")
    told = {one["to"]: one["unmet_guards"] for one in (await catalog.get(f"{own}/transitions"))["available"]}
    assert told == {"closed": [], "in_progress": [stands]}
    other = await catalog.incident(service)
    assert (await catalog.patch(f"incidents/{other['id']}", {"dedup_key": "disk"}, status=409))["code"] == (
        "dedup-key-taken"
    )
    await catalog.of_another_organisation().incident(dedup_key="disk")


async def test_the_whole_course_of_an_incident(catalog: Catalog) -> None:
    made = await catalog.incident(occurred_at=ago(hours=5))
    own = f"incidents/{made['id']}"
    acknowledged = await catalog.move(own, "acknowledged", at=ago(hours=4))
    assert acknowledged["acknowledged_at"] == acknowledged["state_since"]
    await catalog.move(own, "in_progress", at=ago(hours=3))
    held = await catalog.move(own, "on_hold", hold_reason="awaiting_vendor", reason="They looked.", at=ago(hours=2.5))
    assert held["hold_reason"] == "awaiting_vendor"
    assert (await catalog.move(own, "in_progress", at=ago(hours=2.2)))["hold_reason"] is None
    resolved = await catalog.move(own, "resolved", resolution="Done.", factor="supplier", at=ago(hours=2))
    assert (resolved["resolution"], resolved["factor"]) == ("Done.", "supplier")
    reopened = await catalog.move(own, "in_progress", reason="It is back.", at=ago(hours=1))
    assert (reopened["reopened_count"], reopened["resolution"], reopened["resolved_at"]) == (1, None, None)
    assert reopened["resolved_before_reopening_seconds"] == pytest.approx(3600, abs=2)
    assert reopened["acknowledged_at"] == acknowledged["acknowledged_at"]
    assert codes(await catalog.move(own, "resolved", status=409)) == ["resolution_given"]
    await catalog.move(own, "resolved", resolution="Really done.")
    closed = await catalog.move(own, "closed")
    assert closed["closed_at"] == closed["state_since"]
    steps = [
        {name: value for name, value in entry.items() if name not in {"kind", "text", "internal"}}
        for entry in (await catalog.get(f"{own}/timeline"))["items"]
        if entry["kind"] == "state"
    ]
    assert [step["to"] for step in steps] == [
        *("new", "acknowledged", "in_progress", "on_hold", "in_progress", "resolved", "in_progress"),
        *("resolved", "closed"),
    ]
    assert (steps[0]["at"], steps[0]["from"]) == (made["occurred_at"], None)
    assert (steps[3]["details"], steps[3]["reason"]) == ({"hold_reason": "awaiting_vendor"}, "They looked.")
    told = await catalog.get(f"{own}/transitions")
    assert (told["state"], told["available"], told["history"]) == ("closed", [], steps)


async def test_what_a_command_lacks_is_told_beforehand_and_at_once(catalog: Catalog) -> None:
    own = f"incidents/{(await catalog.incident())['id']}"
    available = {one["to"]: codes(one) for one in (await catalog.get(f"{own}/transitions"))["available"]}
    assert available == {
        "acknowledged": [],
        "in_progress": [],
        "resolved": ["resolution_given", "factor_given"],
        "cancelled": ["cancel_reason_given"],
    }
    assert codes(await catalog.move(own, "resolved", status=409)) == ["resolution_given", "factor_given"]
    assert codes(await catalog.move(own, "cancelled", status=409)) == ["cancel_reason_given"]
    await catalog.move(own, "in_progress")
    assert codes(await catalog.move(own, "on_hold", status=409)) == ["hold_reason_given"]
    unreachable = await catalog.move(own, "closed", status=409)
    assert unreachable["code"] == "transition-not-allowed"
    assert [one["to"] for one in unreachable["available"]] == ["on_hold", "resolved", "cancelled"]


async def test_an_incident_is_cancelled_for_one_of_three_reasons(catalog: Catalog) -> None:
    for reason in ("duplicate", "not_an_incident", "other"):
        own = f"incidents/{(await catalog.incident())['id']}"
        assert pointers(await catalog.move(own, "cancelled", reason="bored", status=422)) == [("/reason", "not-one-of")]
        assert (await catalog.move(own, "cancelled", reason=reason))["cancel_reason"] == reason


async def test_what_is_over_keeps_what_its_clocks_ran_by(catalog: Catalog) -> None:
    incident = await catalog.incident()
    own = f"incidents/{incident['id']}"
    await catalog.move(own, "cancelled", reason="duplicate")
    changes = {"impact": "high", "occurred_at": ago(hours=1), "assignee": "ada"}
    refused = await catalog.patch(own, changes, status=409)
    assert (refused["code"], refused["fields"]) == ("incident-over", ["impact", "occurred_at"])
    changed = await catalog.patch(own, {"assignee": "ada", "impact": incident["impact"], "labels": {"seen": "yes"}})
    assert (changed["assignee"], changed["labels"]) == ("ada", {"seen": "yes"})


async def test_what_belongs_to_another_command_is_refused(catalog: Catalog) -> None:
    own = f"incidents/{(await catalog.incident())['id']}"
    refused = await catalog.move(own, "in_progress", hold_reason="other", resolution="x", factor="scope", status=422)
    assert [pointer for pointer, _ in pointers(refused)] == ["/hold_reason", "/resolution", "/factor"]


async def test_a_step_lies_neither_in_the_future_nor_before_the_last(catalog: Catalog) -> None:
    own = f"incidents/{(await catalog.incident(occurred_at=ago(hours=2)))['id']}"
    assert pointers(await catalog.move(own, "acknowledged", at=LATER, status=422)) == [("/at", "in-the-future")]
    assert pointers(await catalog.move(own, "acknowledged", at=ago(hours=3), status=422)) == [("/at", "before-last")]
    await catalog.move(own, "acknowledged", at=ago(hours=1))
    assert pointers(await catalog.move(own, "in_progress", at=ago(hours=1.5), status=422)) == [("/at", "before-last")]


async def test_the_priority_follows_impact_and_urgency(catalog: Catalog) -> None:
    made = await catalog.incident()
    own = f"incidents/{made['id']}"
    assert made["priority"] == "P3"
    assert (await catalog.patch(own, {"impact": "high", "urgency": "high"}))["priority"] == "P1"
    assert (await catalog.patch(own, {"urgency": "low"}))["priority"] == "P3"
    major = await catalog.patch(own, {"major": True})
    assert (major["priority"], major["major"]) == ("P3", True)
    for fixed in ({"priority": "P1"}, {"state": "closed"}, {"title": None}):
        await catalog.patch(own, fixed, status=422)


async def test_what_is_resolved_keeps_a_factor(catalog: Catalog) -> None:
    own = f"incidents/{(await catalog.incident(factor='technical'))['id']}"
    await catalog.patch(own, {"factor": None})
    await catalog.move(own, "resolved", resolution="Restarted.", factor="supplier")
    for state in ("resolved", "closed"):
        assert pointers(await catalog.patch(own, {"factor": None}, status=422)) == [("/factor", "missing")]
        await catalog.patch(own, {"factor": {"resolved": "quality", "closed": "external"}[state]})
        await catalog.move(own, "closed", status=200 if state == "resolved" else 409)


async def test_the_instant_an_incident_occurred_at_can_be_corrected_within_its_course(catalog: Catalog) -> None:
    own = f"incidents/{(await catalog.incident())['id']}"
    begun = await catalog.patch(own, {"occurred_at": ago(hours=2)})
    assert begun["state_since"] == begun["occurred_at"]
    await catalog.move(own, "acknowledged", at=ago(hours=1))
    assert pointers(await catalog.patch(own, {"occurred_at": ago(minutes=30)}, status=422))[0][1] == "after-first"
    assert pointers(await catalog.patch(own, {"occurred_at": LATER}, status=422))[0][1] == "in-the-future"
    await catalog.patch(own, {"occurred_at": ago(hours=1.5)})


async def test_an_incident_is_no_part_of_itself(catalog: Catalog) -> None:
    service = await catalog.service()
    top = await catalog.incident(service)
    middle = await catalog.incident(service, parent_id=top["id"])
    bottom = await catalog.incident(service, parent_id=middle["id"])
    for below in (top, middle, bottom):
        refused = await catalog.patch(f"incidents/{top['id']}", {"parent_id": below["id"]}, status=422)
        assert pointers(refused) == [("/parent_id", "cycle")]
    await catalog.patch(f"incidents/{bottom['id']}", {"parent_id": top["id"]})
    assert len((await catalog.get("incidents", parent_id=top["id"]))["items"]) == 2


async def test_lists_filter_by_what_incidents_have(catalog: Catalog) -> None:
    service = await catalog.service()
    one = await catalog.incident(service, occurred_at="2026-01-01T00:00:00Z", impact="high", urgency="high")
    two = await catalog.incident(service, occurred_at="2026-02-01T00:00:00Z", major=True, assignee="bob")
    three = await catalog.incident(service, title="Slow as a snail")
    await catalog.move(f"incidents/{two['id']}", "acknowledged")

    async def found(**asked: Any) -> set[str]:
        return {item["id"] for item in (await catalog.get("incidents", **asked))["items"]}

    assert await found(state="new") == {one["id"], three["id"]}
    assert await found(state=["new", "acknowledged"]) == {one["id"], two["id"], three["id"]}
    assert await found(priority="P1") == {one["id"]}
    assert await found(major="true") == await found(assignee="bob") == {two["id"]}
    assert await found(occurred_at_from="2026-01-01T00:00:00Z", occurred_at_to="2026-02-01T00:00:00Z") == {one["id"]}
    assert await found(q="snail") == {three["id"]}
    await catalog.move(f"incidents/{two['id']}", "in_progress")
    await catalog.move(f"incidents/{two['id']}", "on_hold", hold_reason="other")
    assert await found(hold_reason=["other", "scheduled"]) == {two["id"]}
    assert await found(cancel_reason="duplicate") == set()
    assert await found(state_since_to="2026-01-02T00:00:00Z") == {one["id"]}
    assert await found(updated_since=instant_text(clock.now())) == set()
    newest = await catalog.get("incidents", sort="-occurred_at", limit=1, count="true")
    assert (newest["items"][0]["id"], newest["count"]) == (three["id"], 3)
    assert (await catalog.get("incidents", fields="id,state", priority="P1"))["items"] == [
        {"id": one["id"], "state": "new"}
    ]
