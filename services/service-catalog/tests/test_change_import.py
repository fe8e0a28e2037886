import asyncio
from datetime import timedelta
from typing import Any

import pytest
from catalog_api import Catalog, ago, codes

from chassis import clock
from chassis.testkit.applications import pointers
from chassis.testkit.databases import Pools
from chassis.testkit.telling import told

LATER = (clock.now() + timedelta(days=1)).isoformat()
HISTORY = [
    {"state": "draft", "at": "2025-04-01T09:00:00Z"},
    {"state": "requested", "at": "2025-04-02T09:00:00Z"},
    {"state": "approved", "at": "2025-04-09T09:00:00Z", "reason": "The board said yes."},
    {"state": "scheduled", "at": "2025-04-09T10:00:00Z"},
    {"state": "implementing", "at": "2025-04-13T07:00:00Z"},
    {"state": "review", "at": "2025-04-13T08:30:00Z"},
    {"state": "closed", "at": "2025-04-14T14:00:00Z"},
]


def imported(number: int, **given: Any) -> dict[str, Any]:
    return {
        "external_source": "itsm",
        "external_id": str(number),
        "service_keys": ["shop"],
        "title": f"Change {number}",
        "risk": "low",
        "requester": "grace",
        "planned_start": "2025-04-13T07:00:00Z",
        "planned_end": "2025-04-13T09:00:00Z",
    } | given


async def test_a_history_is_brought_along(catalog: Catalog, pools: Pools) -> None:
    await catalog.service(key="shop")
    item = imported(1, history=HISTORY[::-1], outcome="successful", approved_by="joan")
    (made,) = await catalog.batch("changes", [item])
    own = f"changes/{made['id']}"
    shown = await catalog.get(own)
    assert (shown["state"], shown["state_since"], shown["outcome"]) == ("closed", "2025-04-14T14:00:00Z", "successful")
    assert (shown["approved_at"], shown["approved_by"]) == ("2025-04-09T09:00:00Z", "joan")
    assert (shown["actual_start"], shown["actual_end"]) == ("2025-04-13T07:00:00Z", "2025-04-13T08:30:00Z")
    for unsaid in ({}, dict.fromkeys(("approved_at", "actual_start", "actual_end"))):
        (same,) = await catalog.batch("changes", [item | unsaid])
        assert (same["status"], same["version"]) == (200, 1)
    steps = (await catalog.get(f"{own}/transitions"))["history"]
    before = [None, *(one["state"] for one in HISTORY[:-1])]
    assert [(step["from"], step["to"], step["at"]) for step in steps] == [
        (source, one["state"], one["at"]) for source, one in zip(before, HISTORY, strict=True)
    ]
    assert (steps[2]["reason"], steps[-1]["details"]) == ("The board said yes.", {"outcome": "successful"})
    assert await told(pools, catalog, own) == [("change.created", 1, shown, None)]


async def test_a_longer_history_adds_its_new_steps(catalog: Catalog, pools: Pools) -> None:
    await catalog.service(key="shop")
    await catalog.batch("changes", [imported(1, history=HISTORY[:4])])
    (moved,) = await catalog.batch("changes", [imported(1, history=HISTORY, outcome="failed")])
    own = f"changes/{moved['id']}"
    steps = (await catalog.get(f"{own}/transitions"))["history"]
    assert [step["to"] for step in steps] == [one["state"] for one in HISTORY]
    assert (moved["version"], (await catalog.get(own))["outcome"]) == (2, "failed")
    told_last = (await told(pools, catalog, own))[-1]
    assert told_last[3] == {"from": "scheduled", "to": "closed", "reason": None, "actor": "tester"}


async def test_a_state_may_be_told_alone(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    items = [
        imported(1, state="approved", approved_at="2025-04-09T09:00:00Z"),
        imported(2, state="review", actual_start="2025-04-13T07:00:00Z", actual_end="2025-04-13T08:00:00Z"),
        imported(3, state="rejected"),
        imported(4, history=[{"state": "cancelled", "at": "2025-04-09T09:00:00Z", "reason": "Not needed."}]),
        imported(5),
    ]
    made = await catalog.batch("changes", items)
    shown = [await catalog.get(f"changes/{one['id']}") for one in made]
    assert [one["state"] for one in shown] == ["approved", "review", "rejected", "cancelled", "draft"]
    assert [one["state_since"] for one in shown[:2]] == ["2025-04-09T09:00:00Z", "2025-04-13T08:00:00Z"]
    assert shown[3]["cancellation_reason"] == "Not needed."
    again = await catalog.batch("changes", items)
    assert [(one["status"], one["version"]) for one in again] == [(200, 1)] * 5


async def test_what_was_scheduled_elsewhere_begins_only_if_it_was_approved(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    (made,) = await catalog.batch("changes", [imported(1, state="scheduled")])
    own = f"changes/{made['id']}"
    assert codes(await catalog.move(own, "implementing", status=409)) == ["approved"]
    approval = {"approved_at": "2025-04-09T09:00:00Z", "approved_by": "joan"}
    await catalog.batch("changes", [{"external_source": "itsm", "external_id": "1"} | approval])
    assert (await catalog.move(own, "implementing"))["approved_by"] == "joan"


async def test_the_past_is_held_against_nothing_and_opens_no_window(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    told_so = {"state": "scheduled", "opens_maintenance_window": True}
    made = await catalog.batch("changes", [imported(number, **told_so) for number in range(3)])
    assert [one["status"] for one in made] == [201] * 3
    assert (await catalog.get("maintenance-windows"))["items"] == []
    assert (await catalog.get(f"changes/{made[0]['id']}/conflicts"))["count"] == 2


async def test_the_past_needs_the_scope_of_imports_and_is_checked(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    writer = catalog.limited_to("catalog:write")
    assert [item["status"] for item in await writer.batch("changes", [imported(1)])] == [201]
    for told_too in (
        {"state": "approved"},
        {"history": HISTORY},
        {"outcome": "failed"},
        {"actual_start": "2025-04-13T07:00:00Z"},
        {"approved_by": "joan"},
    ):
        assert (await writer.batch("changes", [imported(2, **told_too)], status=403))["scope"] == "catalog:import"
    items = [
        imported(3, state="closed"),
        imported(4, outcome="failed", actual_end="2025-04-13T07:00:00Z"),
        imported(5, history=HISTORY, outcome="failed", state="draft"),
        imported(6, state="implementing", actual_start=LATER),
        imported(7, state="review", actual_start="2025-04-13T07:00:00Z", actual_end="2025-04-13T06:00:00Z"),
        imported(8, planned_end="2025-04-13T07:00:00Z", service_keys=["shop", "nowhere"]),
        {"external_source": "itsm", "external_id": "9"},
        imported(10, state="requested", approved_by="joan"),
    ]
    assert pointers(await catalog.batch("changes", items, status=422)) == [
        ("/items/0/outcome", "missing"),
        ("/items/1/actual_end", "state-not-reached"),
        ("/items/1/outcome", "state-not-reached"),
        ("/items/2/state", "state-differs"),
        ("/items/3/actual_start", "in-the-future"),
        ("/items/4/actual_end", "before-start"),
        ("/items/5/service_keys/1", "reference-unknown"),
        ("/items/5/planned_end", "before-start"),
        ("/items/6/service_ids", "missing"),
        ("/items/6/title", "missing"),
        ("/items/7/approved_by", "state-not-reached"),
    ]


async def test_a_batch_changes_what_is_sent_only(catalog: Catalog) -> None:
    service = await catalog.service(key="shop")
    (made,) = await catalog.batch("changes", [imported(1, type="standard", description="All of it")])
    own = f"changes/{made['id']}"
    before = await catalog.get(own)
    assert (before["requester"], before["service_ids"]) == ("grace", [service["id"]])
    (changed,) = await catalog.batch("changes", [{"external_source": "itsm", "external_id": "1", "implementer": "ada"}])
    after = await catalog.get(own)
    assert (changed["version"], after["implementer"]) == (2, "ada")
    same = before.keys() - {"implementer", "version", "updated_at"}
    assert {name: after[name] for name in same} == {name: before[name] for name in same}


async def test_what_was_approved_stays_in_a_batch_too(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    (made,) = await catalog.batch("changes", [imported(1, state="approved")])
    items = [imported(1, risk="high"), imported(2)]
    refused, added = await catalog.batch("changes", items, mode="independent")
    assert (refused["status"], refused["problem"]["code"], added["status"]) == (409, "change-fixed", 201)
    assert pointers(await catalog.batch("changes", items, status=409)) == [("/items/0", "change-fixed")]
    (renamed,) = await catalog.batch("changes", [imported(1, title="Other")])
    assert (renamed["id"], renamed["version"]) == (made["id"], 2)
    (corrected,) = await catalog.batch("changes", [imported(1, risk="high", state="approved", title="Other")])
    assert (await catalog.get(f"changes/{corrected['id']}"))["risk"] == "high"


@pytest.mark.parametrize(
    ("path", "item"),
    [
        ("changes", {"title": "Move it", "state": "approved"}),
        ("maintenance-windows", {"planned_start": ago(hours=-1), "planned_end": ago(hours=-2)}),
    ],
)
async def test_services_in_another_order_are_the_same(catalog: Catalog, path: str, item: dict[str, Any]) -> None:
    ids = [(await catalog.service(key=key))["id"] for key in ("one", "other", "third")]
    known = {"external_source": "itsm", "external_id": "1"}
    (made,) = await catalog.batch(path, [known | item | {"service_ids": ids}])
    (same,) = await catalog.batch(path, [known | {"service_keys": ["third", "one", "other"]}])
    patched = await catalog.patch(f"{path}/{made['id']}", {"service_ids": [*ids[::-1], ids[0]]})
    assert (same["version"], patched["version"], patched["service_ids"]) == (1, 1, ids)


async def test_a_batch_is_all_or_nothing_or_each_by_itself(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    nobody = "01890a5d-ac96-774b-bcce-b302099a8057"
    items = [imported(1), imported(2, incident_id=nobody)]
    assert pointers(await catalog.batch("changes", items, status=422)) == [
        ("/items/1/incident_id", "reference-unknown")
    ]
    assert (await catalog.get("changes"))["items"] == []
    answered = await catalog.batch("changes", items, mode="independent")
    assert [item["status"] for item in answered] == [201, 422]
    assert len((await catalog.get("changes"))["items"]) == 1


async def test_two_equal_batches_create_each_change_once(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    items = [imported(number, history=HISTORY, outcome="successful") for number in range(20)]
    answers = await asyncio.gather(*(catalog.batch("changes", items) for _ in range(3)))
    assert len({tuple(item["id"] for item in answer) for answer in answers}) == 1
    steps = (await catalog.get(f"changes/{answers[0][0]['id']}/transitions"))["history"]
    assert len(steps) == len(HISTORY)
