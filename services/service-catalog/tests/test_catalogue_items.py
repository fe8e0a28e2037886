import asyncio
import json
from typing import Any

import pytest
from catalog_api import FORM, Catalog, codes

from chassis.testkit.applications import ANY_VERSION, pointers
from chassis.testkit.databases import Pools
from chassis.testkit.telling import told
from service_catalog.catalogue_items.schemas import EXAMPLE, CatalogueItem

OTHER_FORM = FORM | {"required": []}


async def test_an_item_is_created_changed_and_shown(catalog: Catalog) -> None:
    service = await catalog.service()
    response = await catalog.send("POST", "catalogue-items", json=EXAMPLE | {"service_id": service["id"]})
    made = response.json()
    assert (response.status_code, response.headers["etag"]) == (201, '"1"')
    CatalogueItem.model_validate_json(response.content, extra="forbid")
    assert (made["state"], made["form_version"], made["form_schema"]) == ("draft", 1, EXAMPLE["form_schema"])
    assert made["price"] == {"amount": "1190.0000", "currency": "EUR"}
    own = f"catalogue-items/{made['id']}"
    changed = await catalog.patch(own, {"price": None, "fulfilment_target_minutes": 60, "labels": {"a": "b"}})
    assert (changed["price"], changed["fulfilment_target_minutes"], changed["version"]) == (None, 60, 2)
    assert await catalog.get("catalogue-items/by-key/new-laptop") == await catalog.get(own) == changed
    same = await catalog.patch(own, {"fulfilment_target_minutes": 60})
    assert same["version"] == 2
    for wrong in ({"key": "other"}, {"service_id": service["id"]}, {"state": "published"}, {"form_version": 7}):
        refused = await catalog.patch(own, wrong, status=422)
        assert pointers(refused) == [(f"/{next(iter(wrong))}", "unknown-field")]
    stale = await catalog.send("PATCH", own, json={"name": "Other"}, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["current"]["version"]) == (412, 2)


async def test_items_are_found(catalog: Catalog) -> None:
    service = await catalog.service()
    phone = await catalog.item(service, key="phone", name="A phone", fulfilment_team="desk")
    laptop = await catalog.item(published=False, approval_required=True)

    async def found(**params: Any) -> list[str]:
        return [one["id"] for one in (await catalog.get("catalogue-items", **params))["items"]]

    assert await found(sort="-created_at") == [laptop["id"], phone["id"]]
    assert await found(q="phone") == await found(service_id=service["id"]) == await found(state="published")
    assert await found(approval_required="true") == await found(state=["draft", "withdrawn"]) == [laptop["id"]]
    assert await found(fulfilment_team="desk") == [phone["id"]]


async def test_each_change_of_the_form_has_the_next_version(catalog: Catalog) -> None:
    own = f"catalogue-items/{(await catalog.item(published=False, form_schema=None))['id']}"
    assert (await catalog.get(own))["form_version"] == 0
    patches = [await catalog.patch(own, {"form_schema": one}) for one in (FORM, FORM, OTHER_FORM, None, FORM)]
    assert [patched["form_version"] for patched in patches] == [1, 1, 2, 2, 3]
    assert (await catalog.patch(own, {"name": "Other"}))["form_version"] == 3


def choice(*values: object) -> dict[str, Any]:
    return {"type": "object", "properties": {"screen": {"enum": [*values], "default": values[0]}}}


async def test_a_form_that_says_true_is_another_than_one_that_says_1(catalog: Catalog) -> None:
    service = await catalog.service()
    item = {"key": "phone", "name": "A phone", "service_id": service["id"]}
    own = f"catalogue-items/{(await catalog.post('catalogue-items', item | {'form_schema': choice(1, 0)}))['id']}"
    assert (await catalog.patch(own, {"form_schema": choice(1.0, 0)}))["form_version"] == 1
    patched = await catalog.patch(own, {"form_schema": choice(True, False)})
    assert (patched["form_version"], patched["version"]) == (2, 2)
    assert json.dumps(patched["form_schema"]["properties"]["screen"]["enum"]) == "[true, false]"
    await catalog.batch("catalogue-items", [item | {"form_schema": choice(True, 0)}])
    assert json.dumps((await catalog.get(own))["form_schema"]["properties"]["screen"]["enum"]) == "[true, 0]"
    del item["key"]
    replaced = await catalog.send("PUT", "catalogue-items/by-key/phone", json=item | {"form_schema": choice(1, 0)})
    assert (replaced.status_code, replaced.json()["form_version"]) == (200, 4)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "strng"}, ("/form_schema/type", "any-of")),
        (
            {"properties": {"a": {"$ref": "https://example.com/a"}}},
            ("/form_schema/properties/a/$ref", "reference-outside"),
        ),
        ({"properties": {"a": {"pattern": "(?=b)"}}}, ("/form_schema/properties/a/pattern", "pattern-unsupported")),
        ({"description": "x" * 65_536}, ("/form_schema", "too-large")),
        ({"const": 2**60}, ("/form_schema", "number-too-large")),
        ([], ("/form_schema", "dict-type")),
    ],
)
async def test_a_schema_that_makes_no_form_is_refused(catalog: Catalog, schema: Any, expected: tuple[str, str]) -> None:
    service, sound = await catalog.service(), await catalog.item(published=False)
    new = {"key": "k", "service_id": service["id"], "name": "A laptop", "form_schema": schema}
    assert pointers(await catalog.post("catalogue-items", new, status=422)) == [expected]
    own = f"catalogue-items/{sound['id']}"
    assert pointers(await catalog.patch(own, {"form_schema": schema}, status=422)) == [expected]
    refused = await catalog.batch("catalogue-items", [new], status=422)
    assert pointers(refused) == [(f"/items/0{expected[0]}", expected[1])]
    assert (await catalog.get(own))["version"] == 1


async def test_a_schema_nested_too_deeply_is_refused(catalog: Catalog) -> None:
    service = await catalog.service()
    schema: dict[str, Any] = {}
    for _ in range(70):
        schema = {"not": schema}
    new = {"key": "k", "service_id": service["id"], "name": "A laptop", "form_schema": schema}
    assert pointers(await catalog.post("catalogue-items", new, status=422)) == [("/form_schema", "too-deep")]


async def test_to_be_published_takes_a_form_and_a_service_that_is_not_over(catalog: Catalog) -> None:
    service = await catalog.service()
    own = f"catalogue-items/{(await catalog.item(service, published=False, form_schema=None))['id']}"
    await catalog.move(f"services/{service['id']}", "cancelled", reason="Not needed.")
    told_ = await catalog.get(f"{own}/transitions")
    assert codes(told_["available"][0]) == ["form_schema_set", "service_not_over"]
    refused = await catalog.move(own, "published", status=409)
    assert (refused["code"], codes(refused)) == ("guards-unmet", ["form_schema_set", "service_not_over"])
    await catalog.patch(own, {"form_schema": FORM})
    assert codes(await catalog.move(own, "published", status=409)) == ["service_not_over"]


async def test_what_is_published_keeps_a_form(catalog: Catalog) -> None:
    item = await catalog.item()
    own = f"catalogue-items/{item['id']}"
    assert pointers(await catalog.patch(own, {"form_schema": None}, status=422)) == [("/form_schema", "missing")]
    whole = {"service_id": item["service_id"], "name": "A laptop"}
    put = await catalog.send("PUT", f"catalogue-items/by-key/{item['key']}", json=whole)
    assert (put.status_code, pointers(put.json())) == (422, [("/form_schema", "missing")])
    past = {"key": "new", "service_id": item["service_id"], "name": "N", "state": "published"}
    assert pointers(await catalog.batch("catalogue-items", [past], status=422)) == [("/items/0/form_schema", "missing")]
    await catalog.move(own, "withdrawn")
    assert (await catalog.patch(own, {"form_schema": None}))["form_schema"] is None


async def test_the_way_of_an_item_is_told(catalog: Catalog, pools: Pools) -> None:
    item = await catalog.item()
    own = f"catalogue-items/{item['id']}"
    await catalog.move(own, "withdrawn", reason="Sold out.")
    await catalog.move(own, "published")
    told_ = await catalog.get(f"{own}/transitions")
    steps = [(step["from"], step["to"], step["reason"]) for step in told_["history"]]
    assert steps == [
        (None, "draft", None),
        ("draft", "published", None),
        ("published", "withdrawn", "Sold out."),
        ("withdrawn", "published", None),
    ]
    events = await told(pools, catalog, own)
    assert [(name, version) for name, version, *_ in events] == [
        ("catalogue_item.created", 1),
        ("catalogue_item.published", 2),
        ("catalogue_item.withdrawn", 3),
        ("catalogue_item.published", 4),
    ]
    assert events[-1][2] == await catalog.get(own)
    assert events[2][3] == {"from": "published", "to": "withdrawn", "reason": "Sold out.", "actor": "tester"}


async def test_an_item_is_put_by_its_key(catalog: Catalog) -> None:
    service = await catalog.service()
    whole = {"service_id": service["id"], "name": "A laptop", "form_schema": FORM, "approver": "ada"}
    path = "catalogue-items/by-key/laptop"
    made = await catalog.send("PUT", path, json=whole, headers={"If-None-Match": "*"})
    assert (made.status_code, made.json()["key"], made.json()["form_version"]) == (201, "laptop", 1)
    same = await catalog.send("PUT", path, json=whole)
    assert (same.status_code, same.json()["version"]) == (200, 1)
    other = {"service_id": service["id"], "name": "A laptop", "form_schema": OTHER_FORM}
    replaced = await catalog.send("PUT", path, json=other, headers={"If-Match": '"1"'})
    assert (replaced.json()["approver"], replaced.json()["form_version"], replaced.json()["version"]) == (None, 2, 2)
    moved = await catalog.send("PUT", path, json=whole | {"service_id": (await catalog.service())["id"]})
    assert (moved.status_code, pointers(moved.json())) == (422, [("/service_id", "immutable")])
    again = await catalog.send("PUT", path, json=whole, headers={"If-None-Match": "*"})
    assert (again.status_code, again.json()["code"]) == (412, "already-exists")


async def test_only_what_was_never_published_and_never_asked_for_is_deleted(catalog: Catalog) -> None:
    draft = await catalog.item(published=False)
    assert (await catalog.delete(f"catalogue-items/{draft['id']}"))["id"] == draft["id"]
    published = await catalog.item()
    refused = await catalog.delete(f"catalogue-items/{published['id']}", status=409)
    assert refused["code"] == "item-was-published"
    asked = await catalog.item(published=False)
    past = {"catalogue_item_id": asked["id"], "form": {}, "state": "approved"}
    await catalog.batch("service-requests", [past])
    refused = await catalog.delete(f"catalogue-items/{asked['id']}", status=409)
    assert refused["code"] == "catalogue-item-in-use"


async def test_what_an_item_refers_to_is_kept(catalog: Catalog) -> None:
    weekly = [{"weekday": "monday", "intervals": [["08:00", "18:00"]]}]
    calendar = await catalog.post("calendars", {"name": "office", "timezone": "UTC", "weekly": weekly})
    service = await catalog.service()
    await catalog.item(service, calendar_id=calendar["id"])
    assert (await catalog.delete(f"services/{service['id']}", status=409))["code"] == "service-in-use"
    assert (await catalog.delete(f"calendars/{calendar['id']}", status=409))["code"] == "calendar-in-use"
    nowhere = service["id"]
    other = {"key": "k", "service_id": service["id"], "name": "N", "calendar_id": nowhere}
    assert pointers(await catalog.post("catalogue-items", other, status=422)) == [("/calendar_id", "reference-unknown")]


async def test_a_price_is_not_below_zero(catalog: Catalog) -> None:
    service = await catalog.service()
    new = {"key": "k", "service_id": service["id"], "name": "N", "price": {"amount": "-1", "currency": "EUR"}}
    assert pointers(await catalog.post("catalogue-items", new, status=422)) == [("/price/amount", "decimal-range")]


async def test_a_key_is_taken_once(catalog: Catalog) -> None:
    item = await catalog.item(key="laptop")
    new = {"key": "laptop", "service_id": item["service_id"], "name": "Another"}
    assert (await catalog.post("catalogue-items", new, status=409))["code"] == "key-taken"


async def test_many_are_brought_along_and_the_same_again_changes_nothing(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    items = [
        {"key": "a", "service_key": "shop", "name": "A", "form_schema": FORM, "state": "published"},
        {"key": "b", "service_key": "shop", "name": "B", "price": {"amount": "1", "currency": "EUR"}},
        {"key": "c", "service_key": "shop", "name": "C", "external_source": "x", "external_id": "1"},
    ]
    first = await catalog.batch("catalogue-items", items)
    assert [one["status"] for one in first] == [201] * 3
    again = await catalog.batch("catalogue-items", items)
    assert [(one["status"], one["version"]) for one in again] == [(200, 1)] * 3
    changed = await catalog.batch(
        "catalogue-items", [{"key": "a", "form_schema": OTHER_FORM, "state": "withdrawn"}, {"key": "b", "price": None}]
    )
    assert [one["version"] for one in changed] == [2, 2]
    kept = await catalog.get("catalogue-items/by-key/a")
    assert (kept["state"], kept["form_version"], kept["name"]) == ("withdrawn", 2, "A")
    steps = (await catalog.get(f"catalogue-items/{kept['id']}/transitions"))["history"]
    assert [step["to"] for step in steps] == ["published", "withdrawn"]
    assert (await catalog.get("catalogue-items/by-key/b"))["price"] is None


async def test_wrong_items_are_told_with_their_places_or_left_out(catalog: Catalog) -> None:
    item = await catalog.item(await catalog.service(key="shop"), external_source="x", external_id="1")
    await catalog.service(key="bank")
    items = [
        {"key": "a", "service_key": "shop", "name": "A"},
        {"key": "b", "service_key": "nowhere"},
        {"key": "c", "name": "C"},
        {"key": "other", "external_source": "x", "external_id": "1"},
        {"key": item["key"], "service_key": "bank"},
    ]
    expected = [
        ("/items/1/service_key", "reference-unknown"),
        ("/items/1/name", "missing"),
        ("/items/2/service_id", "missing"),
        ("/items/3/key", "immutable"),
        ("/items/4/service_key", "immutable"),
    ]
    assert pointers(await catalog.batch("catalogue-items", items, status=422)) == expected
    await catalog.get("catalogue-items/by-key/a", status=404)
    answered = await catalog.batch("catalogue-items", items, mode="independent")
    assert [one["status"] for one in answered] == [201, 422, 422, 422, 422]


async def test_a_state_needs_the_scope_of_imports(catalog: Catalog) -> None:
    service = await catalog.service()
    writer = catalog.limited_to("catalog:write")
    item = {"key": "a", "service_id": service["id"], "name": "A", "form_schema": FORM}
    assert (await writer.batch("catalogue-items", [item]))[0]["status"] == 201
    refused = await writer.batch("catalogue-items", [item | {"state": "published"}], status=403)
    assert refused["scope"] == "catalog:import"


async def test_changes_of_the_form_at_once_are_numbered_one_after_the_other(catalog: Catalog) -> None:
    item = await catalog.item()
    forms = [FORM | {"title": f"Form {number}"} for number in range(5)]
    own, path = f"catalogue-items/{item['id']}", f"catalogue-items/by-key/{item['key']}"
    whole = {"service_id": item["service_id"], "name": "A laptop"}
    answers = await asyncio.gather(
        *(catalog.send("PATCH", own, json={"form_schema": form}, headers=ANY_VERSION) for form in forms[:3]),
        *(catalog.send("PUT", path, json=whole | {"form_schema": form}) for form in forms[3:]),
    )
    assert [answer.status_code for answer in answers] == [200] * 5
    assert sorted(answer.json()["form_version"] for answer in answers) == [2, 3, 4, 5, 6]
