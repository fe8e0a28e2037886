"""An import that tells a known history otherwise: the steps in force are those told last, and nothing is lost."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx
import pytest
from catalog_api import APPROVER, Catalog, codes

from chassis.caller import Caller
from chassis.testkit.applications import checked
from chassis.testkit.databases import Pools
from chassis.testkit.telling import told

DAY = "2025-03-03T"
WHY = "It was another one."


@dataclass(frozen=True)
class Kind:
    """What has a history, and a history of it; a step is written `state@HH:MM`, with a hold's reason after a slash."""

    collection: str
    event: str
    item: dict[str, Any]
    first: str
    second: str
    moved: str
    going_on: str
    ends: str
    begins: str | None = None
    more: dict[str, Any] = field(default_factory=dict)


KINDS = [
    Kind(
        collection="incidents",
        event="incident",
        item={"service_key": "shop", "title": "It was down", "occurred_at": f"{DAY}09:00:00Z"},
        first="acknowledged@09:10",
        second="on_hold@09:30/awaiting_vendor",
        moved="on_hold@09:55/awaiting_caller",
        going_on="in_progress@10:00",
        ends="resolved@16:00",
        begins="occurred_at",
        more={"resolution": "Back again.", "factor": "supplier"},
    ),
    Kind(
        collection="problems",
        event="problem",
        item={"service_key": "shop", "title": "It recurs", "identified_at": f"{DAY}08:00:00Z"},
        first="open@09:10",
        second="investigating@09:30",
        moved="investigating@09:55",
        going_on="known_error@10:00",
        ends="resolved@16:00",
        begins="identified_at",
        more={"resolution": "Done."},
    ),
    Kind(
        collection="changes",
        event="change",
        item={"service_keys": ["shop"], "title": "Move it"},
        first="draft@09:10",
        second="requested@09:30",
        moved="requested@09:55",
        going_on="approved@10:00",
        ends="closed@16:00",
        more={"outcome": "successful"},
    ),
    Kind(
        collection="service-requests",
        event="service_request",
        item={"catalogue_item_key": "laptop", "requester": "grace", "form": {}, "submitted_at": f"{DAY}09:00:00Z"},
        first="approved@09:10",
        second="on_hold@09:30/awaiting_requester",
        moved="on_hold@09:55/awaiting_vendor",
        going_on="in_fulfilment@10:00",
        ends="fulfilled@16:00",
        begins="submitted_at",
        more={"outcome": "On the desk."},
    ),
    Kind(
        collection="improvements",
        event="improvement",
        item={"service_key": "shop", "title": "Make it faster"},
        first="proposed@09:10",
        second="approved@09:30",
        moved="approved@09:30",
        going_on="in_progress@10:00",
        ends="closed@16:00",
        more={"outcome": "successful"},
    ),
]
EACH = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.collection)
INCIDENTS, PROBLEMS, CHANGES, REQUESTS = KINDS[:4]

WANTED: dict[str, Any] = {
    "requester": "alan",
    "risk": "low",
    "backout_plan": "Back.",
    "planned_start": f"{DAY}20:00:00Z",
    "planned_end": f"{DAY}22:00:00Z",
}


def step(written: str, **given: Any) -> dict[str, Any]:
    state, _, rest = written.partition("@")
    at, _, hold_reason = rest.partition("/")
    held = {"hold_reason": hold_reason} if hold_reason else {}
    return {"state": state, "at": f"{DAY}{at}:00Z"} | held | given


def item_of(kind: Kind, number: int, *steps: str | dict[str, Any], **given: Any) -> dict[str, Any]:
    history = [step(one) if isinstance(one, str) else one for one in steps]
    ended = kind.more if kind.ends in steps else {}
    named = {"external_source": "desk", "external_id": str(number), "history": history}
    return kind.item | ended | named | given


def whole_of(kind: Kind, number: int = 1, **given: Any) -> dict[str, Any]:
    return item_of(kind, number, kind.first, kind.second, kind.going_on, kind.ends, **given)


def moved_of(kind: Kind, number: int = 1, **given: Any) -> dict[str, Any]:
    """Return the same item with another second step, which its row does not show."""
    return item_of(kind, number, kind.first, step(kind.moved, reason=WHY), kind.going_on, kind.ends, **given)


async def prepare(catalog: Catalog) -> None:
    service = await catalog.service(key="shop")
    await catalog.item(service, key="laptop", fulfilment_target_minutes=240)


async def imported(catalog: Catalog, kind: Kind, item: Any) -> Any:
    (answered,) = await catalog.batch(kind.collection, [item])
    return answered | {"own": f"{kind.collection}/{answered['id']}"}


async def sent(catalog: Catalog, kind: Kind, item: Any) -> httpx.Response:
    return await catalog.send("POST", f"{kind.collection}:batch", json={"mode": "atomic", "items": [item]})


async def steps_of(catalog: Catalog, own: str) -> list[tuple[Any, ...]]:
    steps = (await catalog.get(f"{own}/transitions"))["history"]
    names = ("from", "to", "at", "reason", "details")
    return [tuple(one[name] for name in names) for one in steps]


async def kept(pools: Pools, catalog: Catalog, own: str) -> list[tuple[str, str, bool]]:
    """Return all steps in the table, oldest first as they were recorded: state, time of day, whether superseded."""
    collection, _, id_ = own.partition("/")
    async with pools.worker.begin(Caller(org=catalog.org, subject="tester"), read_only=True) as tx:
        rows = await tx.connection.fetch(
            "SELECT to_state, at, superseded_at FROM history_entry WHERE collection = $1 AND resource_id = $2"
            " ORDER BY place",
            collection,
            id_,
        )
    return [(row["to_state"], f"{row['at']:%H:%M}", row["superseded_at"] is not None) for row in rows]


@EACH
async def test_a_step_told_otherwise_takes_the_place_of_the_recorded_one(
    catalog: Catalog, pools: Pools, kind: Kind
) -> None:
    await prepare(catalog)
    made = await imported(catalog, kind, whole_of(kind))
    recorded = await kept(pools, catalog, made["own"])
    before = await catalog.get(made["own"])

    again = await imported(catalog, kind, moved_of(kind))
    assert (again["status"], again["version"], again["id"]) == (200, 2, made["id"])
    fresh = await imported(catalog, kind, moved_of(kind, 2))
    assert await steps_of(catalog, made["own"]) == await steps_of(catalog, fresh["own"])
    (moved,) = (one for one in await steps_of(catalog, made["own"]) if one[3] is not None)
    assert moved[1:4] == (step(kind.moved)["state"], step(kind.moved)["at"], WHY)
    assert moved[4].get("hold_reason") == step(kind.moved).get("hold_reason")

    everything = await kept(pools, catalog, made["own"])
    assert [one[:2] for one in everything[: len(recorded)]] == [one[:2] for one in recorded]
    assert [superseded for *_, superseded in everything] == [*[False] * (len(recorded) - 3), *[True] * 3, *[False] * 3]

    after = await catalog.get(made["own"])
    assert after == before | {name: after[name] for name in ("version", "updated_at")}
    events = await told(pools, catalog, made["own"])
    assert [(name, version, change) for name, version, _, change in events] == [
        (f"{kind.event}.created", 1, None),
        (f"{kind.event}.updated", 2, None),
    ]
    assert events[-1][2] == after


@EACH
async def test_the_same_history_again_writes_nothing(catalog: Catalog, pools: Pools, kind: Kind) -> None:
    await prepare(catalog)
    made = await imported(catalog, kind, whole_of(kind))
    tellings = (whole_of(kind), moved_of(kind), moved_of(kind))
    assert [(await imported(catalog, kind, item))["version"] for item in tellings] == [1, 2, 2]
    everything = await kept(pools, catalog, made["own"])
    same = await sent(catalog, kind, moved_of(kind))
    assert (checked(same, 200)["items"][0]["version"], same.headers.get("Event-Id")) == (2, None)
    assert await kept(pools, catalog, made["own"]) == everything
    assert len(await told(pools, catalog, made["own"])) == 2

    back = await sent(catalog, kind, whole_of(kind))
    assert (checked(back, 200)["items"][0]["version"], "Event-Id" in back.headers) == (3, True)


@EACH
async def test_what_was_done_here_after_the_last_step_told_is_taken_back(
    catalog: Catalog, pools: Pools, kind: Kind
) -> None:
    await prepare(catalog)
    item = item_of(kind, 1, kind.first, kind.second, kind.going_on)
    made = await imported(catalog, kind, item)
    before, steps = await catalog.get(made["own"]), await steps_of(catalog, made["own"])
    reason = "duplicate" if kind is INCIDENTS else "Nobody wants it."
    await catalog.move(made["own"], "cancelled", reason=reason)

    again = await imported(catalog, kind, item)
    after = await catalog.get(made["own"])
    assert again["version"] == 3
    assert after == before | {name: after[name] for name in ("version", "updated_at")}
    assert await steps_of(catalog, made["own"]) == steps
    assert [to for to, _, superseded in await kept(pools, catalog, made["own"]) if superseded] == ["cancelled"]


@pytest.mark.parametrize(("kind", "path"), [(INCIDENTS, "sla"), (REQUESTS, "fulfilment")], ids=["sla", "fulfilment"])
async def test_a_hold_moved_in_the_middle_changes_the_clocks(catalog: Catalog, kind: Kind, path: str) -> None:
    await prepare(catalog)
    urgent = {"impact": "high", "urgency": "high"} if kind is INCIDENTS else {}
    held, going_on = kind.second, kind.going_on.replace("10:00", "15:00")

    async def clock_of(number: int, on_hold: str) -> Any:
        item = item_of(kind, number, kind.first, on_hold, going_on, kind.ends, **urgent)
        shown = await catalog.get(f"{(await imported(catalog, kind, item))['own']}/{path}")
        return shown["clock"] if path == "fulfilment" else shown["clocks"][-1]

    before = await clock_of(1, held)
    after = await clock_of(1, held.replace("09:30", "14:00"))
    assert (before["state"], after["state"], after["breached_at"] is None) == ("met", "breached", False)
    assert after == await clock_of(2, held.replace("09:30", "14:00"))
    assert before == await clock_of(1, held)


@pytest.mark.parametrize(
    ("kind", "last"),
    [(INCIDENTS, INCIDENTS.going_on), (INCIDENTS, INCIDENTS.ends), (REQUESTS, REQUESTS.going_on)],
    ids=["open", "resolved", "request"],
)
async def test_the_worker_looks_again_at_clocks_whose_history_was_told_anew(
    catalog: Catalog, pools: Pools, kind: Kind, last: str
) -> None:
    await prepare(catalog)
    table = f"{kind.event}_timer"
    steps = [kind.first, kind.second, kind.going_on] + ([last] if last != kind.going_on else [])
    made = await imported(catalog, kind, item_of(kind, 1, *steps))

    async def due() -> list[bool]:
        async with pools.worker.begin(Caller(org=catalog.org, subject="tester")) as tx:
            rows = await tx.connection.fetch(
                f"UPDATE {table} AS new SET due_at = NULL FROM {table} AS old"  # noqa: S608
                f" WHERE old.org = new.org AND old.{kind.event}_id = new.{kind.event}_id AND new.{kind.event}_id = $1"
                " RETURNING old.due_at",
                made["id"],
            )
        return [row["due_at"] is not None for row in rows]

    await due()
    await imported(catalog, kind, item_of(kind, 1, *steps))
    assert True not in await due()
    await imported(catalog, kind, item_of(kind, 1, kind.first, kind.moved, *steps[2:]))
    assert await due() == [True]


async def test_other_histories_of_an_incident_stay(catalog: Catalog) -> None:
    await prepare(catalog)
    made = await imported(catalog, INCIDENTS, whole_of(INCIDENTS))
    whole = await catalog.incident()
    await catalog.patch(made["own"], {"urgency": "high", "parent_id": whole["id"]})
    await catalog.link(await catalog.problem(), made)
    others = ("priority", "parent", "problem")
    before = await catalog.timeline(made, *others)
    assert {one["kind"] for one in before} == set(others)

    await imported(catalog, INCIDENTS, moved_of(INCIDENTS))
    assert await catalog.timeline(made, *others) == before
    states = await catalog.timeline(made, "state")
    assert [one["to"] for one in states] == ["new", "acknowledged", "on_hold", "in_progress", "resolved"]
    assert (states[2]["at"], states[2]["reason"]) == (f"{DAY}09:55:00Z", WHY)


async def test_what_belonged_to_an_end_that_never_was_is_gone(catalog: Catalog) -> None:
    await prepare(catalog)
    made = await imported(catalog, INCIDENTS, whole_of(INCIDENTS))
    assert (await catalog.get(made["own"]))["resolution"] == "Back again."
    await imported(catalog, INCIDENTS, item_of(INCIDENTS, 1, INCIDENTS.first))
    after = await catalog.get(made["own"])
    assert (after["state"], after["resolution"], after["resolved_at"]) == ("acknowledged", None, None)
    assert [to for _, to, *_ in await steps_of(catalog, made["own"])] == ["new", "acknowledged"]


async def test_steps_made_by_commands_are_known_again_where_they_are_told_alike(catalog: Catalog, pools: Pools) -> None:
    await prepare(catalog)
    item = {"external_source": "desk", "external_id": "1"} | CHANGES.item | WANTED
    own = (await imported(catalog, CHANGES, item))["own"]
    await catalog.move(own, "requested")
    await catalog.move(own, "rejected", reason="Too early.")
    steps = (await catalog.get(f"{own}/transitions"))["history"]
    version = (await catalog.get(own))["version"]
    history = [{"state": one["to"], "at": one["at"], "reason": one["reason"]} for one in steps]
    again = await imported(catalog, CHANGES, item | {"history": history})
    assert again["version"] == version
    assert {superseded for *_, superseded in await kept(pools, catalog, own)} == {False}


async def test_who_requested_a_change_does_not_approve_it_however_it_is_told_since(catalog: Catalog) -> None:
    await prepare(catalog)
    bringing = catalog.by("desk")
    item = item_of(CHANGES, 1, CHANGES.first, **WANTED)
    made = await imported(bringing, CHANGES, item)
    await catalog.by(APPROVER).move(made["own"], "requested")
    await imported(bringing, CHANGES, item | {"history": [step(CHANGES.first), step(CHANGES.second)]})
    assert (await catalog.get(f"{made['own']}/transitions"))["history"][1]["actor"] == "desk"
    refused = await catalog.by(APPROVER).move(made["own"], "approved", status=409)
    assert codes(refused) == ["approver_is_another"]
    await catalog.by("joan").post(f"{made['own']}/transitions", {"to": "approved"}, status=200)


async def test_each_item_of_a_batch_is_held_against_its_own_history(catalog: Catalog, pools: Pools) -> None:
    await prepare(catalog)
    first = await catalog.batch("incidents", [whole_of(INCIDENTS, number) for number in range(4)])
    items = [
        whole_of(INCIDENTS, 0),
        moved_of(INCIDENTS, 1),
        moved_of(INCIDENTS, 2, service_key="nowhere"),
        moved_of(INCIDENTS, 3, title="It was slow"),
        moved_of(INCIDENTS, 4),
    ]
    answered = await catalog.batch("incidents", items, mode="independent")
    assert [(one["status"], one["version"]) for one in answered] == [
        (200, 1),
        (200, 2),
        (422, None),
        (200, 2),
        (201, 1),
    ]
    changed = [
        any(superseded for *_, superseded in await kept(pools, catalog, f"incidents/{one['id']}")) for one in first
    ]
    assert changed == [False, True, False, True]
    refused = await catalog.batch("incidents", [moved_of(INCIDENTS, 0), items[2]], status=422)
    assert refused["code"] == "batch-refused"
    assert {superseded for *_, superseded in await kept(pools, catalog, f"incidents/{first[0]['id']}")} == {False}


@EACH
@pytest.mark.parametrize("is_known", [True, False], ids=["known", "new"])
async def test_of_two_batches_at_once_one_is_the_truth(
    catalog: Catalog, pools: Pools, kind: Kind, *, is_known: bool
) -> None:
    await prepare(catalog)
    if is_known:
        await imported(catalog, kind, whole_of(kind))
    earlier = kind.first.replace("09:10", "09:05")
    tellings = [moved_of(kind), item_of(kind, 1, earlier, kind.going_on), whole_of(kind)]
    answers = await asyncio.gather(*(imported(catalog, kind, item) for item in tellings * 2))
    (own,) = {one["own"] for one in answers}
    steps = await steps_of(catalog, own)
    assert steps in [
        await steps_of(catalog, (await imported(catalog, kind, item | {"external_id": str(number)}))["own"])
        for number, item in enumerate(tellings, start=2)
    ]
    row = await catalog.get(own)
    assert (row["state"], row["state_since"]) == steps[-1][1:3]
    assert kind.begins is None or row[kind.begins] <= steps[0][2]
    events = await told(pools, catalog, own)
    assert [version for _, version, *_ in events] == list(range(1, row["version"] + 1))
    assert len([one for one in await kept(pools, catalog, own) if not one[2]]) == len(
        [one for one in steps if kind is not INCIDENTS or one[0] is not None]
    )


async def test_a_recorded_step_is_superseded_and_never_changed(catalog: Catalog, pools: Pools) -> None:
    caller = Caller(org=catalog.org, subject="tester")
    for pool, change in (
        (pools.runtime, "actor = 'x'"),
        (pools.runtime, "at = now()"),
        (pools.worker, "superseded_at = now()"),
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with pool.begin(caller) as tx:
                await tx.connection.execute(f"UPDATE history_entry SET {change}")  # noqa: S608


async def test_who_approved_a_change_stays_as_long_as_its_approval_is_the_same(catalog: Catalog) -> None:
    await prepare(catalog)
    made = await imported(catalog, CHANGES, whole_of(CHANGES, approved_by="ada"))
    again = await imported(catalog, CHANGES, whole_of(CHANGES))
    assert (again["version"], (await catalog.get(made["own"]))["approved_by"]) == (1, "ada")
    await imported(catalog, CHANGES, moved_of(CHANGES))
    assert (await catalog.get(made["own"]))["approved_by"] == "ada"
    await imported(catalog, CHANGES, item_of(CHANGES, 1, CHANGES.first, "approved@11:00", CHANGES.ends))
    assert (await catalog.get(made["own"]))["approved_by"] is None


async def test_who_approved_a_request_stays_as_long_as_its_approval_is_the_same(catalog: Catalog) -> None:
    service = await catalog.service(key="shop")
    await catalog.item(service, key="laptop", approval_required=True)
    item = {"external_source": "desk", "external_id": "1"} | REQUESTS.item
    made = await imported(catalog, REQUESTS, item | {"history": [step("awaiting_approval@09:00")]})
    await catalog.by("joan").move(made["own"], "approved")
    before = await catalog.get(made["own"])
    steps = (await catalog.get(f"{made['own']}/transitions"))["history"]
    history = [{"state": one["to"], "at": one["at"], "reason": one["reason"]} for one in steps]
    again = await imported(catalog, REQUESTS, item | {"history": history})
    assert again["version"] == before["version"]
    assert before["approver"] == (await catalog.get(made["own"]))["approver"] is not None
    await imported(catalog, REQUESTS, item | {"history": [step("awaiting_approval@09:00"), step("approved@09:30")]})
    assert (await catalog.get(made["own"]))["approver"] is None
