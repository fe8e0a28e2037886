from datetime import timedelta

import httpx
import pytest
from catalog_api import Catalog, ago, codes

from chassis import clock
from chassis.ids import new_id
from chassis.testkit.applications import pointers
from service_catalog.maintenance_windows.schemas import EXAMPLE, MaintenanceWindow

PATH = "maintenance-windows"
LATER = (clock.now() + timedelta(days=1)).isoformat()


async def test_a_window_is_what_it_shows(catalog: Catalog) -> None:
    service = await catalog.service()
    made = await catalog.post(PATH, EXAMPLE | {"service_ids": [service["id"], service["id"]]})
    MaintenanceWindow.model_validate_json(httpx.Response(200, json=made).text, extra="forbid", strict=True)
    assert (made["state"], made["service_ids"]) == ("scheduled", [service["id"]])
    assert await catalog.get(f"{PATH}/{made['id']}") == made
    assert (await catalog.get(PATH, service_id=service["id"]))["items"] == [made]
    assert (await catalog.get(PATH, service_id="01890a5d-ac96-774b-bcce-b302099a8057"))["items"] == []


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"planned_end": "2026-01-05T22:00:00Z"}, "/planned_end"),
        ({"actual_start": LATER}, "/actual_start"),
        ({"actual_start": ago(hours=1), "actual_end": ago(hours=2)}, "/actual_end"),
        ({"announced_at": LATER}, "/announced_at"),
        ({"service_ids": []}, "/service_ids"),
        ({"service_ids": ["01890a5d-ac96-774b-bcce-b302099a8057"]}, "/service_ids/0"),
        ({"state": "completed"}, "/state"),
    ],
)
async def test_wrong_fields_are_refused_where_they_are(
    catalog: Catalog, wrong: dict[str, object], pointer: str
) -> None:
    service = await catalog.service()
    blank = {
        "service_ids": [service["id"]],
        "planned_start": "2026-01-05T22:00:00Z",
        "planned_end": "2026-01-06T02:00:00Z",
    }
    assert pointers(await catalog.post(PATH, blank | wrong, status=422))[0][0] == pointer


async def test_what_has_happened_already_tells_the_state(catalog: Catalog) -> None:
    assert (await catalog.window(actual_start=ago(hours=2)))["state"] == "in_progress"
    assert (await catalog.window(actual_start=ago(hours=2), actual_end=ago(hours=1)))["state"] == "completed"


async def test_a_window_starts_and_ends_by_commands(catalog: Catalog) -> None:
    own = f"{PATH}/{(await catalog.window())['id']}"
    early = await catalog.patch(own, {"actual_start": ago(hours=1)}, status=422)
    assert pointers(early) == [("/actual_start", "state-not-reached")]
    started = await catalog.move(own, "in_progress", at="2026-01-05T22:05:00Z")
    assert started["actual_start"] == "2026-01-05T22:05:00Z"
    assert pointers(await catalog.move(own, "completed", at="2026-01-05T22:00:00Z", status=422))[0][0] == "/at"
    assert pointers(await catalog.move(own, "completed", at=LATER, status=422))[0][0] == "/at"
    completed = await catalog.move(own, "completed")
    assert (completed["state"], completed["actual_end"] is not None) == ("completed", True)
    corrected = await catalog.patch(own, {"actual_end": "2026-01-06T01:00:00Z"})
    assert corrected["actual_end"] == "2026-01-06T01:00:00Z"
    steps = (await catalog.get(f"{own}/transitions"))["history"]
    assert {step["to"] for step in steps} == {"scheduled", "in_progress", "completed"}


async def test_a_cancellation_needs_a_reason(catalog: Catalog) -> None:
    own = f"{PATH}/{(await catalog.window())['id']}"
    assert codes(await catalog.move(own, "cancelled", status=409)) == ["reason_given"]
    assert (await catalog.move(own, "cancelled", reason="Not needed."))["cancellation_reason"] == "Not needed."
    assert (await catalog.move(own, "in_progress", status=409))["code"] == "transition-not-allowed"


def imported(number: int, **given: object) -> dict[str, object]:
    return {
        "external_source": "cmdb",
        "external_id": str(number),
        "service_keys": ["shop", "bank"],
        "planned_start": "2022-03-26T01:43:00Z",
        "planned_end": "2022-03-26T03:35:00Z",
        "announced_at": "2022-03-20T01:43:00Z",
        "state": "completed",
    } | given


async def test_a_batch_finds_services_by_key_and_repeats_without_effect(catalog: Catalog) -> None:
    shop, bank = await catalog.service(key="shop"), await catalog.service(key="bank")
    items = [imported(number) for number in range(20)]
    first = await catalog.batch(PATH, items)
    assert [item["status"] for item in first] == [201] * 20
    again = await catalog.batch(PATH, items)
    assert [(item["status"], item["version"]) for item in again] == [(200, 1)] * 20
    shown = await catalog.get(f"{PATH}/{first[0]['id']}")
    assert (shown["state"], shown["service_ids"]) == ("completed", [shop["id"], bank["id"]])
    renamed = {"external_source": "cmdb", "external_id": "0", "title": "Upgrade"}
    (changed,) = await catalog.batch(PATH, [renamed])
    assert changed["version"] == 2
    assert (await catalog.get(f"{PATH}/{changed['id']}"))["state"] == "completed"


async def test_a_state_in_a_batch_needs_the_scope_of_imports(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    writer = catalog.limited_to("catalog:write")
    plain = {name: value for name, value in imported(1, service_keys=["shop"]).items() if name != "state"}
    assert [item["status"] for item in await writer.batch(PATH, [plain])] == [201]
    assert (await writer.batch(PATH, [imported(2)], status=403))["scope"] == "catalog:import"


async def test_wrong_items_are_told_with_their_places(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    items = [
        imported(1, service_keys=["shop", "nowhere"]),
        imported(2, service_keys=["shop"], planned_end="2022-03-26T01:00:00Z"),
        {"external_source": "cmdb", "external_id": "3"},
    ]
    refused = await catalog.batch(PATH, items, status=422)
    assert [pointer for pointer, _ in pointers(refused)] == [
        "/items/0/service_keys/1",
        "/items/1/planned_end",
        "/items/2/service_ids",
        "/items/2/planned_start",
        "/items/2/planned_end",
    ]


async def test_sentences_call_a_window_by_words(catalog: Catalog) -> None:
    missing = await catalog.get(f"{PATH}/{new_id()}", status=404)
    assert missing["detail"] == "There is no such maintenance window."
