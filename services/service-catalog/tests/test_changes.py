import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from catalog_api import APPROVER, Catalog, ago, codes

from chassis import clock
from chassis.schemas import instant_text
from chassis.testkit.applications import ANY_VERSION, pointers
from chassis.testkit.databases import Pools
from chassis.testkit.telling import told
from service_catalog.changes.schemas import EXAMPLE, Change

NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"
LATER = (clock.now() + timedelta(days=1)).isoformat()
STANDARD = {"type": "standard", "risk": "low"}
EMERGENCY = {"type": "emergency", "reason": "The shop is down."}


async def brought(catalog: Catalog, *states: str, **given: Any) -> str:
    """Add a change, bring it through these states, and return its path."""
    own = f"changes/{(await catalog.change(**given))['id']}"
    for state in states:
        await catalog.move(own, state)
    return own


async def lacking(catalog: Catalog, own: str) -> dict[str, list[str]]:
    return {one["to"]: codes(one) for one in (await catalog.get(f"{own}/transitions"))["available"]}


async def test_a_change_is_what_it_shows(catalog: Catalog) -> None:
    shop, bank = await catalog.service(), await catalog.service()
    ids = [shop["id"], bank["id"], shop["id"]]
    incident = await catalog.incident(shop)
    made = await catalog.post("changes", EXAMPLE | {"service_ids": ids, "incident_id": incident["id"]})
    Change.model_validate_json(json.dumps(made), extra="forbid", strict=True)
    assert (made["state"], made["service_ids"], made["requester"]) == ("draft", ids[:2], "ada")
    assert await catalog.get(f"changes/{made['id']}") == made
    bare = await catalog.post("changes", {"service_ids": [shop["id"]], "title": "Tidy up"})
    assert (bare["type"], bare["risk"], bare["requester"]) == ("normal", None, "tester")
    assert (bare["opens_maintenance_window"], bare["planned_start"]) == (False, None)


@pytest.mark.parametrize(
    ("wrong", "told_at"),
    [
        ({"title": " "}, ("/title", "pattern")),
        ({"service_ids": []}, ("/service_ids", "too-short")),
        ({"service_ids": [NOBODY] * 101}, ("/service_ids", "too-long")),
        ({"service_ids": [NOBODY]}, ("/service_ids/0", "reference-unknown")),
        ({"incident_id": NOBODY}, ("/incident_id", "reference-unknown")),
        ({"type": "sudden"}, ("/type", "not-one-of")),
        ({"risk": "none"}, ("/risk", "not-one-of")),
        ({"planned_end": EXAMPLE["planned_start"]}, ("/planned_end", "before-start")),
        ({"approved_by": "ada"}, ("/approved_by", "unknown-field")),
        ({"maintenance_window_id": NOBODY}, ("/maintenance_window_id", "unknown-field")),
    ],
)
async def test_what_is_wrong_is_pointed_at(catalog: Catalog, wrong: dict[str, Any], told_at: tuple[str, str]) -> None:
    blank = EXAMPLE | {"service_ids": [(await catalog.service())["id"]]}
    assert pointers(await catalog.post("changes", blank | wrong, status=422)) == [told_at]


async def test_a_normal_change_from_its_draft_to_its_outcome(catalog: Catalog, pools: Pools) -> None:
    own = await brought(catalog, "requested")
    approved = await catalog.move(own, "approved", reason="Fine.")
    assert (approved["approved_by"], approved["approved_at"]) == (APPROVER, approved["state_since"])
    await catalog.move(own, "scheduled")
    started = await catalog.move(own, "implementing")
    assert (started["actual_start"], started["actual_end"]) == (started["state_since"], None)
    reviewed = await catalog.move(own, "review", outcome="successful_with_issues")
    assert (reviewed["actual_start"], reviewed["actual_end"]) == (started["actual_start"], reviewed["state_since"])
    closed = await catalog.move(own, "closed")
    assert (closed["outcome"], closed["actual_end"]) == ("successful_with_issues", reviewed["actual_end"])
    events = await told(pools, catalog, own)
    assert [(name.removeprefix("change."), version) for name, version, *_ in events] == [
        *(("created", 1), ("requested", 2), ("approved", 3), ("scheduled", 4), ("started", 5), ("implemented", 6)),
        ("closed", 7),
    ]
    assert events[-1][2] == closed
    assert events[2][3] == {"from": "requested", "to": "approved", "reason": "Fine.", "actor": APPROVER}
    steps = (await catalog.get(f"{own}/transitions"))["history"]
    assert [(step["from"], step["to"]) for step in steps[:3]] == [
        *((None, "draft"), ("draft", "requested"), ("requested", "approved")),
    ]
    assert (steps[2]["actor"], steps[2]["reason"]) == (APPROVER, "Fine.")
    assert steps[5]["details"] == {"outcome": "successful_with_issues"}


async def test_all_that_an_approval_lacks_is_told_at_once_and_beforehand(catalog: Catalog) -> None:
    bare = {"planned_start": None, "risk": None, "backout_plan": None, "requester": APPROVER}
    own = await brought(catalog, "requested", **bare)
    missing = ["planned_window_set", "risk_assessed", "backout_plan_set", "approver_is_another"]
    assert codes(await catalog.move(own, "approved", status=409)) == missing
    assert await lacking(catalog, own) == {
        "approved": missing,
        "rejected": ["reason_given"],
        "implementing": ["is_emergency", "emergency_reason_given"],
        "cancelled": ["reason_given"],
    }


async def test_decisions_need_their_own_scope(catalog: Catalog) -> None:
    own = await brought(catalog, "requested")
    writer = catalog.limited_to("catalog:read", "catalog:write")
    for target in ("approved", "rejected"):
        refused = await writer.move(own, target, reason="Because.", status=403)
        assert refused["scope"] == "catalog:approve"
    assert (await writer.move(own, "scheduled", accept_conflicts=True, status=403))["scope"] == "catalog:approve"
    assert (await writer.post(f"{own}/approvals", {}, status=403))["scope"] == "catalog:approve"
    rejected = await catalog.move(own, "rejected", reason="Too risky.")
    assert (rejected["rejection_reason"], rejected["cancellation_reason"]) == ("Too risky.", None)
    assert await lacking(catalog, own) == {}


async def test_a_change_is_cancelled_for_a_reason_before_it_is_implemented(catalog: Catalog) -> None:
    own = await brought(catalog, "requested", "approved", "scheduled")
    assert codes(await catalog.move(own, "cancelled", status=409)) == ["reason_given"]
    assert (await catalog.move(own, "cancelled", reason="Not needed."))["cancellation_reason"] == "Not needed."
    begun = await brought(catalog, "scheduled", "implementing", **STANDARD)
    assert (await catalog.move(begun, "cancelled", reason="Late.", status=409))["code"] == "transition-not-allowed"


async def test_a_standard_change_of_low_risk_needs_no_approval(catalog: Catalog) -> None:
    own = await brought(catalog, "scheduled", "implementing", "review", **STANDARD, backout_plan=None)
    closed = await catalog.move(own, "closed", outcome="failed")
    assert (closed["approved_by"], closed["outcome"]) == (None, "failed")
    risky = await brought(catalog, type="standard", risk="medium", planned_end=None)
    assert codes(await catalog.move(risky, "scheduled", status=409)) == ["pre_approved", "planned_window_set"]


async def test_an_emergency_is_approved_afterwards(catalog: Catalog, pools: Pools) -> None:
    own = await brought(catalog, "implementing", **EMERGENCY, planned_start=None)
    await catalog.move(own, "review")
    assert codes(await catalog.move(own, "closed", status=409)) == ["outcome_given", "approved_afterwards"]
    approved = await catalog.by(APPROVER).post(f"{own}/approvals", {"reason": "There was no other way."}, status=200)
    assert (approved["state"], approved["approved_by"]) == ("review", APPROVER)
    twice = await catalog.by(APPROVER).post(f"{own}/approvals", {}, status=409)
    assert (twice["code"], codes(twice)) == ("guards-unmet", ["not_approved_yet"])
    await catalog.move(own, "closed", outcome="successful")
    names = [name for name, *_ in await told(pools, catalog, own)]
    assert names == [
        f"change.{verb}" for verb in ("created", "started", "implemented", "approved_afterwards", "closed")
    ]
    step = (await catalog.get(f"{own}/transitions"))["history"][3]
    assert (step["from"], step["to"], step["reason"]) == ("review", "review", "There was no other way.")
    assert step["details"] == {"approved_by": APPROVER}


async def test_what_follows_an_approval_afterwards_lies_after_it(catalog: Catalog) -> None:
    own = await brought(catalog, "implementing", **EMERGENCY)
    between = instant_text(clock.now())
    await catalog.by(APPROVER).post(f"{own}/approvals", {}, status=200)
    refused = await catalog.move(own, "review", at=between, status=422)
    assert pointers(refused) == [("/at", "before-last")]
    await catalog.move(own, "review")
    steps = (await catalog.get(f"{own}/transitions"))["history"]
    assert [step["to"] for step in steps] == ["draft", "implementing", "implementing", "review"]


async def test_an_approval_afterwards_is_for_emergencies_under_way_and_by_another(catalog: Catalog) -> None:
    planned = await brought(catalog)
    refused = await catalog.by(APPROVER).post(f"{planned}/approvals", {}, status=409)
    assert codes(refused) == ["is_emergency", "under_way"]
    emergency = await brought(catalog, "requested", "implementing", **EMERGENCY, requester="alan")
    for proposer in ("alan", "tester"):  # who wants it, and who wrote it down for him
        refused = await catalog.by(proposer).post(f"{emergency}/approvals", {}, status=409)
        assert codes(refused) == ["approver_is_another"]
    theirs = await brought(catalog, "implementing", **EMERGENCY)
    for wrong, code in ((LATER, "in-the-future"), (ago(days=1), "before-last")):
        refused = await catalog.by(APPROVER).post(f"{theirs}/approvals", {"at": wrong}, status=422)
        assert pointers(refused) == [("/at", code)]


async def test_an_emergency_that_was_approved_before_needs_no_other_approval(catalog: Catalog) -> None:
    own = await brought(catalog, "requested", "approved", "scheduled", "implementing", "review", **EMERGENCY)
    await catalog.move(own, "closed", outcome="successful")


async def test_a_step_lies_neither_in_the_future_nor_before_the_last(catalog: Catalog) -> None:
    own = await brought(catalog, "scheduled", **STANDARD)
    assert pointers(await catalog.move(own, "implementing", at=LATER, status=422)) == [("/at", "in-the-future")]
    assert pointers(await catalog.move(own, "implementing", at=ago(days=1), status=422)) == [("/at", "before-last")]
    now = instant_text(clock.now())
    assert (await catalog.move(own, "implementing", at=now))["actual_start"] == now


async def test_what_does_not_belong_to_a_command_is_refused(catalog: Catalog) -> None:
    own = await brought(catalog)
    refused = await catalog.move(own, "requested", outcome="failed", accept_conflicts=True, status=422)
    assert pointers(refused) == [("/outcome", "not-allowed"), ("/accept_conflicts", "not-allowed")]


async def test_what_was_approved_stays_and_the_rest_changes(catalog: Catalog) -> None:
    own = await brought(catalog, "requested")
    other = (await catalog.service())["id"]
    patch = {"service_ids": [other], "type": "normal", "risk": "high", "planned_end": "2026-01-06T03:00:00Z"}
    changed = await catalog.patch(own, patch)
    assert {name: changed[name] for name in patch} == patch
    assert (await catalog.patch(own, {"requester": "tester"}, status=409))["fields"] == ["requester"]
    assert pointers(await catalog.patch(own, {"planned_end": "2026-01-05T22:00:00Z"}, status=422)) == [
        ("/planned_end", "before-start")
    ]
    assert pointers(await catalog.patch(own, {"service_ids": [NOBODY]}, status=422))[0][0] == "/service_ids/0"
    await catalog.move(own, "approved")
    refused = await catalog.patch(own, {"risk": "low", "planned_end": None, "title": "Other"}, status=409)
    assert (refused["code"], refused["fields"]) == ("change-fixed", ["planned_end", "risk"])
    refused = await catalog.patch(own, {"backout_plan": None, "implementation_plan": "Quickly."}, status=409)
    assert (refused["code"], refused["fields"]) == ("change-fixed", ["backout_plan", "implementation_plan"])
    same = await catalog.patch(own, {"risk": "high", "title": "Other", "description": "Why not."})
    assert (same["title"], same["description"], same["risk"]) == ("Other", "Why not.", "high")
    assert (await catalog.patch(own, {"labels": {"cab": "42"}}))["labels"] == {"cab": "42"}


async def test_a_change_of_a_stale_version_is_refused(catalog: Catalog) -> None:
    own = await brought(catalog, "requested")
    stale = await catalog.send("PATCH", own, json={"title": "Other"}, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["current"]["version"]) == (412, 2)
    assert (await catalog.send("PATCH", own, json={"title": "Other"})).status_code == 428
    assert (await catalog.send("GET", own)).headers["ETag"] == '"2"'


async def test_a_request_with_a_key_takes_effect_once(catalog: Catalog) -> None:
    own = await brought(catalog, **STANDARD, opens_maintenance_window=True)
    command: dict[str, Any] = {"path": f"{own}/transitions", "json": {"to": "scheduled"}}
    first, again = [await catalog.send("POST", **command, headers={"Idempotency-Key": "one"}) for _ in range(2)]
    assert (first.status_code, again.json(), again.headers["Idempotency-Replayed"]) == (200, first.json(), "true")
    assert len((await catalog.get("maintenance-windows"))["items"]) == 1


async def test_changes_are_found_by_what_they_are(catalog: Catalog) -> None:
    service = await catalog.service()
    high = await catalog.change(service, risk="high", description="All of it")
    low = await catalog.change(service, **STANDARD, planned_start="2026-02-01T00:00:00Z", planned_end=None)
    other = await catalog.change()
    await catalog.move(f"changes/{low['id']}", "cancelled", reason="Not needed.")

    async def found(**asked: Any) -> list[str]:
        return [one["id"] for one in (await catalog.get("changes", **asked))["items"]]

    assert await found() == [high["id"], low["id"], other["id"]]
    assert await found(service_id=service["id"]) == [high["id"], low["id"]]
    assert await found(state=["cancelled", "closed"]) == [low["id"]]
    assert await found(state=["draft", "cancelled"], service_id=service["id"]) == [high["id"], low["id"]]
    assert await found(type="normal", risk="high") == [high["id"]]
    assert await found(planned_start_from="2026-01-31T00:00:00Z") == [low["id"]]
    assert await found(planned_start_to="2026-01-31T00:00:00Z") == [high["id"], other["id"]]
    assert await found(q="ALL OF") == [high["id"]]
    assert await found(sort="-state_since", limit=1) == [low["id"]]
    await catalog.get("changes", problem_id=NOBODY, status=422)


async def test_changes_are_their_organisations(catalog: Catalog) -> None:
    service = await catalog.service()
    own = f"changes/{(await catalog.change(service))['id']}"
    stranger = catalog.of_another_organisation()
    for path in (own, f"{own}/transitions", f"{own}/conflicts"):
        await stranger.get(path, status=404)
    await stranger.patch(own, {"title": "Mine"}, status=404)
    await stranger.move(own, "requested", status=404)
    await stranger.post(f"{own}/approvals", {}, status=404)
    assert (await stranger.get("changes"))["items"] == []
    assert (await catalog.get(own))["version"] == 1


async def test_a_service_that_a_change_names_is_not_deleted(catalog: Catalog) -> None:
    service = await catalog.service()
    made = await catalog.change(service)
    assert (await catalog.delete(f"services/{service['id']}", status=409))["code"] == "service-in-use"
    await catalog.patch(f"changes/{made['id']}", {"service_ids": [(await catalog.service())["id"]]})
    await catalog.delete(f"services/{service['id']}")


async def test_a_service_is_deleted_or_named_not_both(catalog: Catalog) -> None:
    for _ in range(5):
        service = await catalog.service()
        body = EXAMPLE | {"service_ids": [service["id"]]}
        made, gone = await asyncio.gather(
            catalog.send("POST", "changes", json=body),
            catalog.send("DELETE", f"services/{service['id']}", headers=ANY_VERSION),
        )
        assert (made.status_code, gone.status_code) in {(201, 409), (422, 200)}
