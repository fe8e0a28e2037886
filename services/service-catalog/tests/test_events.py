"""Each write tells one event: the resource as GET shows it, and what changed where its state moved."""

from typing import Any

from catalog_api import Catalog, ready_service

from chassis.testkit.databases import Pools
from chassis.testkit.telling import told


async def test_the_events_of_a_service(catalog: Catalog, pools: Pools) -> None:
    made = await catalog.service(**ready_service())
    own = f"services/{made['id']}"
    changed = await catalog.patch(own, {"name": "Other"})
    moved = await catalog.move(own, "designing", reason="Accepted.")
    change = {"from": "proposed", "to": "designing", "reason": "Accepted.", "actor": "tester"}
    assert await told(pools, catalog, own) == [
        ("service.created", 1, made, None),
        ("service.updated", 2, changed, None),
        ("service.design_started", 3, moved, change),
    ]


async def test_the_last_event_of_a_deleted_service_is_its_last_representation(catalog: Catalog, pools: Pools) -> None:
    made = await catalog.service()
    await catalog.delete(f"services/{made['id']}")
    assert [
        (name, version, data["name"]) for name, version, data, _ in await told(pools, catalog, f"services/{made['id']}")
    ] == [
        ("service.created", 1, made["name"]),
        ("service.deleted", 2, made["name"]),
    ]


async def test_the_events_of_an_incident(catalog: Catalog, pools: Pools) -> None:
    made = await catalog.incident()
    own = f"incidents/{made['id']}"
    steps: list[tuple[str, dict[str, Any]]] = [
        ("acknowledged", {}),
        ("in_progress", {}),
        ("on_hold", {"hold_reason": "other"}),
        ("in_progress", {}),
        ("resolved", {"resolution": "Done.", "factor": "unknown"}),
        ("in_progress", {}),
        ("resolved", {"resolution": "Done."}),
        ("closed", {}),
    ]
    for target, order in steps:
        await catalog.move(own, target, **order)
    events = await told(pools, catalog, own)
    assert [name.removeprefix("incident.") for name, *_ in events] == [
        *("created", "acknowledged", "started", "held", "resumed", "resolved", "reopened", "resolved", "closed"),
    ]
    assert [version for _, version, *_ in events] == list(range(1, 10))
    assert events[-1][2] == await catalog.get(own)
    assert events[-1][3] == {"from": "resolved", "to": "closed", "reason": None, "actor": "tester"}


async def test_the_events_of_outages_and_windows(catalog: Catalog, pools: Pools) -> None:
    outage = f"outages/{(await catalog.outage())['id']}"
    await catalog.patch(outage, {"ended_at": "2026-01-05T12:00:00Z"})
    await catalog.move(outage, "withdrawn", reason="The probe was at fault.")
    assert [name for name, *_ in await told(pools, catalog, outage)] == [
        "outage.created",
        "outage.ended",
        "outage.withdrawn",
    ]
    window = f"maintenance-windows/{(await catalog.window())['id']}"
    await catalog.move(window, "in_progress")
    await catalog.move(window, "completed")
    events = await told(pools, catalog, window)
    assert [name for name, *_ in events] == [
        "maintenance_window.created",
        "maintenance_window.started",
        "maintenance_window.completed",
    ]
    assert events[-1][2] == await catalog.get(window)


async def test_a_batch_tells_of_what_it_changed_only(catalog: Catalog, pools: Pools) -> None:
    item = {"external_source": "x", "external_id": "1", "key": "shop", "name": "Shop", "state": "supporting"}
    (made,) = await catalog.batch("services", [item])
    await catalog.batch("services", [item])
    await catalog.batch("services", [item | {"state": "retiring"}])
    events = await told(pools, catalog, f"services/{made['id']}")
    assert [(name, change and change["to"]) for name, _, _, change in events] == [
        ("service.created", None),
        ("service.updated", "retiring"),
    ]
