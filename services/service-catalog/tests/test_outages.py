from datetime import timedelta

import httpx
import pytest
from catalog_api import Catalog, ago, codes

from chassis import clock
from chassis.schemas import parse_instant
from chassis.testkit.applications import pointers
from service_catalog.outages.schemas import EXAMPLE, Outage

LATER = (clock.now() + timedelta(days=1)).isoformat()


async def test_an_outage_is_what_it_shows(catalog: Catalog) -> None:
    service = await catalog.service()
    made = await catalog.post("outages", EXAMPLE | {"service_id": service["id"]})
    Outage.model_validate_json(httpx.Response(200, json=made).text, extra="forbid", strict=True)
    assert made["state"] == "ended"
    assert await catalog.get(f"outages/{made['id']}") == made
    assert (await catalog.get("outages", service_id=service["id"]))["items"] == [made]


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"ended_at": "2026-01-05T09:59:59Z"}, "/ended_at"),
        ({"started_at": LATER}, "/started_at"),
        ({"ended_at": LATER}, "/ended_at"),
        ({"severity": "slight"}, "/severity"),
        ({"service_id": "01890a5d-ac96-774b-bcce-b302099a8057"}, "/service_id"),
        ({"incident_id": "01890a5d-ac96-774b-bcce-b302099a8057"}, "/incident_id"),
        ({"state": "ended"}, "/state"),
    ],
)
async def test_wrong_fields_are_refused_where_they_are(
    catalog: Catalog, wrong: dict[str, object], pointer: str
) -> None:
    service = await catalog.service()
    blank = {"service_id": service["id"], "severity": "major", "started_at": "2026-01-05T10:00:00Z"}
    assert pointers(await catalog.post("outages", blank | wrong, status=422))[0][0] == pointer


async def test_an_end_ends_an_outage_and_null_lets_it_go_on(catalog: Catalog) -> None:
    made = await catalog.outage()
    own = f"outages/{made['id']}"
    assert made["state"] == "open"
    ended = await catalog.patch(own, {"ended_at": "2026-01-05T11:00:00Z", "cause": "a switch"})
    assert (ended["state"], ended["cause"], ended["version"]) == ("ended", "a switch", 2)
    assert (await catalog.patch(own, {"ended_at": "2026-01-05T11:00:00Z"}))["version"] == 2
    longer = await catalog.patch(own, {"ended_at": "2026-01-05T12:00:00Z"})
    assert (longer["state"], longer["version"]) == ("ended", 3)
    assert (await catalog.patch(own, {"ended_at": None}))["state"] == "open"
    assert pointers(await catalog.patch(own, {"ended_at": "2026-01-05T09:00:00Z"}, status=422))[0][0] == "/ended_at"
    again = await catalog.move(own, "ended")
    assert parse_instant(again["ended_at"]) > parse_instant(longer["updated_at"])
    steps = (await catalog.get(f"{own}/transitions"))["history"]
    assert [step["to"] for step in steps] == ["open", "ended", "open", "ended"]


async def test_a_withdrawal_needs_a_reason_and_is_final(catalog: Catalog) -> None:
    made = await catalog.outage()
    own = f"outages/{made['id']}"
    assert codes(await catalog.move(own, "withdrawn", status=409)) == ["reason_given"]
    withdrawn = await catalog.move(own, "withdrawn", reason="The probe was at fault.")
    assert (withdrawn["state"], withdrawn["withdrawal_reason"]) == ("withdrawn", "The probe was at fault.")
    assert (await catalog.move(own, "ended", status=409))["code"] == "transition-not-allowed"
    assert (await catalog.patch(own, {"severity": "partial"}, status=409))["code"] == "outage-withdrawn"
    assert (await catalog.patch(own, {"labels": {"a": "b"}}))["labels"] == {"a": "b"}


async def test_a_command_tells_an_instant_only_of_an_end(catalog: Catalog) -> None:
    own = f"outages/{(await catalog.outage())['id']}"
    for to, at in (("ended", LATER), ("ended", "2026-01-05T09:00:00Z"), ("withdrawn", ago(hours=1))):
        refused = await catalog.move(own, to, at=at, reason="Because.", status=422)
        assert {pointer for pointer, _ in pointers(refused)} == {"/at"}


def imported(number: int, **given: object) -> dict[str, object]:
    return {
        "external_source": "cmdb",
        "external_id": str(number),
        "service_key": "web-shop",
        "severity": "major",
        "started_at": "2022-03-26T01:43:00Z",
        "ended_at": "2022-03-26T03:35:00Z",
    } | given


async def test_a_batch_finds_services_by_key_and_repeats_without_effect(catalog: Catalog) -> None:
    service = await catalog.service(key="web-shop")
    items = [imported(number) for number in range(30)]
    first = await catalog.batch("outages", items)
    assert [item["status"] for item in first] == [201] * 30
    again = await catalog.batch("outages", items)
    assert [(item["status"], item["version"]) for item in again] == [(200, 1)] * 30
    listed = (await catalog.get("outages", service_id=service["id"], limit=200))["items"]
    assert {one["state"] for one in listed} == {"ended"}
    (ended,) = await catalog.batch("outages", [{"external_source": "cmdb", "external_id": "3", "ended_at": None}])
    assert ended["version"] == 2
    assert (await catalog.get(f"outages/{ended['id']}"))["state"] == "open"


async def test_a_withdrawn_outage_is_not_brought_back_by_its_import(catalog: Catalog) -> None:
    await catalog.service(key="web-shop")
    (made,) = await catalog.batch("outages", [imported(1)])
    await catalog.move(f"outages/{made['id']}", "withdrawn", reason="A mistake.")
    (same,) = await catalog.batch("outages", [imported(1)])
    assert (same["status"], same["version"]) == (200, 2)
    refused = await catalog.batch("outages", [imported(1, severity="partial")], status=409)
    assert pointers(refused) == [("/items/0", "outage-withdrawn")]
    (labelled,) = await catalog.batch("outages", [imported(1, labels={"cause": "probe"})])
    shown = await catalog.get(f"outages/{made['id']}")
    assert (labelled["version"], shown["labels"], shown["state"]) == (3, {"cause": "probe"}, "withdrawn")


async def test_wrong_items_are_told_with_their_places(catalog: Catalog) -> None:
    await catalog.service(key="web-shop")
    items = [
        imported(1),
        imported(2, service_key="nowhere"),
        imported(3, ended_at="2022-03-26T01:00:00Z"),
        {"external_source": "cmdb", "external_id": "4"},
        imported(5, incident_id="01890a5d-ac96-774b-bcce-b302099a8057"),
    ]
    refused = await catalog.batch("outages", items, status=422)
    assert [pointer for pointer, _ in pointers(refused)] == [
        "/items/1/service_key",
        "/items/2/ended_at",
        "/items/3/service_id",
        "/items/3/severity",
        "/items/3/started_at",
    ]
    answered = await catalog.batch("outages", items, mode="independent")
    assert [item["status"] for item in answered] == [201, 422, 422, 422, 422]


async def test_lists_filter_by_what_outages_have(catalog: Catalog) -> None:
    service = await catalog.service()
    major = await catalog.outage(service)
    partial = await catalog.outage(service, severity="partial", started_at="2026-02-01T00:00:00Z")
    assert [one["id"] for one in (await catalog.get("outages", severity="partial"))["items"]] == [partial["id"]]
    early = await catalog.get("outages", started_at_from="2026-01-01T00:00:00Z", started_at_to="2026-02-01T00:00:00Z")
    assert [one["id"] for one in early["items"]] == [major["id"]]
    both = await catalog.get("outages", sort="-started_at")
    assert [one["id"] for one in both["items"]] == [partial["id"], major["id"]]
