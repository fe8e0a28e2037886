"""The clocks of real incidents, and the watch that tells of them and closes what stayed resolved."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from catalog_api import Catalog, ago

from chassis import clock
from chassis.calendars.operations import Calendars
from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database
from chassis.events.siblings import Siblings
from chassis.ids import new_id
from chassis.schemas import instant_text, parse_instant
from chassis.standing import Standing
from chassis.testkit.databases import Addresses, Pools
from chassis.testkit.eventing import running, until
from service_catalog.calendars.tables import CALENDARS
from service_catalog.clocks.watch import Watch
from service_catalog.incidents.operations import Incidents
from service_catalog.levels.operations import ServiceLevels
from service_catalog.settings import Settings
from service_catalog.sla.operations import SlaClocks
from service_catalog.sla.schemas import IncidentSla
from service_catalog.sla.watch import WatchedIncidents
from service_catalog.wiring import PACKAGE, loops

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
OFFICE: dict[str, Any] = {
    "name": "office",
    "timezone": "UTC",
    "weekly": [{"weekday": day, "intervals": [["08:00", "18:00"]]} for day in WEEKDAYS],
}
DONE: dict[str, Any] = {"resolution": "Done.", "factor": "unknown"}


def watch_on(database: Database) -> Watch:
    seal = CursorSeal("of-this-run")
    incidents = Incidents(database, seal)
    levels, calendars = ServiceLevels(database, seal), Calendars(database, CALENDARS, seal)
    clocks = SlaClocks(database, incidents=incidents, levels=levels, calendars=calendars)
    return Watch(database, WatchedIncidents(clocks=clocks, incidents=incidents), every_seconds=0.01)


async def watched(addresses: Addresses, **later: float) -> None:
    """Look at all that is due, at an instant from now on."""
    database = Database(addresses.worker, size=3, now=lambda: clock.now() + timedelta(**later))
    try:
        while await watch_on(database).turn():
            pass
    finally:
        await database.close()


async def told(pools: Pools, catalog: Catalog, incident: Any) -> list[tuple[str, str, str]]:
    """Return which notices were given of an incident: verb, metric, priority."""
    connection = await pools.worker.connect()
    try:
        rows = await connection.fetch(
            "SELECT type, subject, aggregateversion, data FROM event_pending WHERE org = $1 AND partitionkey = $2"
            " AND type LIKE 'tandem.incident_sla.%' ORDER BY seq",
            catalog.org,
            incident["id"],
        )
    finally:
        await connection.close()
    notices = []
    for row in rows:
        data = json.loads(row["data"])
        assert data["incident_id"] == incident["id"]
        assert row["subject"] == f"incident-slas/{incident['id']}/{data['metric']}/{data['priority']}"
        assert row["aggregateversion"] is None
        notices.append((row["type"].split(".")[2], data["metric"], data["priority"]))
    return notices


def clocks_by_metric(sla: Any) -> dict[str, Any]:
    return {one["metric"]: one for one in sla["clocks"] if one["superseded_at"] is None}


async def office_service(catalog: Catalog) -> Any:
    calendar = await catalog.post("calendars", OFFICE)
    return await catalog.service(calendar_id=calendar["id"])


async def test_the_clocks_of_an_incident(catalog: Catalog) -> None:
    service = await office_service(catalog)
    incident = await catalog.incident(service, impact="high", urgency="high")
    told_ = await catalog.get(f"incidents/{incident['id']}/sla")
    IncidentSla.model_validate_json(json.dumps(told_))
    response = await catalog.send("GET", f"incidents/{incident['id']}/sla")
    assert "etag" not in response.headers
    clocks = clocks_by_metric(told_)
    started = datetime.fromisoformat(incident["occurred_at"]).replace(microsecond=0)
    assert datetime.fromisoformat(clocks["response_time"]["due_at"]) == started + timedelta(minutes=15)
    assert datetime.fromisoformat(clocks["resolution_time"]["due_at"]) == started + timedelta(hours=4)
    assert (clocks["resolution_time"]["target_minutes"], clocks["resolution_time"]["calendar_id"]) == (240, None)
    await catalog.move(f"incidents/{incident['id']}", "acknowledged")
    clocks = clocks_by_metric(await catalog.get(f"incidents/{incident['id']}/sla"))
    assert (clocks["response_time"]["state"], clocks["resolution_time"]["state"]) == ("met", "running")
    await catalog.of_another_organisation().get(f"incidents/{incident['id']}/sla", status=404)
    assert (await catalog.get(f"incidents/{incident['id']}"))["version"] == 2


async def test_the_clocks_of_several_incidents_at_once(catalog: Catalog) -> None:
    grave = await catalog.incident(impact="high", urgency="high", occurred_at=ago(hours=5))
    waits = await catalog.incident(impact="high", urgency="medium", occurred_at=ago(hours=2))
    await catalog.move(f"incidents/{waits['id']}", "in_progress")
    await catalog.move(f"incidents/{waits['id']}", "on_hold", hold_reason="awaiting_caller")
    without = await catalog.incident(impact="low", urgency="low")
    named = [waits["id"], without["id"], grave["id"]]
    told = await catalog.get("incident-slas", incident_id=[named[0], str(new_id()), *named])
    assert ([one["incident_id"] for one in told["items"]], told["next"]) == (named, None)
    assert len({one["at"] for one in told["items"]}) == 1
    for one in told["items"]:
        IncidentSla.model_validate_json(json.dumps(one), extra="forbid", strict=True)
        alone = await catalog.get(f"incidents/{one['incident_id']}/sla")
        assert [clock["due_at"] for clock in one["clocks"]] == [clock["due_at"] for clock in alone["clocks"]]
        assert [clock["state"] for clock in one["clocks"]] == [clock["state"] for clock in alone["clocks"]]
    assert [[clock["state"] for clock in one["clocks"]] for one in told["items"]] == [
        ["breached", "paused"],
        [],
        ["breached", "breached"],
    ]


async def test_the_vector_of_the_definitions_out_of_an_import(catalog: Catalog) -> None:
    calendar = await catalog.post("calendars", OFFICE)
    service = await catalog.service()
    level = await catalog.level(service, target="240", priority="P3", calendar_id=calendar["id"])
    item = {
        "external_source": "desk",
        "external_id": "1",
        "service_id": service["id"],
        "title": "Slow",
        "occurred_at": "2026-03-02T16:00:00Z",
        "history": [
            {"state": "in_progress", "at": "2026-03-02T16:10:00Z"},
            {"state": "on_hold", "at": "2026-03-02T17:00:00Z", "hold_reason": "awaiting_vendor"},
            {"state": "in_progress", "at": "2026-03-02T18:00:00Z"},
            {"state": "resolved", "at": "2026-03-03T11:00:00Z"},
        ],
    }
    (made,) = await catalog.batch("incidents", [item])
    clocks = clocks_by_metric(await catalog.get(f"incidents/{made['id']}/sla"))
    resolution = clocks["resolution_time"]
    assert (resolution["state"], resolution["due_at"], resolution["elapsed_minutes"]) == (
        "met",
        "2026-03-03T11:00:00Z",
        240,
    )
    assert (resolution["service_level_id"], resolution["remaining_minutes"]) == (level["id"], 0)
    assert resolution["paused"] == [
        {"from": "2026-03-02T17:00:00Z", "to": "2026-03-02T18:00:00Z", "reason": "awaiting_vendor"}
    ]
    late = item | {
        "external_id": "2",
        "history": [*item["history"][:3], {"state": "resolved", "at": "2026-03-03T11:01:00Z"}],
    }
    (made,) = await catalog.batch("incidents", [late])
    resolution = clocks_by_metric(await catalog.get(f"incidents/{made['id']}/sla"))["resolution_time"]
    assert (resolution["state"], resolution["breached_at"]) == ("breached", "2026-03-03T11:00:00Z")


async def test_an_import_that_tells_instants_only_has_clocks_too(catalog: Catalog) -> None:
    service = await catalog.service()
    item = {"external_source": "d", "external_id": "1", "service_id": service["id"], "title": "T", "state": "closed"}
    item |= {"occurred_at": "2026-03-02T08:00:00Z", "acknowledged_at": "2026-03-02T08:05:00Z"}
    item |= {"resolved_at": "2026-03-02T09:00:00Z", "closed_at": "2026-03-09T09:00:00Z"}
    (made,) = await catalog.batch("incidents", [item])
    clocks = clocks_by_metric(await catalog.get(f"incidents/{made['id']}/sla"))
    assert [(one["state"], one["stopped_at"]) for one in clocks.values()] == [
        ("met", "2026-03-02T08:05:00Z"),
        ("met", "2026-03-02T09:00:00Z"),
    ]


async def test_a_pause_survives_a_change_of_priority(catalog: Catalog) -> None:
    incident = await catalog.incident(occurred_at=ago(hours=10))
    own = f"incidents/{incident['id']}"
    await catalog.move(own, "in_progress", at=ago(hours=9))
    await catalog.move(own, "on_hold", hold_reason="awaiting_caller", at=ago(hours=8))
    await catalog.move(own, "in_progress", at=ago(hours=1))
    await catalog.patch(own, {"impact": "high", "urgency": "high"})
    sla = await catalog.get(f"{own}/sla")
    assert [(one["metric"], one["priority"], one["superseded_at"] is None) for one in sla["clocks"]] == [
        ("response_time", "P1", True),
        ("resolution_time", "P1", True),
        ("response_time", "P3", False),
        ("resolution_time", "P3", False),
    ]
    response, resolution, earlier, _ = sla["clocks"]
    assert (response["state"], earlier["state"]) == ("breached", "met")
    assert (resolution["state"], resolution["elapsed_minutes"]) == ("running", 180)
    assert [pause["reason"] for pause in resolution["paused"]] == ["awaiting_caller"]
    assert [step["to"] for step in (await catalog.get(f"{own}/timeline"))["items"]] == [
        *("new", "in_progress", "on_hold", "in_progress", "P1")
    ]
    await catalog.patch(own, {"impact": "low", "urgency": "low"})
    assert clocks_by_metric(await catalog.get(f"{own}/sla")) == {}


async def test_a_warning_and_a_breach_are_told_once(catalog: Catalog, pools: Pools, addresses: Addresses) -> None:
    incident = await catalog.incident(impact="high", urgency="high")
    await watched(addresses)
    assert await told(pools, catalog, incident) == []
    await watched(addresses, minutes=11, seconds=15)
    assert await told(pools, catalog, incident) == [("warned", "response_time", "P1")]
    await watched(addresses, minutes=14, seconds=58)
    assert len(await told(pools, catalog, incident)) == 1
    await watched(addresses, minutes=15, seconds=2)
    expected = [("warned", "response_time", "P1"), ("breached", "response_time", "P1")]
    assert await told(pools, catalog, incident) == expected
    await catalog.patch(f"incidents/{incident['id']}", {"occurred_at": ago(hours=3, minutes=1)})
    await watched(addresses, minutes=15, seconds=3)
    expected.append(("warned", "resolution_time", "P1"))
    assert await told(pools, catalog, incident) == expected
    await watched(addresses, hours=5)
    await watched(addresses, hours=6)
    assert await told(pools, catalog, incident) == [*expected, ("breached", "resolution_time", "P1")]
    assert (await catalog.get(f"incidents/{incident['id']}"))["version"] == 2


async def test_a_breach_is_told_although_the_incident_was_resolved_before_anybody_looked(
    catalog: Catalog, pools: Pools, addresses: Addresses
) -> None:
    incident = await catalog.incident(impact="high", urgency="high", occurred_at=ago(hours=5))
    await catalog.move(f"incidents/{incident['id']}", "resolved", **DONE)
    await catalog.move(f"incidents/{incident['id']}", "closed")
    await watched(addresses)
    assert [verb for verb, *_ in await told(pools, catalog, incident)] == ["warned", "breached"] * 2
    met = await catalog.incident(impact="high", urgency="high", occurred_at=ago(minutes=14))
    await catalog.move(f"incidents/{met['id']}", "resolved", **DONE)
    await watched(addresses)
    assert await told(pools, catalog, met) == []


async def test_warnings_and_breaches_stand_on_the_timeline_where_they_happened(
    catalog: Catalog, addresses: Addresses
) -> None:
    incident = await catalog.incident(impact="high", urgency="high", occurred_at=ago(hours=5))
    own = f"incidents/{incident['id']}"
    await catalog.move(own, "acknowledged", at=ago(hours=4, minutes=50))
    await watched(addresses)
    clocks = clocks_by_metric(await catalog.get(f"{own}/sla"))
    resolution = clocks["resolution_time"]
    entries = [entry for entry in await catalog.timeline(incident) if entry["kind"] != "state"]
    assert [(entry["kind"], entry["to"], entry["at"], entry["actor"]) for entry in entries] == [
        ("sla", "warned", resolution["warning_at"], "system"),
        ("sla", "breached", resolution["due_at"], "system"),
    ]
    assert {json.dumps(entry["details"]) for entry in entries} == {'{"metric": "resolution_time", "priority": "P1"}'}
    assert parse_instant(entries[0]["recorded_at"]) > parse_instant(entries[1]["at"])
    await catalog.post(f"{own}/timeline", {"text": "It is late."})
    kinds = [entry["kind"] for entry in await catalog.timeline(incident)]
    assert kinds == ["state", "state", "sla", "sla", "note"]


async def test_what_an_earlier_release_told_of_stands_where_it_was_told(catalog: Catalog, pools: Pools) -> None:
    incident = await catalog.incident()
    async with pools.worker.begin(Caller(org=catalog.org, subject="system")) as tx:
        await tx.connection.execute(
            "INSERT INTO sla_notice (org, incident_id, metric, priority, kind, told_at)"
            " VALUES ($1, $2, 'response_time', 'P3', 'warned', $3)",
            catalog.org,
            incident["id"],
            tx.now,
        )
    (entry,) = await catalog.timeline(incident, "sla")
    assert entry["at"] == entry["recorded_at"] == instant_text(tx.now)


@pytest.mark.parametrize("edited", ["level", "calendar", "service"])
async def test_what_a_clock_runs_by_may_change_while_it_runs(
    catalog: Catalog, pools: Pools, addresses: Addresses, edited: str
) -> None:
    closed = OFFICE | {"weekly": [], "exceptions": [{"date": "2098-01-01", "intervals": [["08:00", "18:00"]]}]}
    always = [{"weekday": day, "intervals": [["00:00", "24:00"]]} for day in (*WEEKDAYS, "saturday", "sunday")]
    calendar = await catalog.post("calendars", closed)
    service = await catalog.service(calendar_id=calendar["id"])
    incident = await catalog.incident(service, occurred_at=ago(hours=30))
    await watched(addresses)
    assert await told(pools, catalog, incident) == []
    match edited:
        case "level":
            other = await catalog.post("calendars", OFFICE | {"weekly": always})
            await catalog.level(service, calendar_id=other["id"], target="60")
        case "calendar":
            await catalog.patch(f"calendars/{calendar['id']}", {"weekly": always})
        case _:
            await catalog.patch(f"services/{service['id']}", {"calendar_id": None})
    await watched(addresses)
    assert ("breached", "resolution_time", "P3") in await told(pools, catalog, incident)


async def test_clocks_are_looked_at_where_working_time_changes_not_where_a_name_does(
    catalog: Catalog, pools: Pools, addresses: Addresses
) -> None:
    calendar = await catalog.post("calendars", OFFICE)
    incident = await catalog.incident(await catalog.service(calendar_id=calendar["id"]))
    await watched(addresses)

    async def due_at() -> datetime:
        connection = await pools.worker.connect()
        try:
            at: datetime = await connection.fetchval(
                "SELECT due_at FROM incident_timer WHERE incident_id = $1", incident["id"]
            )
        finally:
            await connection.close()
        return at

    before = await due_at()
    assert before > clock.now()
    await catalog.patch(f"calendars/{calendar['id']}", {"name": "desk", "labels": {"of": "desk"}, "hours_per_day": "8"})
    assert await due_at() == before
    await catalog.patch(f"calendars/{calendar['id']}", {"exceptions": [{"date": "2098-01-01", "intervals": []}]})
    assert await due_at() <= clock.now()


async def test_a_breach_that_was_none_is_told_when_it_happens(
    catalog: Catalog, pools: Pools, addresses: Addresses
) -> None:
    service = await catalog.service()
    level = await catalog.level(service, target="5", priority="P3", calendar_id=None)
    incident = await catalog.incident(service, occurred_at=ago(minutes=10))
    await watched(addresses)
    verbs = ["warned", "breached"]
    assert [verb for verb, metric, _ in await told(pools, catalog, incident) if metric == "resolution_time"] == verbs
    await catalog.patch(f"service-levels/{level['id']}", {"target": "30"})
    await watched(addresses)
    assert [entry["details"]["metric"] for entry in await catalog.timeline(incident, "sla")] == []
    await watched(addresses, minutes=21)
    again = [verb for verb, metric, _ in await told(pools, catalog, incident) if metric == "resolution_time"]
    assert again == [*verbs, "withdrawn", *verbs]


async def test_a_breach_is_taken_back_where_a_tool_tells_too_late_that_all_was_over(
    catalog: Catalog, addresses: Addresses
) -> None:
    begun = {"external_source": "d", "external_id": "9", "title": "T", "occurred_at": "2026-03-02T09:00:00Z"}
    item = begun | {"service_id": (await catalog.service())["id"]}
    (incident,) = await catalog.batch("incidents", [item])
    await watched(addresses)
    assert len(await catalog.timeline(incident, "sla")) == 4
    states = {"resolved": "2026-03-02T09:05:00Z", "closed": "2026-03-02T09:10:00Z"}
    await catalog.batch("incidents", [item | {"history": [{"state": to, "at": at} for to, at in states.items()]}])
    await watched(addresses)
    assert await catalog.timeline(incident, "sla") == []


async def test_a_breach_that_turns_out_to_be_none_is_withdrawn_once(
    catalog: Catalog, pools: Pools, addresses: Addresses
) -> None:
    incident = await catalog.incident(impact="high", urgency="high", occurred_at=ago(hours=5))
    own = f"incidents/{incident['id']}"
    await watched(addresses)
    await catalog.move(own, "resolved", at=ago(hours=4, minutes=50), **DONE)
    for _ in range(2):
        await watched(addresses)
        assert await told(pools, catalog, incident) == [
            (verb, metric, "P1")
            for metric, verbs in (
                ("response_time", ["warned", "breached"]),
                ("resolution_time", ["warned", "breached"]),
                ("response_time", ["withdrawn"]),
                ("resolution_time", ["withdrawn"]),
            )
            for verb in verbs
        ]
    clocks = clocks_by_metric(await catalog.get(f"{own}/sla"))
    assert {clock["state"] for clock in clocks.values()} == {"met"}
    assert await catalog.timeline(incident, "sla") == []


async def test_what_stayed_resolved_for_seven_days_closes_itself(catalog: Catalog, addresses: Addresses) -> None:
    incident = await catalog.incident(occurred_at=ago(days=8))
    own = f"incidents/{incident['id']}"
    await catalog.move(own, "resolved", at=ago(days=7, minutes=-5), **DONE)
    await watched(addresses)
    before = await catalog.get(own)
    assert before["state"] == "resolved"
    await watched(addresses, minutes=6)
    closed = await catalog.get(own)
    assert (closed["state"], closed["version"]) == ("closed", before["version"] + 1)
    expected = datetime.fromisoformat(before["resolved_at"]) + timedelta(days=7)
    assert datetime.fromisoformat(closed["closed_at"]) == expected
    last = (await catalog.get(f"{own}/timeline"))["items"][-1]
    assert (last["to"], last["actor"]) == ("closed", "system")
    await watched(addresses, minutes=7)
    assert (await catalog.get(own))["version"] == closed["version"]


@pytest.mark.parametrize("way", ["patch", "batch"])
async def test_a_service_says_how_long_its_incidents_stay_resolved(
    catalog: Catalog, addresses: Addresses, way: str
) -> None:
    service = await catalog.service()
    assert service["incidents_close_after_days"] == 7
    own = f"incidents/{(await catalog.incident(service, occurred_at=ago(days=4)))['id']}"
    await catalog.move(own, "resolved", at=ago(days=3), **DONE)
    await watched(addresses)
    assert (await catalog.get(own))["state"] == "resolved"
    shorter = {"incidents_close_after_days": 2}
    if way == "batch":
        await catalog.batch("services", [{"key": service["key"]} | shorter])
    else:
        await catalog.patch(f"services/{service['id']}", shorter)
    await watched(addresses)
    closed = await catalog.get(own)
    assert closed["state"] == "closed"
    last = (await catalog.get(f"{own}/timeline"))["items"][-1]
    assert last["reason"] == "It stayed resolved for 2 days."


async def test_what_was_reopened_or_is_led_by_another_tool_does_not_close_itself(
    catalog: Catalog, addresses: Addresses
) -> None:
    own = f"incidents/{(await catalog.incident(occurred_at=ago(days=9)))['id']}"
    await catalog.move(own, "resolved", at=ago(days=8), **DONE)
    await catalog.move(own, "in_progress")
    item = {"external_source": "d", "external_id": "7", "service_id": (await catalog.service())["id"], "title": "T"}
    past = {"occurred_at": ago(days=9), "state": "resolved", "resolved_at": ago(days=8)}
    (imported,) = await catalog.batch("incidents", [item | past])
    await watched(addresses)
    assert (await catalog.get(own))["state"] == "in_progress"
    assert (await catalog.get(f"incidents/{imported['id']}"))["state"] == "resolved"


@pytest.mark.parametrize(
    ("told", "response", "resolution"),
    [
        ({"state": "in_progress"}, "cancelled", "breached"),
        ({"state": "resolved"}, "cancelled", "cancelled"),
        ({"state": "resolved", "acknowledged_at": "2026-03-02T09:05:00Z"}, "met", "cancelled"),
        ({"state": "resolved", "resolved_at": "2026-03-02T09:05:00Z"}, "met", "met"),
        ({"state": "closed", "closed_at": "2026-03-09T09:00:00Z"}, "breached", "breached"),
        ({"history": [{"state": "resolved", "at": "2026-03-02T09:05:00Z"}]}, "met", "met"),
    ],
)
async def test_what_nobody_told_the_instant_of_has_no_verdict(
    catalog: Catalog, told: Any, response: str, resolution: str
) -> None:
    begun = {"external_source": "d", "external_id": "8", "title": "T", "occurred_at": "2026-03-02T09:00:00Z"}
    item = begun | {"service_id": (await catalog.service())["id"]} | told
    (made,) = await catalog.batch("incidents", [item])
    own = f"incidents/{made['id']}"
    clocks = clocks_by_metric(await catalog.get(f"{own}/sla"))
    assert [clocks[metric]["state"] for metric in ("response_time", "resolution_time")] == [response, resolution]


async def test_who_never_told_of_a_response_is_not_taken_to_respond_by_a_later_step(catalog: Catalog) -> None:
    item = {"service_id": (await catalog.service())["id"], "title": "T", "occurred_at": "2026-03-02T09:00:00Z"}
    (made,) = await catalog.batch("incidents", [item | {"resolved_at": "2026-03-02T10:00:00Z"}])
    own = f"incidents/{made['id']}"
    reopened = await catalog.move(own, "in_progress")
    assert (reopened["acknowledged_at"], reopened["reopened_count"]) == (None, 1)
    clocks = clocks_by_metric(await catalog.get(f"{own}/sla"))
    assert clocks["response_time"]["stopped_at"] == clocks["resolution_time"]["paused"][0]["from"]


async def test_what_a_batch_adds_as_resolved_closes_itself_where_no_tool_leads_it(
    catalog: Catalog, addresses: Addresses
) -> None:
    item = {"service_id": (await catalog.service())["id"], "title": "T", "occurred_at": ago(days=9)}
    (added,) = await catalog.batch("incidents", [item | {"resolved_at": ago(days=8)}])
    await watched(addresses)
    assert (await catalog.get(f"incidents/{added['id']}"))["state"] == "closed"


async def test_service_batches_that_exchange_the_hours_are_noticed(
    catalog: Catalog, pools: Pools, addresses: Addresses
) -> None:
    closed = OFFICE | {"weekly": [], "exceptions": [{"date": "2098-01-01", "intervals": [["08:00", "18:00"]]}]}
    calendar = await catalog.post("calendars", closed)
    services = [await catalog.service(calendar_id=calendar["id"]) for _ in range(2)]
    incidents = [await catalog.incident(service, occurred_at=ago(hours=30)) for service in services]
    await watched(addresses)
    await catalog.batch("services", [{"key": service["key"], "calendar_id": None} for service in services])
    await watched(addresses)
    for incident in incidents:
        assert len(await told(pools, catalog, incident)) == 4


async def test_watching_commands_and_agreements_do_not_stand_in_each_others_way(catalog: Catalog, pools: Pools) -> None:
    service = await catalog.service()
    level = await catalog.level(service)
    incidents = [
        await catalog.incident(service, external_source="x", external_id=str(number), occurred_at=ago(hours=9))
        for number in range(6)
    ]
    items = [
        {"external_source": "x", "external_id": str(number), "service_id": service["id"], "title": "Other"}
        for number in range(6)
    ]
    await asyncio.gather(
        *(watch_on(pools.worker).turn() for _ in range(3)),
        *(catalog.move(f"incidents/{one['id']}", "in_progress") for one in incidents),
        catalog.batch("incidents", items),
        catalog.batch("incidents", items[::-1]),
        catalog.patch(f"service-levels/{level['id']}", {"target": "60"}),
        catalog.patch(f"services/{service['id']}", {"name": "Renamed"}),
    )
    while await watch_on(pools.worker).turn():
        pass
    for incident in incidents:
        notices = await told(pools, catalog, incident)
        assert len(notices) == len(set(notices))
        assert ("breached", "resolution_time", "P3") in notices


async def test_two_that_watch_at_once_tell_once(catalog: Catalog, pools: Pools) -> None:
    incident = await catalog.incident(impact="high", urgency="high", occurred_at=ago(hours=5))
    await asyncio.gather(*(watch_on(pools.worker).turn() for _ in range(3)))
    assert len(await told(pools, catalog, incident)) == 4


async def test_the_loop_of_the_worker_tells_by_itself_and_of_every_organisation(
    catalog: Catalog, pools: Pools, settings: Settings
) -> None:
    others = [catalog, catalog.of_another_organisation()]
    incidents = [await one.incident(impact="high", urgency="high", occurred_at=ago(minutes=12)) for one in others]

    async def all_told() -> bool:
        notices = [await told(pools, one, made) for one, made in zip(others, incidents, strict=True)]
        return all(notice == [("warned", "response_time", "P1")] for notice in notices)

    standing = Standing(settings, PACKAGE)
    async with running(loops(standing, Siblings(settings))["sla"]):
        await until(all_told)
    await standing.close()


async def test_one_that_cannot_be_judged_does_not_hold_up_the_others(catalog: Catalog, pools: Pools) -> None:
    broken = await catalog.incident(impact="high", urgency="high", occurred_at=ago(hours=5))
    sound = await catalog.incident(impact="high", urgency="high", occurred_at=ago(hours=5))
    caller = Caller(org=catalog.org, subject="tester")
    async with pools.worker.begin(caller) as tx:
        await tx.connection.execute(
            "INSERT INTO history_entry (org, collection, resource_id, at, recorded_at, from_state, to_state,"
            " actor, details) VALUES ($1, 'incidents', $2, now(), now(), 'new', 'on_hold', 'x', '[]')",
            catalog.org,
            broken["id"],
        )
    await watch_on(pools.worker).turn()
    assert len(await told(pools, catalog, sound)) == 4
    async with pools.worker.begin(caller) as tx:
        put_off = await tx.connection.fetchval(
            "SELECT due_at > now() FROM incident_timer WHERE incident_id = $1", broken["id"]
        )
    assert put_off
