"""Guards that are let pass: which, by whom, and what is kept of it."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, get_args

import pytest
from catalog_api import Catalog, codes

from chassis import clock
from chassis.rejection import Rejection, UnmetGuard
from chassis.testkit.applications import pointers
from chassis.testkit.databases import Pools
from chassis.testkit.telling import told
from service_catalog.services.lifecycle import LIFECYCLE, Waivable
from service_catalog.services.waivers import judged

WAIVABLE = get_args(Waivable)
NEVER = {
    "handover_received",
    "handover_accepted",
    "hard_dependencies_live",
    "no_live_dependents",
    "no_open_incidents",
    "reason_given",
    "owner_set",
    "outcome_defined",
    "boundaries_complete",
    "acceptance_criteria_defined",
    "criticality_set",
    "support_team_set",
    "retirement_date_set",
    "successor_or_reason",
}


def waiver(guard: str, **given: Any) -> dict[str, Any]:
    return {"guard": guard, "reason": "The board has decided so."} | given


def test_each_guard_may_be_waived_or_never() -> None:
    present = {guard.code for transition in LIFECYCLE.transitions for guard in transition.guards}
    assert present == NEVER | set(WAIVABLE)
    assert not NEVER & set(WAIVABLE)


def test_a_waiver_is_of_a_guard_that_stands_in_the_way_and_once() -> None:
    unmet = [UnmetGuard("a", "It is not a."), UnmetGuard("b", "It is not b.")]
    given = [SimpleNamespace(guard=guard, reason="Why.", approver=None) for guard in ("a", "c", "a")]
    with pytest.raises(Rejection) as refused:
        judged(given, unmet, actor="ada")
    assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [
        ("/waivers/1/guard", "not-unmet"),
        ("/waivers/2/guard", "repeated"),
    ]
    assert judged(given[:1], unmet, actor="ada") == {
        "a": {"guard": "a", "message": "It is not a.", "reason": "Why.", "approver": "ada"}
    }


async def before_support(catalog: Catalog) -> str:
    """Return the path of a service in delivery that lacks all which may be waived there."""
    service = await catalog.complete_service()
    own = f"services/{service['id']}"
    await catalog.patch(own, {"early_life_support_ends_on": str(clock.now().date() + timedelta(days=9))})
    for state in ("designing", "creating", "delivering"):
        await catalog.move(own, state)
    await catalog.criterion(service)
    await catalog.incident(service, major=True)
    return own


async def test_what_is_waived_does_not_stand_in_the_way_and_is_kept(catalog: Catalog, pools: Pools) -> None:
    own = await before_support(catalog)
    unmet = ["mandatory_criteria_passed", "no_open_major_incident", "early_life_support_over"]
    waivers = [waiver(guard) for guard in unmet]
    waivers[0]["approver"] = "ada"
    assert codes(await catalog.move(own, "supporting", status=409, waivers=waivers[1:])) == unmet[:1]
    moved = await catalog.move(own, "supporting", reason="It runs.", waivers=waivers)
    assert moved["state"] == "supporting"
    step = (await catalog.get(f"{own}/history"))["items"][-1]
    kept = step["details"]["waivers"]
    assert [(one["guard"], one["approver"]) for one in kept] == list(
        zip(unmet, ("ada", "tester", "tester"), strict=True)
    )
    assert kept[0]["reason"] == "The board has decided so."
    assert kept[1]["message"] == "1 major incidents are open."
    name, _, _, change = (await told(pools, catalog, own))[-1]
    assert (name, change["waivers"]) == ("service.support_started", kept)


async def test_a_step_without_waivers_tells_of_none(catalog: Catalog, pools: Pools) -> None:
    service = await catalog.complete_service()
    own = f"services/{service['id']}"
    await catalog.move(own, "designing")
    assert (await catalog.get(f"{own}/history"))["items"][-1]["details"] == {}
    assert "waivers" not in (await told(pools, catalog, own))[-1][3]


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ([waiver("hard_dependencies_live")], ("/waivers/0/guard", "not-one-of")),
        ([waiver("handover_accepted")], ("/waivers/0/guard", "not-one-of")),
        ([waiver("technology_criteria_decided")], ("/waivers/0/guard", "not-unmet")),
        ([waiver("early_life_support_over")] * 2, ("/waivers/1/guard", "repeated")),
        ([waiver("early_life_support_over", reason=" ")], ("/waivers/0/reason", "pattern")),
        ([waiver("early_life_support_over", until="May")], ("/waivers/0/until", "unknown-field")),
        ([{"guard": "early_life_support_over"}], ("/waivers/0/reason", "missing")),
    ],
)
async def test_a_wrong_waiver_is_refused_where_it_is(catalog: Catalog, wrong: Any, fault: tuple[str, str]) -> None:
    own = await before_support(catalog)
    assert pointers(await catalog.move(own, "supporting", status=422, waivers=wrong)) == [fault]
    assert (await catalog.get(own))["state"] == "delivering"


async def test_waivers_need_the_scope_of_approvals_and_a_way_to_go(catalog: Catalog) -> None:
    own = await before_support(catalog)
    waivers = [waiver("early_life_support_over")]
    refused = await catalog.limited_to("catalog:write").move(own, "supporting", status=403, waivers=waivers)
    assert refused["scope"] == "catalog:approve"
    nowhere = await catalog.move(own, "retired", status=409, waivers=waivers)
    assert nowhere["code"] == "transition-not-allowed"


async def test_design_and_creation_may_be_left_by_a_waiver(catalog: Catalog) -> None:
    made = await catalog.complete_service()
    for level in await catalog.every("service-levels"):
        await catalog.delete(f"service-levels/{level['id']}")
    own = f"services/{made['id']}"
    await catalog.criterion(made, dimension="technology")
    await catalog.move(own, "designing")
    assert codes(await catalog.move(own, "creating", status=409)) == ["service_level_defined"]
    await catalog.move(own, "creating", waivers=[waiver("service_level_defined")])
    assert codes(await catalog.move(own, "delivering", status=409)) == ["technology_criteria_decided"]
    await catalog.move(own, "delivering", waivers=[waiver("technology_criteria_decided")])
