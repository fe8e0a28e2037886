"""Every state of every lifecycle against every command: what the table allows happens, all else is refused."""

from typing import Any

import pytest
from catalog_api import Catalog

from chassis.lifecycle import Lifecycle
from service_catalog.catalogue_items.lifecycle import LIFECYCLE as ITEM
from service_catalog.changes.lifecycle import LIFECYCLE as CHANGE
from service_catalog.improvements.lifecycle import LIFECYCLE as IMPROVEMENT
from service_catalog.improvements.schemas import EXAMPLE as PROPOSED
from service_catalog.incidents.lifecycle import LIFECYCLE as INCIDENT
from service_catalog.maintenance_windows.lifecycle import LIFECYCLE as WINDOW
from service_catalog.outages.lifecycle import LIFECYCLE as OUTAGE
from service_catalog.problems.lifecycle import LIFECYCLE as PROBLEM
from service_catalog.requests.lifecycle import LIFECYCLE as REQUEST
from service_catalog.services.lifecycle import LIFECYCLE as SERVICE

LIFECYCLES: dict[str, Lifecycle[Any]] = {
    "services": SERVICE,
    "incidents": INCIDENT,
    "problems": PROBLEM,
    "outages": OUTAGE,
    "maintenance-windows": WINDOW,
    "changes": CHANGE,
    "improvements": IMPROVEMENT,
    "catalogue-items": ITEM,
    "service-requests": REQUEST,
}
# Ways that are open to changes of one kind only; all others are those of a normal change.
SHORT_CUTS: dict[tuple[str, str], dict[str, Any]] = {
    ("draft", "scheduled"): {"type": "standard", "risk": "low"},
    ("draft", "implementing"): {"type": "emergency"},
    ("requested", "implementing"): {"type": "emergency"},
}
MATRIX = [
    pytest.param(collection, source, target, id=f"{collection}-{source}-{target}")
    for collection, lifecycle in LIFECYCLES.items()
    for source in lifecycle.states
    for target in lifecycle.states
]


_BECAUSE = {"reason": "Because."}
_CAUSE = {"root_cause": "A race.", "workaround": "Restart it."}
# All that a command may need to pass every guard, where it is not a reason alone.
_ORDERS: dict[str, dict[str, dict[str, Any]]] = {
    "incidents": {
        "on_hold": {"hold_reason": "other"},
        "resolved": {"resolution": "Done.", "factor": "unknown"},
        "cancelled": {"reason": "other"},
    },
    "service-requests": {"on_hold": {"hold_reason": "other"}},
    "changes": {"closed": {"outcome": "successful"}},
    "improvements": {"closed": {"outcome": "partial"}},
    "problems": {"known_error": _CAUSE, "resolved": _CAUSE | {"resolution": "Done.", "factor": "technical"}},
}


def order(collection: str, target: str) -> dict[str, Any]:
    """Return all that a command may need to pass every guard."""
    return _ORDERS.get(collection, {}).get(target, {} if collection == "incidents" else _BECAUSE)


def way_to(lifecycle: Lifecycle[Any], state: str) -> list[str]:
    """Return the shortest way from the beginning to a state."""
    ways = {lifecycle.initial: list[str]()}
    while state not in ways:
        for one in lifecycle.transitions:
            if one.source in ways and (one.source, one.target) not in SHORT_CUTS:
                ways.setdefault(one.target, [*ways[one.source], one.target])
    return ways[state]


async def begun(catalog: Catalog, collection: str, short_cut: dict[str, Any]) -> Any:
    """Add one that passes every guard there is; `short_cut` says of which kind it has to be."""
    match collection:
        case "services":
            made = catalog.complete_service()
        case "incidents":
            made = catalog.incident()
        case "problems":
            made = catalog.problem()
        case "outages":
            made = catalog.outage()
        case "maintenance-windows":
            made = catalog.window()
        case "changes":
            made = catalog.change(**short_cut)
        case "improvements":
            about = {"service_id": (await catalog.service())["id"]}
            made = catalog.post("improvements", PROPOSED | about)
        case "catalogue-items":
            made = catalog.item(published=False)
        case "service-requests":
            made = catalog.by("grace").request(await catalog.item(approval_required=True))
        case _:
            raise AssertionError(f"begun() does not say how one of {collection} is added")
    return await made


async def made_in(catalog: Catalog, collection: str, state: str, target: str) -> str:
    own = f"{collection}/{(await begun(catalog, collection, SHORT_CUTS.get((state, target), {})))['id']}"
    for step in way_to(LIFECYCLES[collection], state):
        await catalog.move(own, step, **order(collection, step))
    return own


@pytest.mark.parametrize(("collection", "source", "target"), MATRIX)
async def test_a_command_does_what_the_table_says(catalog: Catalog, collection: str, source: str, target: str) -> None:
    own = await made_in(catalog, collection, source, target)
    before = await catalog.get(own)
    possible = {one.target for one in LIFECYCLES[collection].transitions if one.source == source}
    told = await catalog.get(f"{own}/transitions")
    assert {one["to"] for one in told["available"]} == possible
    if target in possible:
        moved = await catalog.move(own, target, **order(collection, target))
        assert (moved["state"], moved["version"]) == (target, before["version"] + 1)
    else:
        refused = await catalog.move(own, target, status=409, **order(collection, target))
        assert refused["code"] == "transition-not-allowed"
        assert {one["to"] for one in refused["available"]} == possible
        assert await catalog.get(own) == before


@pytest.mark.parametrize("collection", LIFECYCLES)
async def test_a_command_for_a_version_is_for_no_other(catalog: Catalog, collection: str) -> None:
    lifecycle = LIFECYCLES[collection]
    target = next(one.target for one in lifecycle.transitions if one.source == lifecycle.initial)
    own = await made_in(catalog, collection, lifecycle.initial, target)
    await catalog.patch(own, {"labels": {"seen_by": "another"}})
    before = await catalog.get(own)
    version, body = before["version"], {"to": target, **order(collection, target)}

    async def send(seen: int) -> Any:
        return await catalog.send("POST", f"{own}/transitions", json=body, headers={"If-Match": f'"{seen}"'})

    stale = await send(version - 1)
    assert (stale.status_code, stale.json()["current"]) == (412, before)
    moved = await send(version)
    assert (moved.status_code, moved.json()["version"]) == (200, version + 1)


async def test_a_key_with_another_version_is_another_request(catalog: Catalog) -> None:
    own = f"incidents/{(await catalog.incident())['id']}"

    async def acknowledged(seen: str) -> Any:
        headers = {"If-Match": seen, "Idempotency-Key": "once"}
        return await catalog.send("POST", f"{own}/transitions", json={"to": "acknowledged"}, headers=headers)

    first, again, other = await acknowledged('"1"'), await acknowledged('"1"'), await acknowledged('"2"')
    assert [first.status_code, again.status_code, other.status_code] == [200, 200, 422]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert other.json()["code"] == "idempotency-key-reused"


async def test_a_decision_for_a_version_is_for_no_other(catalog: Catalog) -> None:
    criterion = await catalog.criterion(await catalog.service())
    change = await catalog.change(type="emergency")
    await catalog.move(f"changes/{change['id']}", "implementing", reason="It burns.")
    handover = await catalog.handed_over()
    for path, order in (
        (f"services/{criterion['service_id']}/acceptance-criteria/{criterion['id']}/decision", {"decision": "passed"}),
        (f"changes/{change['id']}/approvals", {"reason": "It had to be."}),
        (f"handovers/{handover['id']}/decision", {"decision": "reject", "reason": "Not yet."}),
    ):
        stale = await catalog.by("grace").send("POST", path, json=order, headers={"If-Match": '"77"'})
        assert stale.status_code == 412, path
        version = stale.headers["ETag"]
        done = await catalog.by("grace").send("POST", path, json=order, headers={"If-Match": version})
        assert done.status_code == 200, done.text
