"""What stays of a maintenance window: what its state rests on, all of a cancelled one, what a change leads."""

from typing import Any

import pytest
from catalog_api import Catalog, ago

from chassis.testkit.applications import pointers

PATH = "maintenance-windows"
STANDARD = {"type": "standard", "risk": "low", "opens_maintenance_window": True}


async def steps_of(catalog: Catalog, own: str) -> list[tuple[str, str]]:
    return [(step["to"], step["at"]) for step in (await catalog.get(f"{own}/transitions"))["history"]]


async def test_what_has_happened_is_corrected_but_not_taken_back(catalog: Catalog) -> None:
    own = f"{PATH}/{(await catalog.window(actual_start=ago(hours=2)))['id']}"
    assert pointers(await catalog.patch(own, {"actual_start": None}, status=422)) == [("/actual_start", "missing")]
    await catalog.move(own, "completed")
    refused = await catalog.patch(own, {"actual_start": None, "actual_end": None}, status=422)
    assert pointers(refused) == [("/actual_start", "missing"), ("/actual_end", "missing")]
    scheduled = f"{PATH}/{(await catalog.window())['id']}"
    assert (await catalog.patch(scheduled, {"actual_start": None}))["version"] == 1


async def test_an_end_is_told_with_its_start(catalog: Catalog) -> None:
    service = await catalog.service()
    new = {"service_ids": [service["id"]], "planned_start": ago(hours=2), "planned_end": ago(hours=1)}
    refused = await catalog.post(PATH, new | {"actual_end": ago(hours=1)}, status=422)
    assert pointers(refused) == [("/actual_start", "missing")]


async def test_a_cancelled_window_stays_as_it_is(catalog: Catalog) -> None:
    own = f"{PATH}/{(await catalog.window(announced_at='2026-01-01T00:00:00Z'))['id']}"
    await catalog.move(own, "cancelled", reason="Not needed.")
    for change in (
        {"planned_end": "2026-01-06T03:00:00Z"},
        {"announced_at": "2026-01-02T00:00:00Z"},
        {"title": "Another"},
        {"labels": {"a": "b"}, "description": "More."},
    ):
        assert (await catalog.patch(own, change, status=409))["code"] == "window-cancelled"
    assert (await catalog.patch(own, {"labels": {"a": "b"}}))["labels"] == {"a": "b"}


async def test_a_window_is_cancelled_after_its_last_step(catalog: Catalog) -> None:
    scheduled = await catalog.window()
    own = f"{PATH}/{scheduled['id']}"
    early: dict[str, Any] = {"at": "2026-01-05T21:00:00Z", "reason": "Not needed."}
    assert pointers(await catalog.move(own, "cancelled", status=422, **early)) == [("/at", "before-last")]
    begun = await catalog.move(own, "in_progress", at="2026-01-05T22:05:00Z")
    assert pointers(await catalog.move(own, "cancelled", status=422, **early)) == [("/at", "before-last")]
    late = early | {"at": ago(hours=-1)}
    assert pointers(await catalog.move(own, "cancelled", status=422, **late)) == [("/at", "in-the-future")]
    await catalog.move(own, "cancelled", **early | {"at": "2026-01-05T22:30:00Z"})
    assert await steps_of(catalog, own) == [
        ("scheduled", begun["actual_start"]),
        ("in_progress", begun["actual_start"]),
        ("cancelled", "2026-01-05T22:30:00Z"),
    ]


async def test_the_steps_of_a_window_are_those_of_its_actual_span(catalog: Catalog) -> None:
    own = f"{PATH}/{(await catalog.window(actual_start='2026-01-05T22:30:00Z'))['id']}"
    await catalog.move(own, "completed", at="2026-01-05T22:50:00Z")
    corrected = {"actual_start": "2026-01-05T22:10:00Z", "actual_end": "2026-01-05T22:20:00Z"}
    await catalog.patch(own, corrected)
    assert await steps_of(catalog, own) == [
        ("in_progress", corrected["actual_start"]),
        ("completed", corrected["actual_end"]),
    ]


async def led(catalog: Catalog, *states: str) -> tuple[str, str]:
    """Schedule a change that opens a window; returns the paths of both."""
    own = f"changes/{(await catalog.change(**STANDARD))['id']}"
    for state in ("scheduled", *states):
        await catalog.move(own, state)
    return own, f"{PATH}/{(await catalog.get(own))['maintenance_window_id']}"


@pytest.mark.parametrize("states", [(), ("implementing",)])
async def test_the_window_of_a_change_is_not_planned_otherwise_while_the_change_leads_it(
    catalog: Catalog, states: tuple[str, ...]
) -> None:
    own, window = await led(catalog, *states)
    moved = {"planned_start": "2026-01-05T21:00:00Z", "planned_end": "2026-01-06T03:00:00Z"}
    others = {"service_ids": [(await catalog.service())["id"]]}
    refused = await catalog.patch(window, moved | others | {"title": "Another"}, status=409)
    assert (refused["code"], refused["fields"]) == ("window-led", ["planned_end", "planned_start", "service_ids"])
    assert (own in refused["detail"], refused["change_id"]) == (True, own.removeprefix("changes/"))
    same: Any = {name: (await catalog.get(window))[name] for name in (*moved, *others)}
    assert (await catalog.patch(window, same | {"title": "Another"}))["title"] == "Another"


async def test_the_window_of_a_change_that_is_over_may_be_set_right(catalog: Catalog) -> None:
    _, window = await led(catalog, "implementing", "review")
    assert (await catalog.patch(window, {"planned_end": "2026-01-06T03:00:00Z"}))["state"] == "completed"
