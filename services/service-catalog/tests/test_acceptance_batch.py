"""Acceptance criteria are brought along in batches."""

from typing import Any

from catalog_api import Catalog, own_path

from chassis.testkit.applications import pointers
from chassis.testkit.databases import Pools
from chassis.testkit.telling import told


def criterion(number: int | None = None, **given: Any) -> dict[str, Any]:
    named = {} if number is None else {"external_source": "checklists", "external_id": str(number)}
    return named | {"dimension": "people", "text": f"Demand {number}"} | given


async def test_criteria_are_brought_along_once(catalog: Catalog, pools: Pools) -> None:
    service = await catalog.service()
    path = f"services/{service['id']}/acceptance-criteria"
    items = [criterion(n, mandatory=n > 0, evidence=[{"title": "Minutes"}]) for n in range(3)]
    first = await catalog.batch(path, items)
    again = await catalog.batch(path, items)
    assert [(one["status"], one["version"]) for one in first + again] == [(201, 1)] * 3 + [(200, 1)] * 3
    shown = [await catalog.get(f"{path}/{one['id']}") for one in first]
    assert [(one["mandatory"], one["status"]) for one in shown] == [(False, "open"), (True, "open"), (True, "open")]
    subject = f"acceptance-criteria/{first[0]['id']}"
    assert await told(pools, catalog, subject) == [("acceptance_criterion.created", 1, shown[0], None)]
    history = (await catalog.get(f"{own_path(shown[0])}/decision"))["history"]
    assert [(step["from"], step["to"]) for step in history] == [(None, "open")]
    known = {"external_source": "checklists", "external_id": "0"}
    (changed,) = await catalog.batch(path, [known | {"mandatory": True}])
    assert (changed["id"], changed["version"]) == (first[0]["id"], 2)
    assert (await catalog.get(own_path(shown[0])))["text"] == "Demand 0"


async def test_a_decided_criterion_demands_what_it_did(catalog: Catalog) -> None:
    service = await catalog.service()
    path = f"services/{service['id']}/acceptance-criteria"
    (made,) = await catalog.batch(path, [criterion(1)])
    await catalog.post(f"{path}/{made['id']}/decision", {"decision": "passed"}, status=200)
    refused = await catalog.batch(path, [criterion(1, text="More")], status=409)
    assert pointers(refused) == [("/items/0", "criterion-decided")]
    (proved,) = await catalog.batch(path, [criterion(1, evidence=[{"title": "Photo"}])])
    assert proved["status"] == 200
    shown = await catalog.get(f"{path}/{made['id']}")
    assert (shown["status"], shown["evidence"][0]["title"]) == ("passed", "Photo")


async def test_wrong_items_are_refused_each_by_itself(catalog: Catalog) -> None:
    service, other = await catalog.service(), await catalog.service()
    path = f"services/{service['id']}/acceptance-criteria"
    await catalog.batch(f"services/{other['id']}/acceptance-criteria", [criterion(7)])
    items = [criterion(), {"mandatory": True}, criterion(dimension="money"), criterion(7), criterion(8), criterion(8)]
    answered = await catalog.batch(path, items, mode="independent")
    assert [one["status"] for one in answered] == [201, 422, 422, 409, 422, 422]
    assert pointers(answered[1]["problem"]) == [("/dimension", "missing"), ("/text", "missing")]
    assert answered[3]["problem"]["code"] == "external-id-taken"
    assert pointers(answered[4]["problem"]) == [("", "repeated-in-batch")]
    assert len((await catalog.get(path))["items"]) == 1


async def test_criteria_are_for_those_who_may(catalog: Catalog) -> None:
    path = f"services/{(await catalog.service())['id']}/acceptance-criteria"
    await catalog.limited_to("catalog:read").batch(path, [criterion()], status=403)
    await catalog.of_another_organisation().batch(path, [criterion()], status=404)
    await catalog.batch("services/01890a5d-ac96-774b-bcce-b302099a8057/acceptance-criteria", [criterion()], status=404)
