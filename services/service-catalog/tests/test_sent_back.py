"""What was read and is sent back as it is changes nothing, in whatever state it is."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from catalog_api import Catalog, ago

from chassis.testkit.applications import pointers

DOCUMENT = Path(__file__).parents[3] / "docs" / "openapi" / "service-catalog.json"
SCHEMAS = json.loads(DOCUMENT.read_text(encoding="utf-8"))["components"]["schemas"]
FORMER = {"external_source": "desk", "external_id": "1"}


async def imported(catalog: Catalog, collection: str, item: dict[str, Any]) -> str:
    (made,) = await catalog.batch(collection, [FORMER | item])
    return f"{collection}/{made['id']}"


async def service_id(catalog: Catalog) -> str:
    found: str = (await catalog.service())["id"]
    return found


async def an_outage(catalog: Catalog) -> str:
    path = f"outages/{(await catalog.outage(started_at=ago(hours=2), cause='A cable.'))['id']}"
    await catalog.move(path, "withdrawn", reason="It was none.")
    return path


async def a_window(catalog: Catalog) -> str:
    path = f"maintenance-windows/{(await catalog.window())['id']}"
    await catalog.move(path, "cancelled", reason="Not needed.")
    return path


async def an_incident(catalog: Catalog) -> str:
    item = {"service_id": await service_id(catalog), "title": "Down", "state": "resolved", "occurred_at": ago(hours=3)}
    return await imported(catalog, "incidents", item | {"resolved_at": ago(hours=2)})


async def a_problem(catalog: Catalog) -> str:
    item = {"service_id": await service_id(catalog), "title": "Recurs", "state": "closed", "resolution": "Done."}
    return await imported(catalog, "problems", item | {"identified_at": ago(hours=9), "factor": "technical"})


async def an_improvement(catalog: Catalog) -> str:
    window = {"from": "2026-01-01T00:00:00Z", "to": "2026-04-01T00:00:00Z"}
    promised = {"kpi": "availability", "before_window": window, "target": "99.95"}
    item = {"service_id": await service_id(catalog), "title": "Faster", "state": "closed", "outcome": "successful"}
    return await imported(catalog, "improvements", item | {"benefit": promised, "planned_end": "2026-06-30"})


async def a_change(catalog: Catalog) -> str:
    item = {"service_ids": [await service_id(catalog)], "title": "Move it", "state": "cancelled"}
    return await imported(catalog, "changes", item)


KINDS: list[tuple[str, Callable[[Catalog], Awaitable[str]]]] = [
    ("Outage", an_outage),
    ("MaintenanceWindow", a_window),
    ("Incident", an_incident),
    ("Problem", a_problem),
    ("Improvement", an_improvement),
    ("Change", a_change),
]


@pytest.mark.parametrize(("name", "make"), KINDS, ids=[name for name, _ in KINDS])
async def test_what_is_over_may_be_sent_back(
    catalog: Catalog, name: str, make: Callable[[Catalog], Awaitable[str]]
) -> None:
    path = await make(catalog)
    read = await catalog.get(path)
    form = {field: read[field] for field in SCHEMAS[f"{name}Patch"]["properties"] if field in read}
    assert "labels" in form
    assert len(form) > 3
    assert await catalog.patch(path, form) == read
    relabelled = await catalog.patch(path, form | {"labels": {"team": "a"}})
    assert relabelled == read | {
        "labels": {"team": "a"},
        "version": read["version"] + 1,
        "updated_at": relabelled["updated_at"],
    }


async def test_a_resolution_is_corrected_and_never_taken_away(catalog: Catalog) -> None:
    path = f"incidents/{(await catalog.incident())['id']}"
    early = await catalog.patch(path, {"resolution": "Done."}, status=422)
    assert pointers(early) == [("/resolution", "not-allowed")]
    await catalog.move(path, "resolved", resolution="Done,", factor="technical")
    corrected = await catalog.patch(path, {"resolution": "Done."})
    assert (corrected["resolution"], corrected["state"], corrected["reopened_count"]) == ("Done.", "resolved", 0)
    for nothing in (None, " "):
        refused = await catalog.patch(path, {"resolution": nothing}, status=422)
        assert pointers(refused) == [("/resolution", "missing")]
