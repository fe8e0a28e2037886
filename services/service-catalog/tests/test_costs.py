import asyncio
import json
from typing import Any

import pytest
from catalog_api import Catalog

from chassis.testkit.applications import pointers
from chassis.testkit.databases import Pools
from chassis.testkit.telling import told
from service_catalog.costs.schemas import EXAMPLE, Cost

NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"


def euros(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


async def a_cost(catalog: Catalog, **given: Any) -> Any:
    return await catalog.post("costs", EXAMPLE | {"service_id": (await catalog.service())["id"]} | given)


async def test_a_cost_is_what_it_shows(catalog: Catalog) -> None:
    made = await a_cost(catalog)
    Cost.model_validate_json(json.dumps(made), extra="forbid", strict=True)
    assert (made["amount"], made["reversal_of"], made["period_end"]) == (euros("1840.2500"), None, "2026-02-28")
    assert await catalog.get(f"costs/{made['id']}") == made
    credit = await a_cost(catalog, amount=euros("-0.0000000001"), nature="capex", useful_life_months=36)
    assert (credit["amount"], credit["useful_life_months"]) == (euros("-0.0000000001"), 36)


@pytest.mark.parametrize(
    ("wrong", "told_at"),
    [
        ({"useful_life_months": 12}, ("/useful_life_months", "not-allowed")),
        ({"nature": "capex"}, ("/useful_life_months", "missing")),
        ({"nature": "capex", "useful_life_months": 0}, ("/useful_life_months", "greater-than-equal")),
        ({"period_end": "2026-01-31"}, ("/period_end", "before-start")),
        ({"period_end": "2026-02-30"}, ("/period_end", "date")),
        ({"category": "bribes"}, ("/category", "not-one-of")),
        ({"nature": "other"}, ("/nature", "not-one-of")),
        ({"amount": {"amount": 5, "currency": "EUR"}}, ("/amount/amount", "decimal")),
        ({"amount": {"amount": "5", "currency": "euro"}}, ("/amount/currency", "pattern")),
        ({"service_id": NOBODY}, ("/service_id", "reference-unknown")),
        ({"reversal_of": NOBODY}, ("/reversal_of", "unknown-field")),
    ],
)
async def test_what_is_wrong_is_pointed_at(catalog: Catalog, wrong: dict[str, Any], told_at: tuple[str, str]) -> None:
    blank = EXAMPLE | {"service_id": (await catalog.service())["id"]}
    assert pointers(await catalog.post("costs", blank | wrong, status=422)) == [told_at]
    (item,) = await catalog.batch("costs", [blank | wrong], mode="independent")
    assert (item["status"], item["problem"]["errors"][0]["pointer"]) == (422, told_at[0])
    assert (await catalog.get("costs"))["items"] == []


async def test_all_that_is_wrong_is_told_at_once(catalog: Catalog) -> None:
    refused = await catalog.batch("costs", [{"external_source": "erp", "external_id": "1"}], status=422)
    assert [pointer.removeprefix("/items/0/") for pointer, _ in pointers(refused)] == [
        *("service_id", "category", "nature", "amount", "period_start", "period_end"),
    ]
    blank = EXAMPLE | {"service_id": (await catalog.service())["id"], "nature": "capex", "period_end": "2026-01-31"}
    refused = await catalog.post("costs", blank, status=422)
    assert [pointer for pointer, _ in pointers(refused)] == ["/useful_life_months", "/period_end"]


async def test_a_cost_is_reversed_once_and_a_reversal_never(catalog: Catalog, pools: Pools) -> None:
    made = await a_cost(catalog)
    path = f"costs/{made['id']}/reversal"
    answers = await asyncio.gather(*(catalog.send("POST", path, json={"reason": "Wrong."}) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    (reversal,) = (answer.json() for answer in answers if answer.status_code == 201)
    same = ("service_id", "category", "nature", "period_start", "period_end", "vendor", "reference")
    assert {name: reversal[name] for name in same} == {name: made[name] for name in same}
    assert (reversal["amount"], reversal["reversal_of"]) == (euros("-1840.2500"), made["id"])
    assert reversal["description"] == "Wrong."
    assert (await catalog.post(path, {"reason": "Again."}, status=409))["code"] == "cost-reversed"
    refused = await catalog.post(f"costs/{reversal['id']}/reversal", {"reason": "Back."}, status=409)
    assert refused["code"] == "cost-is-reversal"
    assert (await catalog.get(f"costs/{made['id']}")) == made
    assert await told(pools, catalog, f"costs/{reversal['id']}") == [("cost.created", 1, reversal, None)]
    taken_back: Any = await catalog.get("costs", service_id=made["service_id"], reversed="true")
    standing: Any = await catalog.get("costs", service_id=made["service_id"], reversed="false")
    assert [[one["id"] for one in page["items"]] for page in (taken_back, standing)] == [[made["id"]], [reversal["id"]]]
    for wrong in ({}, {"reason": " "}, {"reason": "x", "amount": euros("1")}):
        await catalog.post(path, wrong, status=422)


async def test_a_batch_adds_unless_the_external_id_is_known(catalog: Catalog) -> None:
    service = await catalog.service(key="shop")
    other = await catalog.service(key="bank")
    plain = {name: value for name, value in EXAMPLE.items() if name != "service_id"} | {"service_key": "shop"}
    named = plain | {"external_source": "erp", "external_id": "1"}
    first = await catalog.batch("costs", [plain, plain, named])
    again = await catalog.batch("costs", [plain, named])
    assert [(item["status"], item["version"]) for item in first + again] == [(201, 1)] * 4 + [(200, 1)]
    identity = {"external_source": "erp", "external_id": "1"}
    (changed,) = await catalog.batch("costs", [identity | {"amount": euros("7"), "service_key": "bank"}])
    shown = await catalog.get(f"costs/{changed['id']}")
    assert (shown["amount"], shown["service_id"], shown["version"]) == (euros("7.0000"), other["id"], 2)
    refused = await catalog.batch("costs", [identity | {"nature": "capex"}], status=422)
    assert pointers(refused) == [("/items/0/useful_life_months", "missing")]
    await catalog.batch("costs", [identity | {"nature": "capex", "useful_life_months": 24}])
    assert (await catalog.get("costs", service_id=service["id"], count="true"))["count"] == 3


async def test_a_reversed_cost_stays_as_it_is(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    item = {name: value for name, value in EXAMPLE.items() if name != "service_id"} | {
        "service_key": "shop",
        "external_source": "erp",
        "external_id": "1",
    }
    (made,) = await catalog.batch("costs", [item])
    await catalog.post(f"costs/{made['id']}/reversal", {"reason": "Wrong."})
    (same,) = await catalog.batch("costs", [item])
    assert (same["status"], same["version"]) == (200, 1)
    refused = await catalog.batch("costs", [item | {"amount": euros("1")}], status=409)
    assert pointers(refused) == [("/items/0", "cost-reversed")]


async def test_lists_filter_by_what_costs_have(catalog: Catalog) -> None:
    service = await catalog.service()
    one = await a_cost(catalog, service_id=service["id"], description="A rack")
    two = await a_cost(catalog, category="hardware", nature="capex", useful_life_months=36, period_start="2026-01-01")

    async def found(**asked: Any) -> list[str]:
        return [item["id"] for item in (await catalog.get("costs", **asked))["items"]]

    assert await found(service_id=service["id"]) == await found(nature="opex") == await found(q="rack") == [one["id"]]
    assert await found(category="hardware") == await found(period_start_to="2026-02-01") == [two["id"]]
    assert await found(period_end_from="2026-03-01") == []
    assert await found(sort="period_start") == [two["id"], one["id"]]
    first = await catalog.get("costs", sort="-period_start", limit=1)
    rest = await catalog.get("costs", sort="-period_start", limit=1, after=first["next"])
    assert [page["items"][0]["id"] for page in (first, rest)] == [one["id"], two["id"]]
    await catalog.get("costs", status=422, period_start_from="soon")


async def test_costs_are_their_organisations_and_need_their_scopes(catalog: Catalog) -> None:
    made = await a_cost(catalog)
    stranger = catalog.of_another_organisation()
    await stranger.get(f"costs/{made['id']}", status=404)
    await stranger.post(f"costs/{made['id']}/reversal", {"reason": "x"}, status=404)
    refused = await stranger.post("costs", EXAMPLE | {"service_id": made["service_id"]}, status=422)
    assert pointers(refused) == [("/service_id", "reference-unknown")]
    reader = catalog.limited_to("catalog:read")
    for path in ("costs", "costs:batch", f"costs/{made['id']}/reversal"):
        assert (await reader.post(path, {}, status=403))["scope"] == "catalog:write"
    assert (await catalog.limited_to("catalog:write").get("costs", status=403))["scope"] == "catalog:read"


async def test_a_service_that_has_cost_something_stays(catalog: Catalog) -> None:
    made = await a_cost(catalog)
    assert (await catalog.delete(f"services/{made['service_id']}", status=409))["code"] == "service-in-use"


async def test_a_booking_with_a_key_happens_once(catalog: Catalog) -> None:
    body = EXAMPLE | {"service_id": (await catalog.service())["id"]}
    headers = {"Idempotency-Key": "booking-1"}
    first, again = [await catalog.send("POST", "costs", json=body, headers=headers) for _ in range(2)]
    assert (again.status_code, again.json(), again.headers["Idempotency-Replayed"]) == (201, first.json(), "true")
    assert (await catalog.get("costs", count="true"))["count"] == 1
