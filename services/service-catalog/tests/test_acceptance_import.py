"""Acceptance criteria bring along how they were decided in another tool."""

from typing import Any

from catalog_api import Catalog, ago, codes, own_path

from chassis.testkit.applications import pointers
from chassis.testkit.databases import Pools
from chassis.testkit.telling import told

PASSED = {"status": "passed", "decided_at": "2025-03-03T14:00:00Z", "approver": "ada"}
WAIVED = {
    "status": "waived",
    "decided_at": "2025-03-04T10:00:00Z",
    "decision_reason": "On call from May on.",
    "approver": "joan",
}


def criterion(number: int, **given: Any) -> dict[str, Any]:
    named = {"external_source": "checklists", "external_id": str(number)}
    return named | {"dimension": "people", "text": f"Demand {number}"} | given


async def path_of(catalog: Catalog, **given: Any) -> str:
    return f"services/{(await catalog.service(**given))['id']}/acceptance-criteria"


async def shown(catalog: Catalog, path: str, made: Any) -> Any:
    return await catalog.get(f"{path}/{made['id']}")


async def steps_of(catalog: Catalog, one: Any) -> list[Any]:
    steps: list[Any] = (await catalog.get(f"{own_path(one)}/decision"))["history"]
    return steps


async def test_decided_criteria_are_brought_along_once(catalog: Catalog, pools: Pools) -> None:
    path = await path_of(catalog)
    items = [
        criterion(1, **PASSED, evidence=[{"title": "Minutes", "reference": "https://wiki.example.com/1"}]),
        criterion(2, **WAIVED, needed_for="early_life_support_exit"),
        criterion(3, status="failed", decision_reason="Nobody was there.", decided_at="2025-03-05T10:00:00Z"),
        criterion(4, status="open"),
        criterion(5, status="passed"),
    ]
    made = await catalog.batch(path, items)
    again = await catalog.batch(path, items)
    assert [(one["status"], one["version"]) for one in made + again] == [(201, 1)] * 5 + [(200, 1)] * 5
    passed, waived, failed, undecided, now = [await shown(catalog, path, one) for one in made]
    names = ("status", "decided_at", "decision_reason", "approver", "needed_for")
    assert [passed[name] for name in names] == ["passed", "2025-03-03T14:00:00Z", None, "ada", "acceptance"]
    assert [waived[name] for name in names] == [*WAIVED.values(), "early_life_support_exit"]
    assert (failed["approver"], undecided["status"], undecided["approver"]) == ("tester", "open", None)
    assert now["decided_at"] == now["created_at"]
    (step,) = await steps_of(catalog, waived)
    assert (step["from"], step["to"], step["at"], step["reason"], step["details"], step["actor"]) == (
        *(None, "waived", WAIVED["decided_at"], WAIVED["decision_reason"]),
        *({"approver": "joan"}, "tester"),
    )
    subject = f"acceptance-criteria/{passed['id']}"
    assert await told(pools, catalog, subject) == [("acceptance_criterion.created", 1, passed, None)]
    assert passed["evidence"][0]["title"] == "Minutes"


async def test_a_known_criterion_is_decided_by_an_import(catalog: Catalog, pools: Pools) -> None:
    path = await path_of(catalog)
    (made,) = await catalog.batch(path, [criterion(1)])
    (decided,) = await catalog.batch(path, [criterion(1, **WAIVED)])
    assert (decided["id"], decided["version"]) == (made["id"], 2)
    one = await shown(catalog, path, made)
    step = next(step for step in await steps_of(catalog, one) if step["from"] == "open")
    assert (step["to"], step["at"], step["details"]) == ("waived", WAIVED["decided_at"], {"approver": "joan"})
    events = await told(pools, catalog, f"acceptance-criteria/{made['id']}")
    change = {"from": "open", "to": "waived", "reason": WAIVED["decision_reason"], "actor": "tester"}
    assert [(name, data["status"], change) for name, _, data, change in events] == [
        ("acceptance_criterion.created", "open", None),
        ("acceptance_criterion.waived", "waived", change),
    ]


async def test_a_decision_is_replaced_and_corrected_never_taken_back(catalog: Catalog) -> None:
    path = await path_of(catalog)
    (made,) = await catalog.batch(path, [criterion(1, **PASSED)])
    refused = await catalog.batch(path, [criterion(1, status="open")], status=409)
    assert pointers(refused) == [("/items/0", "criterion-decided")]
    later = {"status": "failed", "decided_at": "2025-04-01T10:00:00Z", "decision_reason": "It was another backup."}
    await catalog.batch(path, [criterion(1, **later)])
    one = await shown(catalog, path, made)
    assert (one["status"], one["decided_at"], one["approver"]) == ("failed", later["decided_at"], "tester")
    named = {"external_source": "checklists", "external_id": "1"}
    (corrected,) = await catalog.batch(path, [named | {"approver": "joan", "evidence": [{"title": "Photo"}]}])
    one = await shown(catalog, path, made)
    assert (corrected["version"], one["status"], one["approver"]) == (3, "failed", "joan")
    assert one["decision_reason"] == later["decision_reason"]
    steps = await steps_of(catalog, one)
    assert [(step["from"], step["to"], step["details"]["approver"]) for step in steps] == [
        (None, "passed", "ada"),
        ("passed", "failed", "tester"),
        ("failed", "failed", "joan"),
    ]
    refused = await catalog.batch(path, [criterion(1, **later, text="More")], status=409)
    assert pointers(refused) == [("/items/0", "criterion-decided")]


async def test_a_history_stays_in_order_where_a_decision_is_told_of_earlier(catalog: Catalog) -> None:
    path = await path_of(catalog)
    (made,) = await catalog.batch(path, [criterion(1)])
    for at in ("2025-03-05T14:00:00Z", "2025-03-03T14:00:00Z"):
        await catalog.batch(path, [criterion(1, status="passed", decided_at=at)])
        steps = await steps_of(catalog, await shown(catalog, path, made))
        assert steps[0]["to"] == "open"
        assert [step["to"] for step in steps[1:]] == ["passed"] * (len(steps) - 1)
        assert [step["from"] for step in steps] == [None, *(step["to"] for step in steps[:-1])]
        assert {step["at"] for step in steps} == {at}
    earlier = criterion(1, status="failed", decision_reason="No.", decided_at="2025-03-01T14:00:00Z")
    refused = await catalog.batch(path, [earlier], status=422)
    assert pointers(refused) == [("/items/0/decided_at", "before-last")]


async def test_an_instant_and_an_approver_told_as_null_are_not_told(catalog: Catalog) -> None:
    path = await path_of(catalog)
    item = criterion(1, status="passed", decided_at=None, approver=None, decision_reason=None)
    (made,) = await catalog.batch(path, [item])
    first = await shown(catalog, path, made)
    assert [one["version"] for one in await catalog.batch(path, [item])] == [1]
    assert await shown(catalog, path, made) == first


async def test_what_was_decided_elsewhere_counts_as_decided(catalog: Catalog) -> None:
    service = await catalog.complete_service()
    own = f"services/{service['id']}"
    path = f"{own}/acceptance-criteria"
    demands = [criterion(1, dimension="technology"), criterion(2), criterion(3, mandatory=False)]
    await catalog.batch(path, demands)
    for state in ("designing", "creating"):
        await catalog.move(own, state)
    assert codes(await catalog.move(own, "delivering", status=409)) == ["technology_criteria_decided"]
    failed = {"status": "failed", "decision_reason": "Not restored.", "decided_at": "2025-03-03T14:00:00Z"}
    await catalog.batch(path, [demands[0] | failed])
    await catalog.move(own, "delivering")
    missing = (await catalog.get(f"{own}/readiness"))["supporting"]["missing"]
    assert [one["guard"] for one in missing] == ["mandatory_criteria_passed"] * 2
    await catalog.batch(path, [demands[0] | PASSED, demands[1] | WAIVED])
    readiness = await catalog.get(f"{own}/readiness")
    assert readiness["supporting"] == {"ready": True, "missing": []}
    assert readiness["dimensions"]["people"]["criteria"] == {"open": 1, "passed": 1, "failed": 0, "waived": 1}
    await catalog.move(own, "supporting")


async def test_a_decision_needs_the_scope_of_imports_and_is_checked(catalog: Catalog) -> None:
    path = await path_of(catalog)
    writer = catalog.limited_to("catalog:write", "catalog:approve")
    assert [one["status"] for one in await writer.batch(path, [criterion(1)])] == [201]
    for name, value in WAIVED.items():
        refused = await writer.batch(path, [criterion(1) | {name: value}], status=403)
        assert (refused["code"], refused["scope"]) == ("missing-scope", "catalog:import")
    items = [
        criterion(2, status="waived", approver="joan"),
        criterion(3, status="failed", decision_reason="  "),
        criterion(4, **PASSED | {"decided_at": ago(days=-1)}),
        criterion(5, decided_at=PASSED["decided_at"], approver="ada", decision_reason="So it is."),
        criterion(6, status="maybe"),
    ]
    assert pointers(await catalog.batch(path, items[:4], status=422)) == [
        ("/items/0/decision_reason", "missing"),
        ("/items/1/decision_reason", "missing"),
        ("/items/2/decided_at", "in-the-future"),
        ("/items/3/decided_at", "state-not-reached"),
        ("/items/3/decision_reason", "state-not-reached"),
        ("/items/3/approver", "state-not-reached"),
    ]
    answered = await catalog.batch(path, [*items, criterion(7, **PASSED)], mode="independent")
    assert [one["status"] for one in answered] == [422] * 5 + [201]
