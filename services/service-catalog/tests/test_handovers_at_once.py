"""Handovers told again, out of order, at once, and read from the project tracker's log."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from functools import partial
from itertools import permutations
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from catalog_api import Catalog, handover_event

from chassis import ids
from chassis.caller import Caller
from chassis.database import connect_arguments
from chassis.events.consumer import Consumer
from chassis.events.progress import progress
from chassis.schemas import parse_instant
from chassis.standing import Standing
from chassis.testkit.databases import Addresses, Pools
from chassis.testkit.eventing import EventService, running, service_on, until
from service_catalog.settings import Settings
from service_catalog.wiring import PACKAGE, loops

CRITERIA = [{"dimension": "process", "text": "Who is called is written down."}]
TRACKER = "project-tracker"
STRUCTURED = {"Content-Type": "application/cloudevents+json"}


class FromLog:
    """The siblings of a worker whose one sibling is a log of this test's own."""

    def __init__(self, tracker: EventService) -> None:
        self.by_name = {TRACKER: tracker.as_sibling(TRACKER)}


@pytest.fixture
async def tracker(new_database: Callable[[str], Addresses]) -> AsyncIterator[EventService]:
    async with service_on(new_database("chassis.testkit.sample")) as one:
        yield one


async def publish(tracker: EventService, org: str, event: dict[str, Any]) -> None:
    """Write an event into the log as the project tracker would."""
    async with tracker.pools.runtime.begin(Caller(org=org, subject="tests")) as tx:
        await tx.connection.execute(
            """INSERT INTO event_pending (id, org, type, subject, time, partitionkey, aggregateversion, data)
            VALUES ($1, $2, $3, $4, now(), $5, 1, $6)""",
            UUID(event["id"]),
            org,
            event["type"],
            event["subject"],
            UUID(event["partitionkey"]),
            json.dumps(event["data"]),
        )
    await tracker.sequence()


async def outcome(catalog: Catalog) -> Any:
    """Return what came of all events: the service, the undecided handover, the criteria; without when."""
    (service,) = await catalog.every("services")
    undecided = await catalog.every("handovers", state="requested")
    criteria = await catalog.every(f"services/{service['id']}/acceptance-criteria")
    return (
        (service["key"], service["state"], service["early_life_support_ends_on"], service["project_id"]),
        [(one["id"], one["attempt"], one["known_errors"]) for one in undecided],
        sorted(one["text"] for one in criteria),
    )


def two_attempts() -> list[dict[str, Any]]:
    """Return the events of two attempts, and each of them told again under another event id."""
    project = str(ids.new_id())
    events = [
        handover_event(
            {"key": "crm", "name": "CRM"},
            project_id=project,
            attempt=attempt,
            acceptance_criteria=CRITERIA,
            early_life_support_end=f"2026-05-0{attempt}",
            known_errors=[{"title": f"Of attempt {attempt}"}],
        )
        for attempt in (1, 2)
    ]
    return [*events, *(event | {"id": str(ids.new_id())} for event in events)]


async def test_messages_repeated_or_out_of_order_change_nothing(catalog: Catalog) -> None:
    events = two_attempts()
    expected = None
    for order in permutations(events):
        fresh = catalog.of_another_organisation()
        for event in order:
            response = await fresh.send("POST", "events", content=json.dumps(event), headers=STRUCTURED)
            assert response.status_code in {202, 204}
        found = await outcome(fresh)
        expected = expected or found
        assert found == expected
        assert found[1] == [(events[1]["data"]["id"], 2, [{"title": "Of attempt 2", "workaround": None}])]
        assert (await fresh.get("quarantine"))["items"] == []
        before = await fresh.every("handovers")
        await fresh.deliver(*order, *reversed(order), status=204)
        assert await fresh.every("handovers") == before


async def test_a_newer_attempt_takes_the_place_of_an_undecided_one(catalog: Catalog) -> None:
    first, second, *_ = two_attempts()
    await catalog.deliver(first)
    await catalog.deliver(second)
    old = await catalog.get(f"handovers/{first['data']['id']}")
    assert (old["state"], old["version"]) == ("superseded", 2)
    steps = (await catalog.get(f"handovers/{old['id']}/decision"))["history"]
    assert [(step["to"], step["actor"]) for step in steps] == [
        ("requested", "events:project-tracker"),
        ("superseded", "events:project-tracker"),
    ]
    await catalog.deliver(first | {"id": str(ids.new_id())}, status=204)
    third = handover_event({"key": "other"}, project_id=first["data"]["project_id"], attempt=3)
    await catalog.deliver(third)
    (undecided,) = await catalog.every("handovers", state="requested")
    assert undecided["id"] == third["data"]["id"]


async def test_attempts_told_at_once_leave_one_undecided(catalog: Catalog) -> None:
    for _ in range(5):
        project = str(ids.new_id())
        events = [
            handover_event({"key": f"s-{attempt % 2}"}, project_id=project, attempt=attempt) for attempt in (1, 2, 3, 4)
        ]
        calls = (catalog.send("POST", "events", content=json.dumps(event), headers=STRUCTURED) for event in events * 2)
        answers = await asyncio.gather(*calls)
        assert {answer.status_code for answer in answers} <= {202, 204}
        (undecided,) = await catalog.every("handovers", project_id=project, state="requested")
        assert undecided["attempt"] == 4
    assert (await catalog.get("quarantine"))["items"] == []
    assert len(await catalog.every("services")) == 2


async def test_the_database_has_no_two_undecided_of_one_project(catalog: Catalog, addresses: Addresses) -> None:
    handover = await catalog.handed_over()
    connection = await asyncpg.connect(**connect_arguments(addresses.owner))
    try:
        with pytest.raises(asyncpg.UniqueViolationError, match="handover_undecided"):
            await connection.execute(
                """INSERT INTO handover SELECT (jsonb_populate_record(known, $2)).* FROM handover AS known
                WHERE id = $1""",
                UUID(handover["id"]),
                json.dumps({"id": str(ids.new_id()), "attempt": 2}),
            )
    finally:
        await connection.close()


async def test_of_two_decisions_at_once_one_wins(catalog: Catalog) -> None:
    for _ in range(3):
        handover = await catalog.handed_over()
        path = f"handovers/{handover['id']}/decision"
        orders: list[dict[str, Any]] = [{"decision": "reject", "reason": f"{n}"} for n in range(4)]
        answers = await asyncio.gather(*(catalog.send("POST", path, json=order) for order in orders))
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
        (won,) = (answer.json() for answer in answers if answer.is_success)
        assert await catalog.get(f"handovers/{handover['id']}") == won


async def test_a_decision_and_a_newer_attempt_at_once_leave_one_of_both(catalog: Catalog) -> None:
    for _ in range(5):
        first, second, *_ = (event | {} for event in two_attempts())
        fresh = catalog.of_another_organisation()
        await fresh.deliver(first)
        decision = fresh.send(
            "POST", f"handovers/{first['data']['id']}/decision", json={"decision": "reject", "reason": "No."}
        )
        told, decided = await asyncio.gather(
            fresh.send("POST", "events", content=json.dumps(second), headers=STRUCTURED), decision
        )
        state = (await fresh.get(f"handovers/{first['data']['id']}"))["state"]
        assert told.status_code == 202
        assert (decided.status_code, state) in {(200, "rejected"), (409, "superseded")}
        assert len(await fresh.every("handovers", state="requested")) == 1


async def test_supporting_and_a_handover_at_once_never_leave_a_supported_service_that_was_not_so(
    catalog: Catalog,
) -> None:
    for _ in range(5):
        service = await catalog.complete_service()
        own = f"services/{service['id']}"
        for state in ("designing", "creating", "delivering"):
            await catalog.move(own, state)
        event = handover_event({"service_id": service["id"]})
        moved, told = await asyncio.gather(
            catalog.send("POST", f"{own}/transitions", json={"to": "supporting"}),
            catalog.send("POST", "events", content=json.dumps(event), headers=STRUCTURED),
        )
        assert told.status_code == 202
        handover = await catalog.get(f"handovers/{event['data']['id']}")
        history = (await catalog.get(f"{own}/history"))["items"]
        if moved.is_success:  # it came first: what is told of a supported service is a change of it
            assert parse_instant(history[-1]["recorded_at"]) <= parse_instant(handover["created_at"])
        else:
            assert (moved.status_code, history[-1]["to"]) == (409, "delivering")


async def test_what_is_delivered_and_read_takes_effect_once(
    catalog: Catalog, settings: Settings, tracker: EventService, pools: Pools
) -> None:
    standing = Standing(settings, PACKAGE)
    first, second = handover_event(), handover_event()
    await catalog.deliver(first)
    for event in (first, second):
        await publish(tracker, catalog.org, event)
    await publish(tracker, catalog.org, handover_event(attempt=-1))
    reading: Any = loops(standing, FromLog(tracker))[f"reading {TRACKER}"]  # type: ignore[arg-type]
    try:
        async with running(reading):
            await until(partial(has_read, pools, 3))
    finally:
        await standing.close()
    assert [one["id"] for one in await catalog.every("handovers")] == [first["data"]["id"], second["data"]["id"]]
    assert {one["state"] for one in await catalog.every("handovers")} == {"requested"}
    (kept,) = (await catalog.get("quarantine"))["items"]
    assert "/attempt" in kept["reason"]
    await catalog.deliver(second, status=204)


async def has_read(pools: Pools, position: int) -> bool:
    async with pools.worker.begin(Caller(org="", subject="tests"), read_only=True) as tx:
        return any(one.position.number >= position for one in await progress(tx))


def test_the_worker_reads_each_sibling_that_is_configured(settings: Settings, tracker: EventService) -> None:
    standing = Standing(settings, PACKAGE)
    told = loops(standing, FromLog(tracker))  # type: ignore[arg-type]
    assert {"sequencer", "housekeeping", "sla", f"reading {TRACKER}"} <= told.keys()
    reader = told[f"reading {TRACKER}"].func.__self__  # type: ignore[attr-defined]
    assert isinstance(reader, Consumer)
    assert list(reader.handlers) == ["tandem.handover.requested.v1"]
