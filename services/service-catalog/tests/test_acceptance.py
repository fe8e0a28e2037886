import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from catalog_api import Catalog, codes, own_path, ready_service, refs

from chassis import clock
from chassis.testkit.applications import pointers
from service_catalog.acceptance.lifecycle import DECISIONS, LIFECYCLE, OPEN
from service_catalog.acceptance.schemas import EXAMPLE, Criterion


async def decide(catalog: Catalog, criterion: Any, decision: str, *, status: int = 200, **given: Any) -> Any:
    return await catalog.post(f"{own_path(criterion)}/decision", {"decision": decision} | given, status=status)


async def test_a_criterion_is_made_shown_changed_and_taken_back(catalog: Catalog) -> None:
    service = await catalog.service()
    path = f"services/{service['id']}/acceptance-criteria"
    made = await catalog.post(path, EXAMPLE)
    Criterion.model_validate_json(httpx.Response(200, json=made).text, extra="forbid", strict=True)
    assert (made["status"], made["decided_at"], made["approver"]) == ("open", None, None)
    own = own_path(made)
    assert await catalog.get(own) == made
    assert (await catalog.get(path))["items"] == [made]
    assert (await catalog.get(path, dimension="process"))["items"] == []
    changed = await catalog.patch(own, {"mandatory": False, "evidence": [{"title": "Photo"}]})
    assert (changed["mandatory"], changed["evidence"]) == (False, [{"title": "Photo", "reference": None}])
    assert (await catalog.patch(own, {"evidence": [{"title": "Photo"}]}))["version"] == 2
    assert (await catalog.delete(f"services/{service['id']}", status=409))["code"] == "service-in-use"
    assert (await catalog.delete(own))["id"] == made["id"]
    await catalog.get(own, status=404)


async def test_wrong_criteria_are_refused(catalog: Catalog) -> None:
    service = await catalog.service()
    path = f"services/{service['id']}/acceptance-criteria"
    for wrong, pointer in (
        ({"dimension": "money"}, "/dimension"),
        ({"text": " "}, "/text"),
        ({"text": "x" * 10_001}, "/text"),
        ({"mandatory": None}, "/mandatory"),
        ({"status": "passed"}, "/status"),
        ({"evidence": [{"title": "a", "colour": "b"}]}, "/evidence/0/colour"),
        ({"evidence": [{"title": "a"}] * 101}, "/evidence"),
    ):
        refused = await catalog.post(path, EXAMPLE | wrong, status=422)
        assert [place for place, _ in pointers(refused)] == [pointer]
    await catalog.post("services/01890a5d-ac96-774b-bcce-b302099a8057/acceptance-criteria", EXAMPLE, status=404)
    criterion = await catalog.criterion(service)
    await decide(catalog, criterion, "open", status=422)
    other = await catalog.service()
    await catalog.get(f"services/{other['id']}/acceptance-criteria/{criterion['id']}", status=404)


async def test_a_decision_names_its_reason_and_who_stands_for_it(catalog: Catalog) -> None:
    service = await catalog.service()
    criterion = await catalog.criterion(service)
    for decision in ("failed", "waived"):
        assert codes(await decide(catalog, criterion, decision, status=409)) == ["reason_given"]
    failed = await decide(catalog, criterion, "failed", reason="Nobody knew.")
    assert (failed["status"], failed["decision_reason"], failed["approver"]) == ("failed", "Nobody knew.", "tester")
    again = await decide(catalog, criterion, "failed", reason="Still.", status=409)
    assert again["code"] == "transition-not-allowed"
    writer = catalog.limited_to("catalog:read", "catalog:write")
    refused = await decide(writer, criterion, "waived", reason="Later.", status=403)
    assert refused["scope"] == "catalog:approve"
    waived = await decide(catalog, criterion, "waived", reason="Later.", approver="ada")
    assert (waived["status"], waived["approver"], waived["version"]) == ("waived", "ada", 3)
    told = await catalog.get(f"{own_path(criterion)}/decision")
    assert {one["to"] for one in told["available"]} == {"passed", "failed"}
    assert [(step["from"], step["to"]) for step in told["history"]] == [
        (None, "open"),
        ("open", "failed"),
        ("failed", "waived"),
    ]
    assert told["history"][-1]["details"] == {"approver": "ada"}
    assert (await catalog.patch(own_path(criterion), {"text": "Other."}, status=409))["code"] == "criterion-decided"
    assert (await catalog.patch(own_path(criterion), {"evidence": [{"title": "Mail"}]}))["version"] == 4
    assert (await catalog.delete(own_path(criterion), status=409))["code"] == "criterion-decided"


async def test_of_two_equal_decisions_one_wins(catalog: Catalog) -> None:
    criterion = await catalog.criterion(await catalog.service())
    path = f"{own_path(criterion)}/decision"
    answers = await asyncio.gather(*(catalog.send("POST", path, json={"decision": "passed"}) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_another_organisation_sees_no_criterion(catalog: Catalog) -> None:
    criterion = await catalog.criterion(await catalog.service())
    stranger = catalog.of_another_organisation()
    await stranger.get(own_path(criterion), status=404)
    await stranger.get(f"services/{criterion['service_id']}/acceptance-criteria", status=404)
    await stranger.patch(own_path(criterion), {"mandatory": False}, status=404)
    await stranger.delete(own_path(criterion), status=404)
    await decide(stranger, criterion, "passed", status=404)


async def test_criteria_stand_in_the_way_of_the_service(catalog: Catalog) -> None:
    service = await catalog.service(**ready_service())
    await catalog.level(service)
    own = f"services/{service['id']}"
    await catalog.move(own, "designing")
    process = await catalog.criterion(service, dimension="process")
    refused = await catalog.move(own, "creating", status=409)
    assert codes(refused) == ["acceptance_criteria_defined"]
    assert "technology, people" in refused["unmet_guards"][0]["message"]
    technology = await catalog.criterion(service, dimension="technology", mandatory=False)
    people = await catalog.criterion(service, dimension="people")
    await catalog.move(own, "creating")
    refused = await catalog.move(own, "delivering", status=409)
    assert codes(refused) == ["technology_criteria_decided"]
    assert refs(refused) == [f"{own}/acceptance-criteria/{technology['id']}"]
    await decide(catalog, technology, "failed", reason="Slow.")
    await catalog.move(own, "delivering")
    await decide(catalog, process, "failed", reason="No.")
    refused = await catalog.move(own, "supporting", status=409)
    assert codes(refused) == ["mandatory_criteria_passed"]
    assert refs(refused) == [f"{own}/acceptance-criteria/{process['id']}"]
    await decide(catalog, process, "passed")
    await decide(catalog, people, "waived", reason="Trained in May.")
    assert (await catalog.move(own, "supporting"))["state"] == "supporting"


async def test_dependencies_and_early_life_support_stand_in_the_way(catalog: Catalog) -> None:
    lower = await catalog.complete_service(key="lower")
    upper = await catalog.complete_service(key="upper")
    for kind, key in (("hard", "lower"), ("soft", (await catalog.service())["key"])):
        new = {"depends_on_key": key, "type": kind}
        await catalog.post(f"services/{upper['id']}/dependencies", new)
    today = clock.now().date()
    own, below = f"services/{upper['id']}", f"services/{lower['id']}"
    await catalog.patch(own, {"early_life_support_ends_on": str(today)})
    for state in ("designing", "creating", "delivering"):
        await catalog.move(own, state)
    refused = await catalog.move(own, "supporting", status=409)
    assert codes(refused) == ["hard_dependencies_live", "early_life_support_over"]
    assert refs(refused) == [below, None]
    await catalog.patch(own, {"early_life_support_ends_on": str(today - timedelta(days=1))})
    for state in ("designing", "creating", "delivering", "supporting"):
        await catalog.move(below, state)
    await catalog.move(own, "supporting")
    await catalog.move(below, "retiring")
    refused = await catalog.move(below, "retired", status=409)
    assert (codes(refused), refs(refused)) == (["no_live_dependents"], [own])
    assert "upper" in refused["unmet_guards"][0]["message"]
    for state in ("retiring", "retired"):
        await catalog.move(own, state)
    await catalog.move(below, "retired")


async def test_a_service_of_a_project_waits_for_its_handover(catalog: Catalog) -> None:
    service = await catalog.complete_service()
    own = f"services/{service['id']}"
    for state in ("designing", "creating"):
        await catalog.move(own, state)
    await catalog.patch(own, {"project_id": "01890a5d-ac96-774b-bcce-b302099a8057"})
    assert codes(await catalog.move(own, "delivering", status=409)) == ["handover_received"]
    await catalog.patch(own, {"project_id": None, "direct_delivery_reason": None})
    assert codes(await catalog.move(own, "delivering", status=409)) == ["handover_received"]
    await catalog.patch(own, {"direct_delivery_reason": "It has been there for long."})
    await catalog.move(own, "delivering")
    await catalog.patch(own, {"project_id": "01890a5d-ac96-774b-bcce-b302099a8057"})
    assert codes(await catalog.move(own, "supporting", status=409)) == ["handover_accepted"]


@pytest.mark.parametrize("target", DECISIONS)
@pytest.mark.parametrize("source", LIFECYCLE.states)
async def test_every_decision_in_every_state(catalog: Catalog, source: str, target: str) -> None:
    criterion = await catalog.criterion(await catalog.service())
    if source != OPEN:
        criterion = await decide(catalog, criterion, source, reason="Because.")
    possible = {one.target for one in LIFECYCLE.transitions if one.source == source}
    if target in possible:
        assert (await decide(catalog, criterion, target, reason="Because."))["status"] == target
    else:
        refused = await decide(catalog, criterion, target, reason="Because.", status=409)
        assert {one["to"] for one in refused["available"]} == possible
        assert await catalog.get(own_path(criterion)) == criterion


async def test_who_may_not_waive_a_criterion_cannot_get_rid_of_it(catalog: Catalog) -> None:
    service = await catalog.complete_service()
    early = await catalog.criterion(service, external_source="a", external_id="1")
    writer = catalog.limited_to("catalog:read", "catalog:write")
    assert (await writer.patch(own_path(early), {"mandatory": False}))["mandatory"] is False
    await writer.patch(own_path(early), {"mandatory": True})
    for state in ("designing", "creating"):
        await catalog.move(f"services/{service['id']}", state)
    criteria = f"services/{service['id']}/acceptance-criteria"
    eased = {"external_source": "a", "external_id": "1", "dimension": "process", "text": "x", "mandatory": False}
    for refused in (
        await writer.patch(own_path(early), {"mandatory": False}, status=403),
        await writer.delete(own_path(early), status=403),
        await writer.batch(criteria, [eased], status=403),
    ):
        assert refused["code"] == "missing-scope"
    await writer.patch(own_path(early), {"text": "Who is called is known.", "mandatory": True})
    optional = await writer.post(criteria, {"dimension": "people", "text": "They are trained.", "mandatory": False})
    await writer.delete(own_path(optional))
    await catalog.delete(own_path(early))
