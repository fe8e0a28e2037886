from datetime import timedelta
from typing import Any

import httpx
import pytest
from catalog_api import Catalog, codes, handover_event, own_path, ready_service, refs

from chassis import clock, ids
from chassis.testkit.databases import Pools
from chassis.testkit.telling import told
from service_catalog.handovers.lifecycle import LIFECYCLE
from service_catalog.handovers.schemas import EXAMPLE, Handover

DIMENSIONS = ("process", "technology", "people")
ACCEPTED = {"status": "accepted", "accepted_by": "ada", "accepted_at": "2026-03-02T09:00:00Z"}


def a_deliverable(status: str = "accepted") -> dict[str, Any]:
    return {"id": str(ids.new_id()), "name": "The application", "acceptance": ACCEPTED | {"status": status}}


async def decide(catalog: Catalog, handover: Any, decision: str, *, status: int = 200, **given: Any) -> Any:
    return await catalog.post(f"handovers/{handover['id']}/decision", {"decision": decision} | given, status=status)


async def in_delivery(catalog: Catalog, **given: Any) -> tuple[Any, Any]:
    """Return a service in delivery by its handover, and the handover, which nothing keeps from being accepted."""
    service = await catalog.complete_service()
    for state in ("designing", "creating"):
        await catalog.move(f"services/{service['id']}", state)
    handover = await catalog.handed_over({"service_id": service["id"]}, **given)
    return await catalog.get(f"services/{service['id']}"), handover


async def criteria_of(catalog: Catalog, service_id: str) -> list[Any]:
    return await catalog.every(f"services/{service_id}/acceptance-criteria")


async def settle(catalog: Catalog, service_id: str) -> None:
    for criterion in await criteria_of(catalog, service_id):
        if criterion["status"] == "open":
            await catalog.post(f"{own_path(criterion)}/decision", {"decision": "passed"}, status=200)


async def test_a_handover_makes_the_service_it_names_and_is_what_the_project_told(catalog: Catalog) -> None:
    event = handover_event(**EXAMPLE | {"id": str(ids.new_id()), "added_one_day": 1})
    await catalog.deliver(event)
    made = await catalog.get(f"handovers/{event['data']['id']}")
    Handover.model_validate_json(httpx.Response(200, json=made).text, extra="forbid", strict=True)
    same = ("deliverables", "acceptance_criteria", "support_documents", "known_errors", "residual_risks", "attempt")
    assert {name: made[name] for name in same} == {name: EXAMPLE[name] for name in same}
    assert made["service_levels"] == [EXAMPLE["service_levels"][0] | {"priority": None, "calendar_id": None}]
    assert (made["state"], made["requested_by"], made["decided_at"]) == ("requested", "grace", None)
    service = await catalog.get(f"services/{made['service_id']}")
    assert (service["key"], service["name"], service["state"]) == ("web-shop", "Web shop", "creating")
    assert service["project_id"] == made["project_id"] == EXAMPLE["project_id"]
    assert service["early_life_support_ends_on"] == EXAMPLE["early_life_support_end"]
    criteria = await criteria_of(catalog, service["id"])
    assert [(one["dimension"], one["needed_for"], one["mandatory"]) for one in criteria] == [
        *((dimension, "acceptance", True) for dimension in DIMENSIONS),
        ("people", "early_life_support_exit", True),
    ]
    assert await catalog.every("service-levels") == []
    for asked, found in (
        ({"service_id": service["id"]}, 1),
        ({"project_id": made["project_id"]}, 1),
        ({"state": "requested"}, 1),
        ({"state": "accepted"}, 0),
        ({"service_id": made["id"]}, 0),
    ):
        assert len((await catalog.get("handovers", **asked))["items"]) == found
    (step,) = (await catalog.get(f"services/{service['id']}/history"))["items"]
    assert (step["to"], step["actor"]) == ("creating", "events:project-tracker")


async def test_what_a_service_demands_already_is_not_demanded_again(catalog: Catalog) -> None:
    service = await catalog.service()
    known = await catalog.criterion(service, dimension="people", text="Two can restore it.")
    demanded = [
        {"dimension": dimension, "text": "Two can restore it."} for dimension in ("people", "technology", "people")
    ]
    await catalog.handed_over({"key": service["key"]}, acceptance_criteria=demanded)
    first, second = await criteria_of(catalog, service["id"])
    assert (first, second["dimension"], second["mandatory"]) == (known, "technology", True)


async def test_a_handover_delivers_the_service_if_nothing_else_is_missing(catalog: Catalog, pools: Pools) -> None:
    service, handover = await in_delivery(catalog)
    assert service["state"] == "delivering"
    assert service["live_from"] is not None
    subjects = {
        name: await told(pools, catalog, f"{name}/{one['id']}")
        for name, one in (("services", service), ("handovers", handover))
    }
    assert [name for name, *_ in subjects["services"]][-2:] == ["service.updated", "service.delivered"]
    assert [(name, version) for name, version, *_ in subjects["handovers"]] == [("handover.created", 1)]
    assert subjects["handovers"][0][2] == handover


async def test_a_handover_waits_with_the_service_for_what_is_missing(catalog: Catalog) -> None:
    demanded = [{"dimension": "technology", "text": "A backup was restored."}]
    handover = await catalog.handed_over(acceptance_criteria=demanded)
    own = f"services/{handover['service_id']}"
    (ahead, *_) = (await catalog.get(f"{own}/transitions"))["available"]
    assert (ahead["to"], codes(ahead)) == ("delivering", ["support_team_set", "technology_criteria_decided"])
    refused = await decide(catalog, handover, "accept", status=409)
    assert codes(refused) == ["service_in_delivery", "mandatory_criteria_passed"]
    await settle(catalog, handover["service_id"])
    await catalog.patch(own, {"support_team": "desk"})
    assert (await catalog.move(own, "delivering"))["state"] == "delivering"
    assert (await decide(catalog, handover, "accept"))["state"] == "accepted"


async def test_all_that_stands_in_the_way_of_an_acceptance_is_told_at_once_and_beforehand(catalog: Catalog) -> None:
    _, handover = await in_delivery(
        catalog,
        deliverables=[a_deliverable(), a_deliverable("accepted_conditionally"), a_deliverable("open")],
        acceptance_criteria=[{"dimension": "process", "text": "Who is called is known."}],
    )
    told_before = await catalog.get(f"handovers/{handover['id']}/decision")
    available = {one["to"]: codes(one) for one in told_before["available"]}
    assert available == {
        "accepted": ["deliverables_accepted", "mandatory_criteria_passed"],
        "rejected": ["reason_given"],
        "superseded": ["newer_attempt"],
    }
    refused = await decide(catalog, handover, "accept", status=409)
    assert codes(refused) == available["accepted"]
    assert [guard["message"][0] for guard in refused["unmet_guards"]] == ["1", "1"]
    of_service = f"services/{handover['service_id']}/acceptance-criteria"
    criteria = {one["text"]: one["id"] for one in (await catalog.get(of_service))["items"]}
    assert refs(refused) == [None, f"{of_service}/{criteria['Who is called is known.']}"]
    assert await catalog.get(f"handovers/{handover['id']}") == handover


async def test_an_accepted_handover_agrees_on_what_it_proposes_where_nothing_is_agreed(
    catalog: Catalog, pools: Pools
) -> None:
    proposed = [
        {"metric": "availability", "target": "99.95"},
        {"metric": "resolution_time", "target": "60"},
        {"metric": "resolution_time", "target": "30", "priority": "P1"},
    ]
    service, handover = await in_delivery(catalog, deliverables=[a_deliverable()], service_levels=proposed)
    accepted = await decide(catalog, handover, "accept", reason="It runs.", conditions=["The manual is translated."])
    assert (accepted["decided_by"], accepted["decision_reason"]) == ("tester", "It runs.")
    assert (accepted["conditions"], accepted["unmet_criteria"]) == (["The manual is translated."], [])
    levels = await catalog.every("service-levels", service_id=service["id"])
    assert [(one["metric"], one["priority"], one["target"]) for one in levels] == [
        ("resolution_time", None, "240"),
        ("availability", None, "99.95"),
        ("resolution_time", "P1", "30"),
    ]
    name, version, representation, change = (await told(pools, catalog, f"handovers/{handover['id']}"))[-1]
    assert (name, version, representation) == ("handover.accepted", 2, accepted)
    assert change == {"from": "requested", "to": "accepted", "reason": "It runs.", "actor": "tester"}
    step = (await catalog.get(f"handovers/{handover['id']}/decision"))["history"][-1]
    assert step["details"] == {"conditions": ["The manual is translated."]}


async def test_a_rejection_tells_the_unmet_criteria(catalog: Catalog, pools: Pools) -> None:
    service, handover = await in_delivery(
        catalog,
        acceptance_criteria=[
            {"dimension": "process", "text": "x" * 300},
            {"dimension": "people", "text": "Nice to have.", "mandatory": False},
        ],
        early_life_support_exit_criteria=["Two quiet weeks."],
    )
    assert codes(await decide(catalog, handover, "reject", reason=" ", status=409)) == ["reason_given"]
    rejected = await decide(catalog, handover, "reject", reason="Nobody knows whom to call.")
    (unmet,) = rejected["unmet_criteria"]
    assert (unmet["dimension"], unmet["text"], unmet["status"]) == ("process", "x" * 200, "open")
    name, _, representation, _ = (await told(pools, catalog, f"handovers/{handover['id']}"))[-1]
    assert (name, representation["unmet_criteria"]) == ("handover.rejected", [unmet])
    own = f"services/{service['id']}"
    assert (await catalog.get(own))["state"] == "delivering"
    await settle(catalog, service["id"])
    assert codes(await catalog.move(own, "supporting", status=409)) == ["handover_accepted"]
    again = await catalog.handed_over(
        {"service_id": service["id"]}, project_id=handover["project_id"], attempt=handover["attempt"] + 1
    )
    await decide(catalog, again, "accept")
    assert (await catalog.move(own, "supporting"))["state"] == "supporting"


@pytest.mark.parametrize("decision", ["accept", "reject"])
@pytest.mark.parametrize("state", LIFECYCLE.states)
async def test_every_decision_in_every_state(catalog: Catalog, state: str, decision: str) -> None:
    service, handover = await in_delivery(catalog)
    if state in {"accepted", "rejected"}:
        await decide(catalog, handover, state.removesuffix("ed"), reason="Because.")
    elif state == "superseded":
        newer = {"project_id": handover["project_id"], "attempt": 2}
        await catalog.handed_over({"service_id": service["id"]}, **newer)
    before = await catalog.get(f"handovers/{handover['id']}")
    assert before["state"] == state
    if state == "requested":
        decided = await decide(catalog, handover, decision, reason="Because.")
        assert decided["state"] == f"{decision}ed"
    else:
        refused = await decide(catalog, handover, decision, reason="Because.", status=409)
        assert (refused["code"], refused["available"]) == ("transition-not-allowed", [])
        assert await catalog.get(f"handovers/{handover['id']}") == before


async def test_early_life_support_ends_by_its_day_and_its_exit_criteria(catalog: Catalog) -> None:
    today = clock.now().date()
    service, handover = await in_delivery(
        catalog, early_life_support_end=str(today), early_life_support_exit_criteria=["Two quiet weeks."]
    )
    await decide(catalog, handover, "accept")
    own = f"services/{service['id']}"
    refused = await catalog.move(own, "supporting", status=409)
    assert codes(refused) == ["mandatory_criteria_passed", "early_life_support_over"]
    await catalog.patch(own, {"early_life_support_ends_on": str(today - timedelta(days=1))})
    await settle(catalog, service["id"])
    assert (await catalog.move(own, "supporting"))["state"] == "supporting"


async def test_a_service_that_is_supported_already_stays_so_and_its_change_is_accepted(catalog: Catalog) -> None:
    first, handover = await in_delivery(catalog)
    await decide(catalog, handover, "accept")
    own = f"services/{first['id']}"
    await catalog.move(own, "supporting")
    changed = await catalog.handed_over({"key": first["key"]})
    service = await catalog.get(own)
    assert (service["state"], service["project_id"]) == ("supporting", handover["project_id"])
    assert (await decide(catalog, changed, "accept"))["state"] == "accepted"


async def test_a_service_never_becomes_supported_with_its_handover_undecided(catalog: Catalog) -> None:
    service, handover = await in_delivery(catalog)
    own = f"services/{service['id']}"
    assert codes(await catalog.move(own, "supporting", status=409)) == ["handover_accepted"]
    await catalog.patch(own, {"project_id": None})
    assert codes(await catalog.move(own, "supporting", status=409)) == ["handover_accepted"]
    refused = await catalog.move(
        own, "supporting", status=422, waivers=[{"guard": "handover_accepted", "reason": "Now."}]
    )
    assert refused["errors"][0]["pointer"] == "/waivers/0/guard"
    for state in ("supporting", "retiring"):
        (item,) = await catalog.batch("services", [{"key": service["key"], "state": state}], mode="independent")
        assert (item["status"], item["problem"]["code"]) == (409, "handover-undecided")
    assert (await catalog.get(own))["state"] == "delivering"
    await catalog.patch(own, {"project_id": handover["project_id"]})
    await decide(catalog, handover, "accept")
    await catalog.batch("services", [{"key": service["key"], "state": "supporting"}])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"project_id": 7}, "/project_id"),
        ({"attempt": 0}, "/attempt"),
        ({"attempt": "1"}, "/attempt"),
        ({"service": {"name": "Nameless"}}, "/service"),
        ({"service": {"key": "No Slug"}}, "/service/key"),
        ({"service": {"service_id": "01890a5d-ac96-774b-bcce-b302099a8057"}}, "/service/service_id"),
        ({"deliverables": [{"id": "01890a5d-ac96-774b-bcce-b302099a8057", "name": "A"}]}, "/deliverables/0/acceptance"),
        ({"deliverables": [a_deliverable("perhaps")]}, "/deliverables/0/acceptance/status"),
        ({"acceptance_criteria": [{"dimension": "money", "text": "A"}]}, "/acceptance_criteria/0/dimension"),
        ({"residual_risks": [{"title": "A", "factor": "weather"}]}, "/residual_risks/0/factor"),
        ({"service_levels": [{"metric": "csat", "target": "90", "priority": "P1"}]}, "/service_levels/0/priority"),
        ({"service_levels": [{"metric": "csat", "target": "90"}] * 2}, "/service_levels/1"),
        ({"service_levels": [{"metric": "csat", "target": 90}]}, "/service_levels/0/target"),
        (
            {
                "service_levels": [
                    {"metric": "availability", "target": "9", "calendar_id": "01890a5d-ac96-774b-bcce-b302099a8057"}
                ]
            },
            "no such calendar",
        ),
        ({"state": "accepted"}, "/state"),
        ({"requested_at": None}, "/requested_at"),
        ({"project_key": None}, "/project_key"),
        ({"early_life_support_exit_criteria": ["a\0"]}, "/early_life_support_exit_criteria/0"),
    ],
)
async def test_what_is_no_handover_waits_in_quarantine_and_leaves_nothing(
    catalog: Catalog, wrong: dict[str, Any], said: str
) -> None:
    event = handover_event(**wrong)
    assert (await catalog.deliver(event))["quarantined"] == 1
    (kept,) = (await catalog.get("quarantine"))["items"]
    assert (kept["source"], kept["event"]["data"]) == ("project-tracker", event["data"])
    assert said in kept["reason"]
    assert await catalog.every("services") == await catalog.every("handovers") == []


async def test_what_waits_in_quarantine_is_applied_once_nothing_is_against_it_any_more(catalog: Catalog) -> None:
    service = await catalog.service()
    await catalog.move(f"services/{service['id']}", "cancelled", reason="Not wanted.")
    event = handover_event({"key": service["key"]})
    await catalog.deliver(event)
    (kept,) = (await catalog.get("quarantine"))["items"]
    assert kept["code"] == "service-over"
    refused = await catalog.post(f"quarantine/{kept['id']}/retry", None, status=409)
    assert refused["code"] == "still-refused"
    await catalog.batch("services", [{"key": service["key"], "state": "creating"}])
    await catalog.post(f"quarantine/{kept['id']}/retry", None, status=200)
    assert (await catalog.get("quarantine"))["items"] == []
    assert (await catalog.get(f"handovers/{event['data']['id']}"))["service_id"] == service["id"]
    await catalog.deliver(event, status=204)


async def test_who_may_decide_and_who_sees_it(catalog: Catalog) -> None:
    _, handover = await in_delivery(catalog)
    refused = await decide(catalog.limited_to("catalog:read", "catalog:write"), handover, "accept", status=403)
    assert refused["scope"] == "catalog:approve"
    stranger = catalog.of_another_organisation()
    await stranger.get(f"handovers/{handover['id']}", status=404)
    await stranger.get(f"handovers/{handover['id']}/decision", status=404)
    await decide(stranger, handover, "accept", status=404)
    assert (await stranger.get("handovers"))["items"] == []
    await decide(catalog, handover, "postpone", status=422)
    foreign = handover_event({"service_id": handover["service_id"]})
    assert (await stranger.deliver(foreign))["quarantined"] == 1
    unused = await catalog.service(**ready_service())
    await catalog.handed_over({"service_id": unused["id"]})
    assert (await catalog.delete(f"services/{unused['id']}", status=409))["code"] == "service-in-use"
