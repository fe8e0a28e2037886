"""How services go live, with or without a project, and how they end."""

from typing import Any

import pytest
from catalog_api import Catalog, ago, codes

from chassis.testkit.applications import pointers
from chassis.testkit.databases import Pools
from chassis.testkit.telling import told

PROJECT = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.mark.parametrize("state", ["proposed", "designing", "creating", "delivering"])
async def test_a_cancellation_tells_the_linked_project(catalog: Catalog, pools: Pools, state: str) -> None:
    made = await catalog.complete_service()
    own = f"services/{made['id']}"
    for target in ("designing", "creating", "delivering"):
        if (await catalog.get(own))["state"] == state:
            break
        await catalog.move(own, target)
    await catalog.patch(own, {"project_id": PROJECT})
    assert codes(await catalog.move(own, "cancelled", status=409)) == ["reason_given"]
    await catalog.move(own, "cancelled", reason="Bought instead.")
    name, _, data, change = (await told(pools, catalog, own))[-1]
    assert (name, data["project_id"], data["state"]) == ("service.cancelled", PROJECT, "cancelled")
    assert change == {"from": state, "to": "cancelled", "reason": "Bought instead.", "actor": "tester"}
    last = (await catalog.get(f"{own}/history"))["items"][-1]
    assert (last["from"], last["to"], last["reason"], last["actor"]) == (
        state,
        "cancelled",
        "Bought instead.",
        "tester",
    )


async def test_a_service_is_delivered_directly_for_a_reason(catalog: Catalog) -> None:
    made = await catalog.complete_service(direct_delivery_reason=None)
    own = f"services/{made['id']}"
    await catalog.move(own, "designing")
    await catalog.move(own, "creating")
    assert codes(await catalog.move(own, "delivering", status=409)) == ["handover_received"]
    await catalog.patch(own, {"direct_delivery_reason": "It is a subscription."})
    live = await catalog.move(own, "delivering")
    assert live["live_from"] is not None
    assert (await catalog.move(own, "supporting"))["live_from"] == live["live_from"]


async def test_where_there_is_a_project_it_has_to_hand_over(catalog: Catalog) -> None:
    made = await catalog.complete_service(project_id=PROJECT)
    own = f"services/{made['id']}"
    await catalog.move(own, "designing")
    await catalog.move(own, "creating")
    assert codes(await catalog.move(own, "delivering", status=409)) == ["handover_received"]
    await catalog.patch(own, {"project_id": None})
    await catalog.move(own, "delivering")
    await catalog.patch(own, {"project_id": PROJECT})
    assert codes(await catalog.move(own, "supporting", status=409)) == ["handover_accepted"]


@pytest.mark.parametrize(
    ("past", "faults"),
    [
        ({"state": "supporting", "live_from": ago(hours=-1)}, [("/live_from", "in-the-future")]),
        (
            {"state": "retired", "live_from": "2020-01-01T00:00:00Z", "retired_at": ago(hours=-1)},
            [("/retired_at", "in-the-future")],
        ),
        (
            {"state": "retired", "live_from": "2020-01-01T00:00:00Z", "retired_at": "2019-01-01T00:00:00Z"},
            [("/retired_at", "before-start")],
        ),
        ({"state": "supporting", "retired_at": "2020-01-01T00:00:00Z"}, [("/retired_at", "state-not-reached")]),
        *(
            ({"state": state, "live_from": "2020-01-01T00:00:00Z"}, [("/live_from", "state-not-reached")])
            for state in ("proposed", "designing", "creating")
        ),
        (
            {
                "history": [
                    {"state": "delivering", "at": "2020-01-01T00:00:00Z"},
                    {"state": "creating", "at": "2020-02-01T00:00:00Z"},
                ],
                "live_from": "2020-01-01T00:00:00Z",
            },
            [("/live_from", "state-not-reached")],
        ),
        ({"live_from": "2020-01-01T00:00:00Z"}, [("/live_from", "state-not-reached")]),
    ],
)
async def test_a_past_that_cannot_have_been_is_refused(catalog: Catalog, past: Any, faults: Any) -> None:
    (refused,) = await catalog.batch("services", [{"key": "shop", "name": "Shop"} | past], mode="independent")
    assert (refused["status"], pointers(refused["problem"])) == (422, faults)


async def test_an_import_dates_back_when_a_service_went_live(catalog: Catalog) -> None:
    made = await catalog.complete_service(key="shop")
    own = f"services/{made['id']}"
    for state in ("designing", "creating", "delivering"):
        await catalog.move(own, state)
    (dated,) = await catalog.batch("services", [{"key": "shop", "live_from": "2021-05-01T00:00:00Z"}])
    assert dated["status"] == 200
    moved = await catalog.move(own, "supporting")
    assert (moved["state"], moved["live_from"]) == ("supporting", "2021-05-01T00:00:00Z")
    back = await catalog.batch("services", [{"key": "shop", "live_from": "2021-05-01T00:00:00Z"}])
    assert back[0]["version"] == moved["version"]
    writer = catalog.limited_to("catalog:write")
    await writer.batch("services", [{"key": "shop", "live_from": "2019-05-01T00:00:00Z"}], status=403)


async def test_a_service_that_is_returned_is_live_only_from_its_next_delivery_on(catalog: Catalog) -> None:
    own = f"services/{(await catalog.complete_service())['id']}"
    for state in ("designing", "creating"):
        await catalog.move(own, state)
    first = await catalog.move(own, "delivering")
    returned = await catalog.move(own, "creating", reason="It does not hold the load.")
    assert (first["live_from"] is not None, returned["live_from"]) == (True, None)
    again = await catalog.move(own, "delivering")
    assert again["live_from"] > first["live_from"]
    await catalog.move(own, "creating", reason="Neither now.")
    cancelled = await catalog.move(own, "cancelled", reason="Bought instead.")
    assert (cancelled["live_from"], cancelled["retired_at"]) == (None, None)


async def test_a_state_before_its_delivery_that_an_import_tells_makes_a_service_not_live(catalog: Catalog) -> None:
    live = {"key": "shop", "name": "Shop", "state": "supporting", "live_from": "2021-05-01T00:00:00Z"}
    (made,) = await catalog.batch("services", [live])
    own = f"services/{made['id']}"
    await catalog.batch("services", [{"key": "shop", "state": "creating"}])
    assert (await catalog.get(own))["live_from"] is None
    (undated,) = await catalog.batch("services", [{"key": "shop", "live_from": None}])
    assert undated["status"] == 200
    await catalog.batch("services", [{"key": "shop", "state": "delivering"}])
    assert (await catalog.get(own))["live_from"] > "2026"
