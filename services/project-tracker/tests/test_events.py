import json
from typing import Any

from tracker_api import Tracker, a_task, euros

from chassis.events.sequencer import Sequencer
from chassis.testkit.databases import Pools

EVENT_BYTES_MAX = 64 * 1024


async def events_of(tracker: Tracker, pools: Pools) -> list[Any]:
    sequencer = Sequencer(pools.worker)
    connection = await pools.worker.connect()
    try:
        while await sequencer.turn(connection):
            pass
    finally:
        await connection.close()
    return list((await tracker.send("GET", "events?limit=1000")).json())


async def a_whole_project(tracker: Tracker) -> str:
    project = await tracker.project()
    own = await tracker.plan(project, a_task("1", budget=euros("10")), a_task("1.1"), a_task("2"), links=("1.1>2",))
    await tracker.post(f"{own}/baselines", {})
    at = "2026-03-06T17:00:00Z"
    await tracker.batch(f"{own}/progress-reports", [{"wbs": "2", "status_at": at, "percent_complete": "10"}])
    cost = await tracker.post(f"{own}/costs", {"wbs": "2", "incurred_at": at, "amount": euros("5")})
    await tracker.post(f"{own}/costs/{cost['id']}/reversal", {"reason": "x"})
    line = {"period_start": at, "period_end": at, "amount": euros("5")}
    await tracker.batch(f"{own}/budget-lines", [line])
    return own


async def test_every_resource_is_told_as_it_is_shown(tracker: Tracker, pools: Pools) -> None:
    own = await a_whole_project(tracker)
    told = {event["subject"]: event["data"] for event in await events_of(tracker, pools)}
    (baseline,) = await tracker.every(f"{own}/baselines")
    shown = {f"projects/{own.partition('/')[2]}": await tracker.get(own)}
    shown |= {
        f"baseline-tasks/{one['id']}": one for one in await tracker.every(f"{own}/baselines/{baseline['id']}/tasks")
    }
    for collection in ("tasks", "dependencies", "baselines", "progress-reports", "costs", "budget-lines"):
        shown |= {f"{collection}/{one['id']}": one for one in await tracker.every(f"{own}/{collection}")}
    assert told == shown


async def test_each_kind_of_event_has_its_type(tracker: Tracker, pools: Pools) -> None:
    await a_whole_project(tracker)
    events = await events_of(tracker, pools)
    assert {event["type"] for event in events} == {
        f"tandem.{noun}.created.v1"
        for noun in (
            "project", "task", "dependency", "baseline", "baseline_task", "progress_report", "cost", "budget_line",
        )
    }  # fmt: skip
    assert all(len(json.dumps(event).encode()) < EVENT_BYTES_MAX for event in events)
    tasks_frozen = [event for event in events if event["type"] == "tandem.baseline_task.created.v1"]
    (baseline,) = [event for event in events if event["type"] == "tandem.baseline.created.v1"]
    assert baseline["data"]["task_count"] == len(tasks_frozen)


async def test_a_state_brought_along_tells_where_it_came_from(tracker: Tracker, pools: Pools) -> None:
    project = await tracker.project()
    await tracker.batch("projects", [{"key": project["key"], "state": "executing"}])
    last = (await events_of(tracker, pools))[-1]
    assert last["data"]["change"] == {"from": "proposed", "to": "executing", "reason": None, "actor": "tester"}


async def test_what_changes_nothing_is_not_told(tracker: Tracker, pools: Pools) -> None:
    own = await a_whole_project(tracker)
    before = len(await events_of(tracker, pools))
    await tracker.batch(f"{own}/tasks", [a_task("2")])
    await tracker.patch(own, {"name": "A project"})
    assert len(await events_of(tracker, pools)) == before


async def test_the_last_event_of_a_batch_is_named(tracker: Tracker, pools: Pools) -> None:
    own = await tracker.plan(await tracker.project(), a_task("1"), a_task("1.1.1"))
    response = await tracker.send("POST", f"{own}/tasks:batch", json={"items": [a_task("1.1")]})
    events = await events_of(tracker, pools)
    assert events[-1]["id"] == response.headers["event-id"]
    assert events[-1]["data"]["wbs"] == "1.1.1"
