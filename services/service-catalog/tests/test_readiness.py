from itertools import pairwise
from typing import Any

import httpx
from catalog_api import Catalog, ago, own_path, refs

from chassis.ids import new_id
from chassis.schemas import PageOf
from service_catalog.services.condition import distances, worst_status
from service_catalog.services.lifecycle import LIFECYCLE
from service_catalog.services.readiness import BY_DIMENSION, NOT_LACKING, POINTS_TO
from service_catalog.services.schemas import ServiceReadiness, ServiceStatus, ServiceStatusShort


def guards(told: Any) -> list[tuple[str, str]]:
    return [(one["guard"], one["dimension"]) for one in told["missing"]]


async def readiness(catalog: Catalog, service: Any) -> Any:
    told = await catalog.get(f"services/{service['id']}/readiness")
    ServiceReadiness.model_validate_json(httpx.Response(200, json=told).text, extra="forbid", strict=True)
    return told


def test_every_guard_points_to_a_dimension_and_a_factor() -> None:
    present = {guard.code for transition in LIFECYCLE.transitions for guard in transition.guards}
    assert present == POINTS_TO.keys() | BY_DIMENSION | NOT_LACKING


def test_the_worst_of_several_statuses() -> None:
    assert worst_status([]) == "operational"
    assert worst_status(["operational", "maintenance"]) == "maintenance"
    assert worst_status(["degraded", "major_outage", "partial_outage"]) == "major_outage"


async def test_a_bare_service_is_told_all_it_lacks(catalog: Catalog) -> None:
    told = await readiness(catalog, await catalog.service())
    following = {one["to"]: one for one in told["next"]}
    assert guards(following["designing"]) == [("owner_set", "people"), ("outcome_defined", "process")]
    assert following["cancelled"]["ready"] is True
    assert guards(told["supporting"]) == [
        ("owner_set", "people"),
        ("outcome_defined", "process"),
        ("boundaries_complete", "process"),
        ("service_level_defined", "process"),
        ("acceptance_criteria_defined", "process"),
        ("acceptance_criteria_defined", "technology"),
        ("acceptance_criteria_defined", "people"),
        ("criticality_set", "process"),
        ("support_team_set", "people"),
        ("handover_received", "process"),
    ]
    assert told["factors"]["communication"] == ["handover_received"]
    assert told["factors"]["resources"] == ["owner_set", "support_team_set"]
    assert told["dimensions"]["technology"] == {
        "ready": False,
        "criteria": {"open": 0, "passed": 0, "failed": 0, "waived": 0},
        "missing": ["acceptance_criteria_defined"],
    }


async def test_a_criterion_that_is_missing_is_named(catalog: Catalog) -> None:
    service = await catalog.complete_service()
    assert (await readiness(catalog, service))["supporting"] == {"ready": True, "missing": []}
    criterion = await catalog.criterion(service, dimension="people", text="Two are trained.")
    told = await readiness(catalog, service)
    (missing,) = told["supporting"]["missing"]
    assert (missing["guard"], missing["dimension"], missing["factor"]) == (
        "mandatory_criteria_passed",
        "people",
        "resources",
    )
    assert missing["ref"] == own_path(criterion)
    assert "Two are trained." in missing["message"]
    assert told["dimensions"]["people"]["criteria"] == {"open": 1, "passed": 1, "failed": 0, "waived": 0}
    await catalog.post(f"{own_path(criterion)}/decision", {"decision": "waived", "reason": "Soon."}, status=200)
    assert (await readiness(catalog, service))["supporting"]["ready"] is True
    for state in ("designing", "creating", "delivering", "supporting", "retiring"):
        await catalog.move(f"services/{service['id']}", state)
    told = await readiness(catalog, service)
    assert (told["supporting"], [one["to"] for one in told["next"]]) == (None, ["retired", "supporting"])
    await catalog.of_another_organisation().get(f"services/{service['id']}/readiness", status=404)


async def test_readiness_names_what_stands_in_the_way_as_the_refusal_does(catalog: Catalog) -> None:
    service, bank = await catalog.complete_service(), await catalog.service()
    own = f"services/{service['id']}"
    for state in ("designing", "creating", "delivering"):
        await catalog.move(own, state)
    await catalog.criterion(service)
    await catalog.post(f"{own}/dependencies", {"depends_on_id": bank["id"], "type": "hard"})
    refused = await catalog.move(own, "supporting", status=409)
    missing = (await readiness(catalog, service))["supporting"]["missing"]
    assert [one["ref"] for one in missing] == refs(refused)
    assert refs(refused)[1] == f"services/{bank['id']}"


async def test_what_a_service_cannot_work_without_is_told_with_its_status(catalog: Catalog) -> None:
    shop, pay, bank, mail = [await catalog.service(key=key) for key in ("shop", "pay", "bank", "mail")]
    for upper, lower, kind in ((shop, "pay", "hard"), (pay, "bank", "hard"), (shop, "mail", "soft")):
        await catalog.post(f"services/{upper['id']}/dependencies", {"depends_on_key": lower, "type": kind})
    path = f"services/{shop['id']}/status"
    told = await catalog.get(path)
    ServiceStatus.model_validate_json(httpx.Response(200, json=told).text, extra="forbid", strict=True)
    assert (told["impaired_dependencies"], told["status_with_dependencies"]) == ([], "operational")
    await catalog.outage(mail)
    await catalog.outage(bank, severity="degraded")
    outage = await catalog.outage(bank, severity="partial")
    await catalog.window(
        pay, planned_start=ago(hours=1), planned_end=ago(hours=-1), announced_at=ago(days=1), actual_start=ago(hours=1)
    )
    told = await catalog.get(path)
    assert [(one["key"], one["depth"], one["operational_status"]) for one in told["impaired_dependencies"]] == [
        ("pay", 1, "maintenance"),
        ("bank", 2, "partial_outage"),
    ]
    assert (told["operational_status"], told["status_with_dependencies"]) == ("operational", "partial_outage")
    assert told["open_outages"] == []
    await catalog.patch(f"outages/{outage['id']}", {"ended_at": ago(minutes=1)})
    assert (await catalog.get(path))["status_with_dependencies"] == "degraded"


def test_how_far_away_links_lead() -> None:
    a, b, c, d, far = (new_id() for _ in range(5))
    assert distances(a, {a: [b, c], b: [d], c: [b, d], far: [a]}) == {a: 0, b: 1, c: 1, d: 2}
    assert distances(a, {}) == {a: 0}


async def test_a_soft_link_makes_no_way_of_hard_ones_shorter(catalog: Catalog) -> None:
    shop, pay, bank = [await catalog.service(key=key) for key in ("shop", "pay", "bank")]
    for upper, lower, kind in ((shop, "pay", "hard"), (pay, "bank", "hard"), (shop, "bank", "soft")):
        await catalog.post(f"services/{upper['id']}/dependencies", {"depends_on_key": lower, "type": kind})
    await catalog.outage(bank)
    told = await catalog.get(f"services/{shop['id']}/status")
    assert [(one["key"], one["depth"]) for one in told["impaired_dependencies"]] == [("bank", 2)]


async def test_what_lies_very_deep_is_told_of_one_as_of_several(catalog: Catalog) -> None:
    keys = [f"level-{number}" for number in range(103)]
    items = [{"key": key, "name": key, "type": "technical"} for key in keys]
    chain = [report["id"] for report in await catalog.batch("services", items)]
    links = [{"service_key": one, "depends_on_key": other, "type": "hard"} for one, other in pairwise(keys)]
    await catalog.batch("dependencies", links)
    await catalog.outage({"id": chain[-1]}, severity="partial")
    alone = await catalog.get(f"services/{chain[0]}/status")
    assert [(one["key"], one["depth"]) for one in alone["impaired_dependencies"]] == [(keys[-1], len(keys) - 1)]
    several = await catalog.get("service-statuses", service_id=[chain[0]])
    told = [several["items"][0]["status_with_dependencies"], alone["status_with_dependencies"]]
    assert told == ["partial_outage", "partial_outage"]


async def test_several_services_tell_their_statuses_at_once_as_each_does_by_itself(catalog: Catalog) -> None:
    every = shop, pay, bank, mail, till = [await catalog.service(key=key) for key in ("s", "p", "b", "m", "t")]
    for upper, lower, kind in ((shop, "p", "hard"), (pay, "b", "hard"), (shop, "m", "soft"), (till, "b", "hard")):
        await catalog.post(f"services/{upper['id']}/dependencies", {"depends_on_key": lower, "type": kind})
    await catalog.outage(mail)
    await catalog.outage(bank, severity="partial")
    await catalog.window(
        pay, planned_start=ago(hours=1), planned_end=ago(hours=-1), announced_at=ago(days=1), actual_start=ago(hours=1)
    )
    for service, major in ((shop, True), (shop, False), (bank, False)):
        await catalog.incident(service_id=service["id"], major=major)
    named = [one["id"] for one in (mail, shop, pay, till, bank)]
    asked = [*named, str(new_id()), shop["id"]]
    told = await catalog.get("service-statuses", service_id=asked)
    PageOf[ServiceStatusShort].model_validate_json(httpx.Response(200, json=told).text, extra="forbid", strict=True)
    assert [one["service_id"] for one in told["items"]] == named
    assert {one["key"]: (one["operational_status"], one["status_with_dependencies"]) for one in told["items"]} == {
        "m": ("major_outage", "major_outage"),
        "s": ("operational", "partial_outage"),
        "p": ("maintenance", "partial_outage"),
        "t": ("operational", "partial_outage"),
        "b": ("partial_outage", "partial_outage"),
    }
    for one in told["items"]:
        alone = await catalog.get(f"services/{one['service_id']}/status")
        same = one.keys() - {"key", "name", "at"}
        assert {name: one[name] for name in same} == {name: alone[name] for name in same}
    assert len(every) == len(told["items"])


async def test_statuses_are_asked_of_services_that_are_named(catalog: Catalog) -> None:
    refused = await catalog.get("service-statuses", status=422)
    assert [(fault["pointer"], fault["code"]) for fault in refused["errors"]] == [("service_id", "missing")]
    too_many = await catalog.get("service-statuses", status=422, service_id=[str(new_id()) for _ in range(101)])
    assert [(fault["pointer"], fault["code"]) for fault in too_many["errors"]] == [("", "too-many-parameters")]
