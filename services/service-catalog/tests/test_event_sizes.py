"""The largest resources there may be are told in events of at most 64 KiB; what would be larger is refused.

They are built from the bounds of what clients send, in characters that take four bytes each.
"""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from catalog_api import Catalog, handover_event, pointers
from pydantic import BaseModel

import service_catalog
from chassis.calendars.schemas import NewCalendar
from chassis.calendars.tables import ROOM as CALENDAR_ROOM
from chassis.events.sizes import DATA_MAX, ROOM
from chassis.resource import Resource
from chassis.testkit.databases import Pools
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

WIDE = "\U0001d11e"
LONG = WIDE * 10_000
FORM_MAX = 32 * 1024
STEP = 512
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
UNDER_A_SERVICE = frozenset({"acceptance-criteria", "dependencies"})


class Filling:
    """What a model takes, filled up to so many bytes in the order of its fields."""

    def __init__(self, model: type[BaseModel], bytes_left: int) -> None:
        self._schema = model.model_json_schema()
        self._left = bytes_left
        self._days = (date(2000, 1, 1) + timedelta(days=number) for number in count())

    def fields(self) -> Iterator[tuple[str, Any]]:
        for name, schema in self._schema["properties"].items():
            if name == "form_schema":
                yield name, {"type": "object", "description": self._text(FORM_MAX // 4 - 20)}
            elif name == "form":
                yield name, {"comment": self._text(FORM_MAX // 4 - 20)}
            elif name not in AS_THEY_ARE and (value := self._value(schema)) is not None:
                yield name, value

    def _text(self, length_max: int) -> str:
        length = max(min(length_max, self._left // 4), 0)
        self._left -= 4 * length
        return WIDE * length

    def _value(self, schema: Any) -> Any:
        schema = next((one for one in schema.get("anyOf", ()) if one.get("type") != "null"), schema)
        if "$ref" in schema:
            schema = self._schema["$defs"][schema["$ref"].rpartition("/")[2]]
        match schema.get("type"):
            case "string" if "maxLength" in schema and not schema.get("pattern", "").startswith("^"):
                return self._text(schema["maxLength"]) or None
            case "array":
                return self._items(schema) or None
            case "object" if "properties" in schema:
                return self._object(schema)
            case "object":
                return self._labels(schema["maxProperties"]) or None
            case _:
                return None

    def _items(self, schema: Any) -> list[Any]:
        values = (self._value(schema["items"]) for _ in range(schema["maxItems"]))
        return [value for value in values if value is not None]

    def _object(self, schema: Any) -> Any:
        before, given = self._left, {}
        for name, one in schema["properties"].items():
            is_day = one.get("format") == "date"
            value = next(self._days).isoformat() if is_day and self._left > 0 else self._value(one)
            if value is not None:
                given[name] = value
        if given.keys() >= set(schema.get("required", ())) and given:
            return given
        self._left = before
        return None

    def _labels(self, most: int) -> dict[str, str]:
        return {f"{number:02}{self._text(62)}": self._text(256) for number in range(most) if self._left > 0}


def test_no_resource_is_left_out() -> None:
    slices = Path(service_catalog.__file__).parent.glob("*/tables.py")
    modules = [import_module(f"service_catalog.{path.parent.name}.tables") for path in slices]
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
    body = dict(extra["example"]) | dict(Filling(model, bytes_of_text).fields())
    body.pop("dedup_key", None)
    body |= {name: value for name, value in named.items() if name in body}
    path = f"services/{service['id']}/{collection}" if collection in UNDER_A_SERVICE else collection
    return path, body


async def largest(catalog: Catalog, collection: str) -> tuple[Any, str, Any]:
    """Return the largest resource that is taken, its own path, and why one a little larger is refused."""
    taken, refused = 0, 80_000
    made: Any = None
    refusal: Any = None
    while refused - taken > STEP:
        middle = (taken + refused) // 2
        path, body = await body_of(catalog, collection, middle)
        response = await catalog.send("POST", path, json=body)
        if response.status_code == httpx.codes.CREATED:
            taken, made = middle, (response.json(), path)
        else:
            refused, refusal = middle, (response.json(), body)
    answer, body = refusal
    ((pointer, code),) = pointers(answer)
    assert (code, pointer.removeprefix("/") in body) == ("too-large", True)
    return made[0], f"{made[1]}/{made[0]['id']}", answer


async def sizes(pools: Pools, catalog: Catalog, subject: str) -> list[int]:
    connection = await pools.worker.connect()
    try:
        query = (
            "SELECT octet_length(data::text) AS size FROM event_pending WHERE org = $1 AND subject = $2 ORDER BY seq"
        )
        return [row["size"] for row in await connection.fetch(query, catalog.org, subject)]
    finally:
        await connection.close()


@pytest.mark.parametrize("collection", RESOURCES)
async def test_the_largest_of_each_resource_fits_into_its_event(
    catalog: Catalog, pools: Pools, collection: str
) -> None:
    made, _, _ = await largest(catalog, collection)
    (size,) = await sizes(pools, catalog, f"{collection}/{made['id']}")
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
    made, own, _ = await largest(catalog, collection)
    path = f"{own}/transitions"
    if command["to"] == "resolved":
        await catalog.move(own, "in_progress")
    refused = await catalog.post(path, command, status=422)
    assert pointers(refused) == [(pointer, "too-large")]
    short = command | {pointer.removeprefix("/"): "It is told in a few words. " * 8}
    moved = await catalog.post(path, short, status=200)
    assert moved["state"] == command["to"]
    assert max(await sizes(pools, catalog, f"{collection}/{made['id']}")) <= DATA_MAX


async def test_the_largest_criterion_is_decided(catalog: Catalog, pools: Pools) -> None:
    made, own, _ = await largest(catalog, "acceptance-criteria")
    decision = {"decision": "waived", "reason": LONG, "approver": "joan"}
    assert pointers(await catalog.post(f"{own}/decision", decision, status=422)) == [("/reason", "too-large")]
    await catalog.post(f"{own}/decision", decision | {"reason": "On call from May on."}, status=200)
    assert max(await sizes(pools, catalog, f"acceptance-criteria/{made['id']}")) <= DATA_MAX


async def test_what_grows_bit_by_bit_is_bounded_too(catalog: Catalog, pools: Pools) -> None:
    made, own, _ = await largest(catalog, "changes")
    await catalog.patch(own, {"labels": dict.fromkeys(made["labels"]), "risk": "low"})
    answers: list[httpx.Response] = []
    while not answers or answers[-1].status_code == httpx.codes.OK:
        present = await catalog.get(own)
        headers = {"If-Match": f'"{present["version"]}"'}
        label = {"labels": {f"{len(answers)}": WIDE * 256}}
        answers.append(await catalog.send("PATCH", own, headers=headers, json=label))
    assert len(answers) > 1
    assert pointers(answers[-1].json()) == [("/labels", "too-large")]
    assert ROOM - 2048 < max(await sizes(pools, catalog, f"changes/{made['id']}")) <= DATA_MAX
    await catalog.patch(own, {"description": None})


@pytest.mark.parametrize("schema", [{"description": "x" * (FORM_MAX - 40)}, {"enum": list(range(6700))}])
async def test_a_form_of_32_kibibytes_is_taken(catalog: Catalog, pools: Pools, schema: Any) -> None:
    form = {"type": "object", "properties": {"a": schema}} if "enum" in schema else schema | {"type": "object"}
    assert len(json.dumps(form, separators=(",", ":"))) > FORM_MAX - 1024
    made = await catalog.item(form_schema=form, published=False)
    assert max(await sizes(pools, catalog, f"catalogue-items/{made['id']}")) <= ROOM


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
    assert max(await sizes(pools, catalog, own)) <= ROOM


async def test_a_handover_that_is_too_large_is_put_away(catalog: Catalog) -> None:
    errors = [{"title": f"Error {number}", "workaround": WIDE * 10_000} for number in range(2)]
    event = handover_event(known_errors=errors)
    await catalog.deliver(event)
    await catalog.get(f"handovers/{event['data']['id']}", status=404)
    (item,) = (await catalog.get("quarantine"))["items"]
    assert "/known_errors" in item["reason"]
