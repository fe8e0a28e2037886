"""The largest resources there may be are told in events of at most 64 KiB; what would be larger is refused."""

import json
from typing import Any

import httpx
import pytest
from catalog_api import Catalog, handover_event
from pydantic import BaseModel

import service_catalog
from chassis.calendars.schemas import NewCalendar
from chassis.calendars.tables import ROOM as CALENDAR_ROOM
from chassis.events.sizes import DATA_MAX, ROOM
from chassis.resource import Resource
from chassis.testkit.applications import pointers
from chassis.testkit.databases import Pools
from chassis.testkit.largest import LONG, STEP, WIDE, Filling, FillOwn, largest
from chassis.testkit.slices import modules_of
from chassis.testkit.telling import sizes_told
from service_catalog.acceptance.schemas import NewCriterion
from service_catalog.catalogue_items.schemas import NewCatalogueItem
from service_catalog.changes.schemas import NewChange
from service_catalog.clocks.documents import PAUSES_TOLD_MAX, told_of
from service_catalog.costs.schemas import NewCost
from service_catalog.dependencies.schemas import NewDependency
from service_catalog.improvements.schemas import NewImprovement
from service_catalog.incidents.schemas import NewIncident
from service_catalog.levels.schemas import NewServiceLevel
from service_catalog.maintenance_windows.schemas import NewMaintenanceWindow
from service_catalog.outages.schemas import NewOutage
from service_catalog.problems.schemas import NewProblem
from service_catalog.requests.schemas import NewServiceRequest
from service_catalog.satisfaction.schemas import NewSurveyInvitation, NewSurveyResponse
from service_catalog.services.schemas import NewService

FORM_MAX = 32 * 1024
AS_THEY_ARE = frozenset(
    {"external_source", "external_id", "dedup_key", "timezone", "service_ids", "holiday_subdivision"}
)
RESOURCES: dict[str, type[BaseModel]] = {
    "services": NewService,
    "acceptance-criteria": NewCriterion,
    "dependencies": NewDependency,
    "service-levels": NewServiceLevel,
    "calendars": NewCalendar,
    "incidents": NewIncident,
    "problems": NewProblem,
    "changes": NewChange,
    "outages": NewOutage,
    "maintenance-windows": NewMaintenanceWindow,
    "survey-invitations": NewSurveyInvitation,
    "survey-responses": NewSurveyResponse,
    "costs": NewCost,
    "improvements": NewImprovement,
    "catalogue-items": NewCatalogueItem,
    "service-requests": NewServiceRequest,
}
FORMS: dict[str, FillOwn] = {
    "form_schema": lambda text: {"type": "object", "description": text(FORM_MAX // 4 - 20)},
    "form": lambda text: {"comment": text(FORM_MAX // 4 - 20)},
}
UNDER_A_SERVICE = frozenset({"acceptance-criteria", "dependencies"})


def test_no_resource_is_left_out() -> None:
    modules = modules_of(service_catalog, "tables")
    collections = {one.collection for module in modules for one in vars(module).values() if isinstance(one, Resource)}
    own = {one for one in collections if not one.startswith("incident-")}  # these are histories of incidents
    assert own - RESOURCES.keys() == {"handovers", "work-notes"}, "name it in RESOURCES"
    assert RESOURCES.keys() <= own


async def body_of(catalog: Catalog, collection: str, bytes_of_text: int) -> tuple[str, dict[str, Any]]:
    """Return a path and what to send there, with about so many bytes of text."""
    model = RESOURCES[collection]
    extra: Any = model.model_config["json_schema_extra"]
    service, other = await catalog.service(), await catalog.service()
    named = {"service_id": service["id"], "service_ids": [service["id"]], "key": f"k{service['key']}"}
    named |= {"depends_on_key": other["key"]}
    if collection == "service-requests":
        form = {"type": "object", "properties": {"comment": {"type": "string"}}}
        named["catalogue_item_id"] = (await catalog.item(service, form_schema=form))["id"]
    filling = Filling(model, bytes_of_text, as_they_are=AS_THEY_ARE, own=FORMS)
    body = dict(extra["example"]) | dict(filling.fields())
    body.pop("dedup_key", None)
    body |= {name: value for name, value in named.items() if name in body}
    path = f"services/{service['id']}/{collection}" if collection in UNDER_A_SERVICE else collection
    return path, body


async def the_largest(catalog: Catalog, collection: str) -> tuple[Any, str]:
    """Return the largest resource that is taken, and its own path."""
    return await largest(catalog, lambda bytes_of_text: body_of(catalog, collection, bytes_of_text))


@pytest.mark.parametrize("collection", RESOURCES)
async def test_the_largest_of_each_resource_fits_into_its_event(
    catalog: Catalog, pools: Pools, collection: str
) -> None:
    made, _ = await the_largest(catalog, collection)
    (size,) = await sizes_told(pools, catalog, f"{collection}/{made['id']}")
    room = CALENDAR_ROOM if collection == "calendars" else ROOM
    assert room - 4 * STEP < size <= room


@pytest.mark.parametrize(
    ("collection", "command", "pointer"),
    [
        ("services", {"to": "cancelled", "reason": LONG}, "/reason"),
        ("incidents", {"to": "acknowledged", "reason": LONG}, "/reason"),
        ("incidents", {"to": "resolved", "resolution": LONG, "factor": "technical"}, "/resolution"),
        ("problems", {"to": "cancelled", "reason": LONG}, "/reason"),
        ("changes", {"to": "cancelled", "reason": LONG}, "/reason"),
        ("outages", {"to": "withdrawn", "reason": LONG}, "/reason"),
        ("maintenance-windows", {"to": "cancelled", "reason": LONG}, "/reason"),
        ("improvements", {"to": "cancelled", "reason": LONG}, "/reason"),
        ("catalogue-items", {"to": "published", "reason": LONG}, "/reason"),
        ("service-requests", {"to": "cancelled", "reason": LONG}, "/reason"),
    ],
)
async def test_a_command_to_the_largest_is_refused_for_a_long_text_and_no_other(
    catalog: Catalog, pools: Pools, collection: str, command: Any, pointer: str
) -> None:
    made, own = await the_largest(catalog, collection)
    path = f"{own}/transitions"
    if command["to"] == "resolved":
        await catalog.move(own, "in_progress")
    refused = await catalog.post(path, command, status=422)
    assert pointers(refused) == [(pointer, "too-large")]
    short = command | {pointer.removeprefix("/"): "It is told in a few words. " * 8}
    moved = await catalog.post(path, short, status=200)
    assert moved["state"] == command["to"]
    assert max(await sizes_told(pools, catalog, f"{collection}/{made['id']}")) <= DATA_MAX


async def test_the_largest_criterion_is_decided(catalog: Catalog, pools: Pools) -> None:
    made, own = await the_largest(catalog, "acceptance-criteria")
    decision = {"decision": "waived", "reason": LONG, "approver": "joan"}
    assert pointers(await catalog.post(f"{own}/decision", decision, status=422)) == [("/reason", "too-large")]
    await catalog.post(f"{own}/decision", decision | {"reason": "On call from May on."}, status=200)
    assert max(await sizes_told(pools, catalog, f"acceptance-criteria/{made['id']}")) <= DATA_MAX


async def test_what_grows_bit_by_bit_is_bounded_too(catalog: Catalog, pools: Pools) -> None:
    made, own = await the_largest(catalog, "changes")
    await catalog.patch(own, {"labels": dict.fromkeys(made["labels"]), "risk": "low"})
    answers: list[httpx.Response] = []
    while not answers or answers[-1].status_code == httpx.codes.OK:
        present = await catalog.get(own)
        headers = {"If-Match": f'"{present["version"]}"'}
        label = {"labels": {f"{len(answers)}": WIDE * 256}}
        answers.append(await catalog.send("PATCH", own, headers=headers, json=label))
    assert len(answers) > 1
    assert pointers(answers[-1].json()) == [("/labels", "too-large")]
    assert ROOM - 2048 < max(await sizes_told(pools, catalog, f"changes/{made['id']}")) <= DATA_MAX
    await catalog.patch(own, {"description": None})


@pytest.mark.parametrize("schema", [{"description": "x" * (FORM_MAX - 40)}, {"enum": list(range(6700))}])
async def test_a_form_of_32_kibibytes_is_taken(catalog: Catalog, pools: Pools, schema: Any) -> None:
    form = {"type": "object", "properties": {"a": schema}} if "enum" in schema else schema | {"type": "object"}
    assert len(json.dumps(form, separators=(",", ":"))) > FORM_MAX - 1024
    made = await catalog.item(form_schema=form, published=False)
    assert max(await sizes_told(pools, catalog, f"catalogue-items/{made['id']}")) <= ROOM


async def test_numbers_that_are_written_out_long_are_measured_as_they_are_told(catalog: Catalog) -> None:
    numbers = [float(f"{digit}e-{places}") for digit in (1, 3) for places in range(100, 300)]
    tiny = {"type": "object", "properties": {"a": {"enum": numbers}}}
    service = await catalog.service()
    new = {"key": "tiny", "service_id": service["id"], "name": "Tiny", "form_schema": tiny}
    assert pointers(await catalog.post("catalogue-items", new, status=422)) == [("/form_schema", "too-large")]


def test_of_a_clock_only_the_newest_pauses_are_told() -> None:
    clock = {"state": "running", "paused": [{"reason": str(number)} for number in range(PAUSES_TOLD_MAX + 50)]}
    told = told_of(clock)
    assert (told["state"], told["paused"][0], len(told["paused"])) == ("running", {"reason": "50"}, PAUSES_TOLD_MAX)


async def test_a_work_note_is_bounded_as_it_is_told(catalog: Catalog) -> None:
    path = f"incidents/{(await catalog.incident())['id']}/timeline"
    await catalog.post(path, {"text": LONG})
    assert pointers(await catalog.post(path, {"text": "\x01" * 9_999 + "a"}, status=422)) == [("/text", "too-large")]


async def test_a_batch_refuses_the_item_that_is_too_large(catalog: Catalog) -> None:
    service = await catalog.service()
    items = [
        {"external_source": "x", "external_id": str(number), "service_id": service["id"], "title": "T"} | texts
        for number, texts in enumerate(({}, {"description": LONG, "root_cause": LONG}, {}))
    ]
    refused = await catalog.batch("problems", items, status=422)
    assert [code for _, code in pointers(refused)] == ["too-large"]
    answered = await catalog.batch("problems", items, mode="independent")
    assert [one["status"] for one in answered] == [201, 422, 201]


async def test_a_rejection_tells_as_many_unmet_criteria_as_there_is_room_for(catalog: Catalog, pools: Pools) -> None:
    demanded = [{"dimension": "people", "text": f"{number} {WIDE * 50}"} for number in range(150)]
    errors = [{"title": f"Error {number}", "workaround": WIDE * 500} for number in range(5)]
    handover = await catalog.handed_over(acceptance_criteria=demanded, known_errors=errors)
    decision = {"decision": "reject", "reason": LONG}
    own = f"handovers/{handover['id']}"
    refused = await catalog.post(f"{own}/decision", decision, status=422)
    assert pointers(refused) == [("/reason", "too-large")]
    rejected = await catalog.post(f"{own}/decision", decision | {"reason": "It cannot be run."}, status=200)
    assert 10 < len(rejected["unmet_criteria"]) < 150
    assert max(await sizes_told(pools, catalog, own)) <= ROOM


async def test_a_handover_that_is_too_large_is_put_away(catalog: Catalog) -> None:
    errors = [{"title": f"Error {number}", "workaround": WIDE * 10_000} for number in range(2)]
    event = handover_event(known_errors=errors)
    await catalog.deliver(event)
    await catalog.get(f"handovers/{event['data']['id']}", status=404)
    (item,) = (await catalog.get("quarantine"))["items"]
    assert "/known_errors" in item["reason"]
