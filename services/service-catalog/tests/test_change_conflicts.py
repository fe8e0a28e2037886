"""What a change conflicts with, who gets the time, and the maintenance window that a change opens."""

import asyncio
import json
from typing import Any

import pytest
from catalog_api import Catalog, ago, codes, refs

from chassis.testkit.databases import Pools
from chassis.testkit.telling import told
from service_catalog.changes.schemas import Conflicts

STANDARD = {"type": "standard", "risk": "low"}
AHEAD = {"planned_start": ago(hours=-1), "planned_end": ago(hours=-2)}


async def brought(catalog: Catalog, service: Any, *states: str, **given: Any) -> str:
    """Add a change of a service, bring it through these states, and return its path."""
    own = f"changes/{(await catalog.change(service, **given))['id']}"
    for state in states:
        await catalog.move(own, state)
    return own


async def conflicts(catalog: Catalog, own: str) -> list[str]:
    document = await catalog.get(f"{own}/conflicts")
    Conflicts.model_validate_json(json.dumps(document), extra="forbid", strict=True)
    assert document["count"] == len(document["items"])
    kinds = {"change": "changes", "maintenance_window": "maintenance-windows"}
    return [f"{kinds[one['kind']]}/{one['id']}" for one in document["items"]]


async def test_a_conflict_shows_who_when_and_over_what(catalog: Catalog) -> None:
    service = await catalog.service()
    mine = await brought(catalog, service, **STANDARD)
    other = await brought(catalog, service, "requested", "approved")
    window = await catalog.window(service, planned_start="2026-01-05T20:00:00Z", title="Cables")
    shown = (await catalog.get(f"{mine}/conflicts"))["items"]
    assert shown[0] == {
        "kind": "maintenance_window",
        "id": window["id"],
        "title": "Cables",
        "state": "scheduled",
        "planned_start": "2026-01-05T20:00:00Z",
        "planned_end": "2026-01-06T02:00:00Z",
        "actual_start": None,
        "overrun": False,
        "shared_service_ids": [service["id"]],
        "linked_service_ids": [],
        "in_the_way": True,
    }
    assert (shown[1]["kind"], shown[1]["state"], f"changes/{shown[1]['id']}") == ("change", "approved", other)


@pytest.mark.parametrize(
    ("start", "end", "overlaps"),
    [
        ("2026-01-05T20:00:00Z", "2026-01-05T22:00:00Z", False),
        ("2026-01-05T20:00:00Z", "2026-01-05T22:00:01Z", True),
        ("2026-01-05T23:00:00Z", "2026-01-05T23:30:00Z", True),
        ("2026-01-06T01:59:59Z", "2026-01-06T04:00:00Z", True),
        ("2026-01-06T02:00:00Z", "2026-01-06T04:00:00Z", False),
    ],
)
async def test_spans_overlap_with_their_ends_excluded(catalog: Catalog, start: str, end: str, overlaps: bool) -> None:  # noqa: FBT001  (a case of the test)
    service = await catalog.service()
    mine = await brought(catalog, service)
    other = await brought(catalog, service, "requested", "approved", planned_start=start, planned_end=end)
    window = await catalog.window(service, planned_start=start, planned_end=end)
    expected = {other, f"maintenance-windows/{window['id']}"} if overlaps else set()
    assert set(await conflicts(catalog, mine)) == expected


async def test_what_is_not_decided_yet_or_over_is_no_conflict(catalog: Catalog) -> None:
    service = await catalog.service()
    now = {"planned_start": ago(hours=1), "planned_end": ago(hours=-1)}
    mine = await brought(catalog, service, **now)
    await brought(catalog, service, **now)
    await brought(catalog, service, "requested", **now)
    cancelled = await brought(catalog, service, "requested", "approved", **now)
    await catalog.move(cancelled, "cancelled", reason="Not needed.")
    emergency = await brought(catalog, service, type="emergency", **now)
    await catalog.move(emergency, "implementing", reason="It burns.")
    window = f"maintenance-windows/{(await catalog.window(service, **now))['id']}"
    await catalog.move(window, "in_progress")
    assert set(await conflicts(catalog, mine)) == {emergency, window}
    await catalog.move(emergency, "review")
    await catalog.move(window, "completed")
    assert await conflicts(catalog, mine) == []


async def test_a_change_without_a_planned_span_conflicts_with_nothing(catalog: Catalog) -> None:
    service = await catalog.service()
    await brought(catalog, service, "requested", "approved")
    mine = await brought(catalog, service, planned_end=None)
    shown = await catalog.get(f"{mine}/conflicts")
    assert (shown["items"], shown["planned_start"], shown["planned_end"]) == ([], "2026-01-05T22:00:00Z", None)


async def test_a_hard_dependency_away_either_way_is_a_conflict(catalog: Catalog) -> None:
    shop, payments, bank, mail = [await catalog.service() for _ in range(4)]
    for service, other, kind in ((shop, payments, "hard"), (payments, bank, "hard"), (shop, mail, "soft")):
        await catalog.post(f"services/{service['id']}/dependencies", {"depends_on_id": other["id"], "type": kind})
    mine = await brought(catalog, payments)
    above, below = [await brought(catalog, one, "requested", "approved") for one in (shop, bank)]
    assert set(await conflicts(catalog, mine)) == {above, below}
    linked = [(one["shared_service_ids"], one["linked_service_ids"]) for one in await items(catalog, mine)]
    assert sorted(linked) == sorted([([], [shop["id"]]), ([], [bank["id"]])])
    assert await conflicts(catalog, await brought(catalog, mail)) == []
    assert below not in await conflicts(catalog, above)


async def items(catalog: Catalog, own: str) -> list[Any]:
    found: list[Any] = (await catalog.get(f"{own}/conflicts"))["items"]
    return found


async def test_a_conflict_keeps_a_change_from_being_scheduled(catalog: Catalog) -> None:
    service = await catalog.service()
    first = await brought(catalog, service, "scheduled", **STANDARD)
    second = await brought(catalog, service, **STANDARD)
    refused = await catalog.move(second, "scheduled", status=409)
    assert codes(refused) == ["no_conflict"]
    assert first in refused["unmet_guards"][0]["message"]
    assert refs(refused) == [first]
    available = (await catalog.get(f"{second}/transitions"))["available"]
    assert {one["to"]: codes(one) for one in available}["scheduled"] == ["no_conflict"]
    await catalog.move(first, "cancelled", reason="Not needed.")
    await catalog.move(second, "scheduled")


async def test_an_approver_may_accept_conflicts_for_a_reason(catalog: Catalog) -> None:
    service = await catalog.service()
    first = await brought(catalog, service, "scheduled", **STANDARD)
    second = await brought(catalog, service, **STANDARD)
    refused = await catalog.move(second, "scheduled", accept_conflicts=True, status=409)
    assert codes(refused) == ["acceptance_reason_given"]
    writer = catalog.limited_to("catalog:read", "catalog:write")
    await writer.move(second, "scheduled", accept_conflicts=True, reason="Both fit.", status=403)
    await catalog.move(second, "scheduled", accept_conflicts=True, reason="Both fit.")
    step = (await catalog.get(f"{second}/transitions"))["history"][-1]
    assert (step["reason"], step["details"]) == ("Both fit.", {"accepted_conflicts": [first]})


async def test_of_two_approved_for_one_time_the_first_gets_it(catalog: Catalog) -> None:
    service = await catalog.service()
    second, first = await brought(catalog, service, "requested"), await brought(catalog, service, "requested")
    await catalog.move(first, "approved")
    await catalog.move(second, "approved")
    assert [one["in_the_way"] for one in await items(catalog, first)] == [False]
    assert [one["in_the_way"] for one in await items(catalog, second)] == [True]
    assert codes(await catalog.move(second, "scheduled", status=409)) == ["no_conflict"]
    await catalog.move(first, "scheduled")
    assert codes(await catalog.move(second, "scheduled", status=409)) == ["no_conflict"]


async def scheduled_at_once(catalog: Catalog, *changes: str) -> list[int]:
    calls = (catalog.send("POST", f"{own}/transitions", json={"to": "scheduled"}) for own in changes)
    return sorted(answer.status_code for answer in await asyncio.gather(*calls))


async def test_of_changes_scheduled_at_once_over_one_service_one_gets_through(catalog: Catalog) -> None:
    for _ in range(5):
        shop, bank = await catalog.service(), await catalog.service()
        both = [[shop["id"], bank["id"]], [bank["id"], shop["id"]]]
        made = [await brought(catalog, shop, **STANDARD, service_ids=both[number % 2]) for number in range(4)]
        assert await scheduled_at_once(catalog, *made) == [200, 409, 409, 409]
        approved = [await brought(catalog, await catalog.service(), **STANDARD) for _ in range(2)]
        assert await scheduled_at_once(catalog, *approved) == [200, 200]


async def test_of_two_approved_changes_scheduled_at_once_one_gets_through(catalog: Catalog) -> None:
    for _ in range(3):
        service = await catalog.service()
        made = [await brought(catalog, service, "requested", "approved") for _ in range(2)]
        assert await scheduled_at_once(catalog, *made) == [200, 409]


async def test_of_changes_scheduled_at_once_over_linked_services_one_gets_through(catalog: Catalog) -> None:
    for _ in range(5):
        shop, bank = await catalog.service(), await catalog.service()
        link = {"depends_on_id": bank["id"], "type": "hard"}
        await catalog.post(f"services/{shop['id']}/dependencies", link)
        made = [await brought(catalog, one, **STANDARD) for one in (shop, bank)]
        assert await scheduled_at_once(catalog, *made) == [200, 409]


async def windowed(catalog: Catalog, *states: str) -> tuple[str, str]:
    """Add a change that opens a maintenance window, schedule it, and return the paths of both."""
    service = await catalog.service()
    own = await brought(catalog, service, "scheduled", *states, **STANDARD, opens_maintenance_window=True)
    return own, f"maintenance-windows/{(await catalog.get(own))['maintenance_window_id']}"


async def test_a_window_is_announced_begins_and_ends_with_its_change(catalog: Catalog, pools: Pools) -> None:
    own, window = await windowed(catalog)
    change, opened = await catalog.get(own), await catalog.get(window)
    for name in ("title", "service_ids", "planned_start", "planned_end"):
        assert opened[name] == change[name]
    assert (opened["state"], opened["announced_at"]) == ("scheduled", change["state_since"])
    assert await conflicts(catalog, own) == []
    await catalog.move(own, "implementing")
    started = await catalog.get(window)
    assert (started["state"], started["actual_start"]) == ("in_progress", (await catalog.get(own))["actual_start"])
    await catalog.move(own, "review")
    ended = await catalog.get(window)
    assert (ended["state"], ended["actual_end"]) == ("completed", (await catalog.get(own))["actual_end"])
    names = [name.removeprefix("maintenance_window.") for name, *_ in await told(pools, catalog, window)]
    assert names == ["created", "started", "completed"]


async def test_a_window_is_cancelled_with_its_change(catalog: Catalog, pools: Pools) -> None:
    own, window = await windowed(catalog)
    await catalog.move(own, "cancelled", reason="Not needed.")
    cancelled = await catalog.get(window)
    assert (cancelled["state"], cancelled["cancellation_reason"]) == ("cancelled", "Not needed.")
    assert (await told(pools, catalog, window))[-1][0] == "maintenance_window.cancelled"


async def test_a_change_that_is_scheduled_anew_has_one_window(catalog: Catalog) -> None:
    known, service = {"external_source": "itsm", "external_id": "1"}, await catalog.service()
    item = known | STANDARD | AHEAD | {"title": "Move it", "opens_maintenance_window": True}
    (made,) = await catalog.batch("changes", [item | {"service_ids": [service["id"]]}])
    own = f"changes/{made['id']}"
    first = (await catalog.move(own, "scheduled"))["maintenance_window_id"]
    await catalog.batch("changes", [known | {"state": "draft"}])
    second = (await catalog.move(own, "scheduled"))["maintenance_window_id"]
    windows = {one["id"]: one["state"] for one in await catalog.every("maintenance-windows")}
    assert windows == {first: "cancelled", second: "scheduled"}
    assert await conflicts(catalog, own) == []


async def test_a_window_moved_on_by_hand_never_fails_its_change(catalog: Catalog) -> None:
    own, window = await windowed(catalog)
    started = await catalog.move(window, "in_progress")
    await catalog.move(own, "implementing")
    assert await catalog.get(window) == started
    completed = await catalog.move(window, "completed")
    await catalog.move(own, "review")
    assert await catalog.get(window) == completed

    own, window = await windowed(catalog)
    cancelled = await catalog.move(window, "cancelled", reason="By hand.")
    for target in ("implementing", "review"):
        await catalog.move(own, target)
        assert await catalog.get(window) == cancelled

    own, window = await windowed(catalog)
    await catalog.move(window, "in_progress")
    await catalog.move(own, "cancelled", reason="Not needed.")
    assert (await catalog.get(window))["state"] == "cancelled"


async def test_a_window_never_ends_before_it_was_begun_by_hand(catalog: Catalog) -> None:
    own, window = await windowed(catalog)
    implementing = await catalog.move(own, "implementing")
    corrected = await catalog.patch(window, {"actual_start": (await catalog.service())["created_at"]})
    await catalog.move(own, "review", at=implementing["state_since"])
    ended = await catalog.get(window)
    assert (ended["state"], ended["actual_end"]) == ("completed", corrected["actual_start"])


async def test_a_refused_change_opens_no_window(catalog: Catalog) -> None:
    service = await catalog.service()
    await brought(catalog, service, "scheduled", **STANDARD)
    refused = await brought(catalog, service, **STANDARD, opens_maintenance_window=True)
    await catalog.move(refused, "scheduled", status=409)
    assert (await catalog.get("maintenance-windows"))["items"] == []


async def test_of_two_that_schedule_one_change_one_opens_its_window(catalog: Catalog) -> None:
    own = await brought(catalog, await catalog.service(), **STANDARD, opens_maintenance_window=True)
    assert await scheduled_at_once(catalog, own, own) == [200, 409]
    assert len((await catalog.get("maintenance-windows"))["items"]) == 1
