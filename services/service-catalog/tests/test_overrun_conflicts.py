"""What has begun occupies its services for as long as it really goes on, whatever was planned."""

from datetime import timedelta
from typing import Any

import pytest
from catalog_api import Catalog, ago, codes

from chassis import clock
from service_catalog.changes.planning import occupied

NOW = clock.now()
LATER = {"planned_start": ago(days=-7), "planned_end": ago(days=-7, hours=-2)}
SINCE_YESTERDAY = {"planned_start": ago(days=1), "planned_end": ago(hours=20)}
STANDARD = {"type": "standard", "risk": "low"}


def at(hours: float) -> Any:
    return NOW + timedelta(hours=hours)


@pytest.mark.parametrize(
    ("state", "planned", "actual", "expected"),
    [
        ("draft", (None, None), (None, None), None),
        ("draft", (at(1), None), (None, None), None),
        ("scheduled", (at(1), at(2)), (None, None), (at(1), at(2))),
        ("scheduled", (at(-2), at(-1)), (None, None), (at(-2), at(-1))),
        ("implementing", (at(-2), at(1)), (at(-1), None), (at(-1), at(1))),
        ("implementing", (at(1), at(2)), (at(-1), None), (at(-1), at(2))),
        ("implementing", (at(-2), at(-1)), (at(-2), None), (at(-2), None)),
        ("implementing", (at(-2), NOW), (at(-2), None), (at(-2), None)),
        ("implementing", (None, None), (at(-1), None), (at(-1), None)),
        ("implementing", (None, None), (None, None), None),
        ("review", (at(-2), at(2)), (at(-1), NOW), (at(-1), NOW)),
        ("closed", (at(-9), at(-8)), (at(-9), at(-3)), (at(-9), at(-3))),
    ],
)
def test_a_change_occupies_the_real_span_as_far_as_it_is_known(
    state: str, planned: Any, actual: Any, expected: Any
) -> None:
    row = {"state": state, "planned_start": planned[0], "planned_end": planned[1]}
    assert occupied(row | {"actual_start": actual[0], "actual_end": actual[1]}, NOW) == expected


async def changed(catalog: Catalog, service: Any, *states: str, **given: Any) -> str:
    own = f"changes/{(await catalog.change(service, **STANDARD, **given))['id']}"
    for state in states:
        await catalog.move(own, state)
    return own


async def windowed(catalog: Catalog, service: Any, **given: Any) -> str:
    return f"maintenance-windows/{(await catalog.window(service, announced_at=ago(days=9), **given))['id']}"


async def items(catalog: Catalog, own: str) -> dict[str, Any]:
    kinds = {"change": "changes", "maintenance_window": "maintenance-windows"}
    return {f"{kinds[one['kind']]}/{one['id']}": one for one in (await catalog.get(f"{own}/conflicts"))["items"]}


async def test_what_has_overrun_is_in_the_way_until_it_ends(catalog: Catalog) -> None:
    service = await catalog.service()
    window = await windowed(catalog, service, **SINCE_YESTERDAY, actual_start=ago(days=1))
    running = await changed(catalog, service, **SINCE_YESTERDAY)
    await catalog.move(running, "scheduled", accept_conflicts=True, reason="Both fit.")
    mine = await changed(catalog, service, **LATER)
    assert set(await items(catalog, mine)) == {window}
    approved = {"approved_by": "joan", "approved_at": ago(days=2)}
    told = {"external_source": "x", "external_id": "1", "title": "Old", "service_ids": [service["id"]], **approved}
    (old,) = await catalog.batch(
        "changes", [told | SINCE_YESTERDAY | {"state": "implementing", "actual_start": ago(days=1)}]
    )
    other = f"changes/{old['id']}"
    found = await items(catalog, mine)
    assert {name: (one["overrun"], one["in_the_way"]) for name, one in found.items()} == {
        window: (True, True),
        other: (True, True),
    }
    assert codes(await catalog.move(mine, "scheduled", status=409)) == ["no_conflict"]
    await catalog.move(window, "completed")
    assert set(await items(catalog, mine)) == {other}
    await catalog.move(other, "review")
    assert await items(catalog, mine) == {}
    await catalog.move(mine, "scheduled")


async def test_what_goes_on_as_planned_is_over_as_planned(catalog: Catalog) -> None:
    service = await catalog.service()
    planned = {"planned_start": ago(hours=3), "planned_end": ago(hours=-1)}
    window = await windowed(catalog, service, **planned, actual_start=ago(hours=2))
    later = await changed(catalog, service, planned_start=ago(hours=-1), planned_end=ago(hours=-2))
    sooner = await changed(catalog, service, planned_start=ago(hours=-0.5), planned_end=ago(hours=-2))
    before = await changed(catalog, service, planned_start=ago(hours=5), planned_end=ago(hours=2.5))
    assert [set(await items(catalog, one)) for one in (later, sooner, before)] == [set(), {window}, set()]
    assert (await items(catalog, sooner))[window]["overrun"] is False


async def test_what_began_early_is_in_the_way_from_then_on(catalog: Catalog) -> None:
    service = await catalog.service()
    window = await windowed(catalog, service, **LATER)
    mine = await changed(catalog, service, planned_start=ago(minutes=10), planned_end=ago(hours=-2))
    assert await items(catalog, mine) == {}
    started = await catalog.move(window, "in_progress")
    found = await items(catalog, mine)
    assert (list(found), found[window]["actual_start"]) == ([window], started["actual_start"])
    await catalog.move(window, "completed")
    assert await items(catalog, mine) == {}


async def test_what_ended_early_is_in_the_way_no_longer(catalog: Catalog) -> None:
    service = await catalog.service()
    running = await changed(catalog, service, "scheduled", planned_start=ago(hours=1), planned_end=ago(hours=-9))
    mine = await changed(catalog, service, planned_start=ago(hours=-2), planned_end=ago(hours=-3))
    assert codes(await catalog.move(mine, "scheduled", status=409)) == ["no_conflict"]
    await catalog.move(running, "implementing")
    assert codes(await catalog.move(mine, "scheduled", status=409)) == ["no_conflict"]
    await catalog.move(running, "review")
    assert await items(catalog, mine) == {}
    await catalog.move(mine, "scheduled")


async def test_an_emergency_without_a_plan_occupies_its_services_until_it_ends(catalog: Catalog) -> None:
    service = await catalog.service()
    unplanned = {"type": "emergency", "planned_start": None, "planned_end": None}
    emergency = f"changes/{(await catalog.change(service, **unplanned))['id']}"
    mine = await changed(catalog, service, **LATER)
    assert (await items(catalog, emergency), await items(catalog, mine)) == ({}, {})
    await catalog.move(emergency, "implementing", reason="It burns.")
    shown = (await items(catalog, mine))[emergency]
    assert (shown["planned_start"], shown["planned_end"], shown["overrun"]) == (None, None, False)
    await catalog.move(mine, "scheduled", accept_conflicts=True, reason="It will be over by then.")
    assert set(await items(catalog, emergency)) == {mine}
    await catalog.move(emergency, "review")
    assert await items(catalog, mine) == {}
