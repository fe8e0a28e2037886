"""What a batch tells of maintenance windows: their states, when they really were, and the steps that follow."""

from typing import Any

import pytest
from catalog_api import Catalog, ago

from chassis.testkit.applications import pointers

PATH = "maintenance-windows"
PLANNED = {"planned_start": "2022-03-26T01:00:00Z", "planned_end": "2022-03-26T03:00:00Z"}
ACTUAL = {"actual_start": "2022-03-26T01:10:00Z", "actual_end": "2022-03-26T02:50:00Z"}
AHEAD = {"planned_start": ago(hours=-1), "planned_end": ago(hours=-2)}
LATELY = {"planned_start": ago(hours=1), "planned_end": ago(hours=-2)}
START, END = ("/items/0/actual_start", "/items/0/actual_end")


def imported(**given: Any) -> dict[str, Any]:
    blank = {"external_source": "cmdb", "external_id": "1", "service_keys": ["shop"]}
    return blank | PLANNED | {"announced_at": "2022-03-20T01:00:00Z"} | given


async def written(catalog: Catalog, **given: Any) -> Any:
    """Write one window and return it as it is then."""
    (made,) = await catalog.batch(PATH, [imported(**given)])
    return await catalog.get(f"{PATH}/{made['id']}")


async def steps_of(catalog: Catalog, window: Any) -> list[tuple[Any, str, str]]:
    steps = (await catalog.get(f"{PATH}/{window['id']}/transitions"))["history"]
    return [(step["from"], step["to"], step["at"]) for step in steps]


def actual(window: Any) -> tuple[str, Any, Any]:
    return window["state"], window["actual_start"], window["actual_end"]


@pytest.mark.parametrize(
    ("instants", "state"),
    [
        (ACTUAL, "completed"),
        ({"actual_start": ACTUAL["actual_start"]}, "in_progress"),
    ],
)
async def test_the_state_of_a_known_window_follows_from_its_instants_as_that_of_a_new_one(
    catalog: Catalog, instants: dict[str, str], state: str
) -> None:
    await catalog.service(key="shop")
    known = await written(catalog)
    assert known["state"] == "scheduled"
    moved = await written(catalog, **instants)
    assert actual(moved) == (state, instants["actual_start"], instants.get("actual_end"))
    assert (moved["version"], moved["id"]) == (2, known["id"])
    assert [(source, target) for source, target, _ in await steps_of(catalog, moved)] == [
        (None, "scheduled"),
        ("scheduled", state),
    ]
    assert (await steps_of(catalog, moved))[-1][2] == max(instants.values())
    assert (await written(catalog, **instants))["version"] == 2


async def test_a_window_in_progress_that_has_ended_is_completed(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    await written(catalog, actual_start=ACTUAL["actual_start"])
    ended = await written(catalog, actual_end=ACTUAL["actual_end"])
    assert actual(ended) == ("completed", ACTUAL["actual_start"], ACTUAL["actual_end"])
    assert await steps_of(catalog, ended) == [
        (None, "in_progress", ACTUAL["actual_start"]),
        ("in_progress", "completed", ACTUAL["actual_end"]),
    ]


@pytest.mark.parametrize(
    ("told", "faults"),
    [
        ({"state": "scheduled"} | ACTUAL, [(START, "state-not-reached"), (END, "state-not-reached")]),
        ({"state": "in_progress"} | ACTUAL, [(END, "state-not-reached")]),
        ({"state": "cancelled"} | ACTUAL, [(END, "state-not-reached")]),
        ({"state": "in_progress"}, [(START, "missing")]),
        ({"state": "completed"} | AHEAD, [(START, "missing"), (END, "missing")]),
        ({"state": "completed"} | LATELY, [(END, "missing")]),
        ({"state": "completed", "actual_end": "2022-03-26T00:50:00Z"}, [(START, "missing")]),
        ({"actual_end": "2022-03-26T00:50:00Z"}, [(START, "missing")]),
    ],
)
@pytest.mark.parametrize("known", [False, True])
async def test_no_state_is_told_without_or_against_its_instants(
    catalog: Catalog, told: dict[str, str], faults: list[tuple[str, str]], *, known: bool
) -> None:
    await catalog.service(key="shop")
    if known:
        await written(catalog)
    assert pointers(await catalog.batch(PATH, [imported(**told)], status=422)) == faults


async def test_what_is_completed_took_place_as_planned_where_nothing_else_is_told(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    made = await written(catalog, state="completed")
    assert actual(made) == ("completed", PLANNED["planned_start"], PLANNED["planned_end"])
    assert await steps_of(catalog, made) == [(None, "completed", PLANNED["planned_end"])]
    again = await written(catalog, state="completed", actual_start=None, actual_end=None)
    assert again["version"] == 1
    assert actual(await written(catalog, state="completed", **ACTUAL)) == ("completed", *ACTUAL.values())
    assert actual(await written(catalog, state="completed")) == ("completed", *ACTUAL.values())


async def test_what_really_happened_is_not_taken_back_without_its_state(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    made = await written(catalog, **ACTUAL)
    both = {"actual_start": None, "actual_end": None}
    refused = await catalog.batch(PATH, [imported(**both)], status=422)
    assert pointers(refused) == [(START, "missing"), (END, "missing")]
    back = await written(catalog, state="scheduled", **both)
    assert actual(back) == ("scheduled", None, None)
    assert (await steps_of(catalog, made))[-1][:2] == ("completed", "scheduled")
    assert actual(await written(catalog, state="completed"))[0] == "completed"
    assert actual(await written(catalog, state="scheduled")) == ("scheduled", None, None)


async def test_a_cancelled_window_stays_unless_an_import_tells_its_state(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    made = await written(catalog)
    await catalog.move(f"{PATH}/{made['id']}", "cancelled", reason="Not needed.")
    assert (await written(catalog))["version"] == 2
    assert (await written(catalog, labels={"a": "b"}))["labels"] == {"a": "b"}
    for change in ({"planned_end": "2022-03-26T04:00:00Z"}, ACTUAL):
        refused = await catalog.batch(PATH, [imported(**change)], status=409)
        assert pointers(refused) == [("/items/0", "window-cancelled")]
    back = await written(catalog, state="completed")
    assert (back["state"], back["cancellation_reason"]) == ("completed", None)
