from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from chassis import ids
from chassis.caller import Caller
from chassis.events.envelope import Event
from chassis.migrating import differences, migrate
from chassis.testkit.databases import Addresses, Pools
from chassis.testkit.tokens import Signer
from kpi_engine.facts.writing import forget_older
from kpi_engine.intake.handlers import handlers_of
from kpi_engine.metadata import METADATA

CATALOG = "service-catalog"


def an_outage(**given: Any) -> dict[str, Any]:
    return {
        "id": str(ids.new_id()),
        "service_id": str(ids.new_id()),
        "severity": "major",
        "started_at": "2026-03-01T00:00:00Z",
        "ended_at": None,
        "incident_id": None,
        "state": "open",
    } | given


async def known(pools: Pools, org: str) -> dict[UUID, Any]:
    async with pools.runtime.begin(Caller(org=org, subject="tests"), read_only=True) as tx:
        rows = await tx.connection.fetch("SELECT * FROM outage_fact WHERE projection = 1")
    return {row["id"]: row for row in rows}


async def test_an_event_applied_again_changes_nothing(siblings: Any, pools: Pools, org: str) -> None:
    outage = an_outage()
    event = siblings.event(CATALOG, "outages", outage)
    await siblings.apply(CATALOG, [event])
    once = await known(pools, org)
    await siblings.apply(CATALOG, [event, event])
    assert await known(pools, org) == once
    assert once[UUID(outage["id"])]["severity"] == "major"


async def test_whatever_the_order_the_newest_version_stays(siblings: Any, pools: Pools, org: str) -> None:
    outage = an_outage()
    history = [
        siblings.event(CATALOG, "outages", outage, verb="created"),
        siblings.event(CATALOG, "outages", outage | {"severity": "partial"}),
        siblings.event(CATALOG, "outages", outage | {"severity": "partial", "ended_at": "2026-03-01T01:00:00Z"}),
    ]
    shuffled = [*history, *history]
    shuffled = [shuffled[place] for place in (4, 1, 0, 5, 3, 2)]
    for event in shuffled:
        await siblings.apply(CATALOG, [event])
    (row,) = (await known(pools, org)).values()
    assert (row["version"], row["severity"], row["ended_at"].hour) == (3, "partial", 1)


async def test_what_is_deleted_stays_so_when_an_older_event_comes_late(siblings: Any, pools: Pools, org: str) -> None:
    outage = an_outage()
    created = siblings.event(CATALOG, "outages", outage, verb="created")
    deleted = siblings.event(CATALOG, "outages", outage, verb="deleted")
    await siblings.apply(CATALOG, [deleted])
    await siblings.apply(CATALOG, [created])
    (row,) = (await known(pools, org)).values()
    assert (row["version"], row["deleted"]) == (2, True)


async def test_a_new_epoch_counts_versions_anew_and_forgets_what_is_not_told_again(
    siblings: Any, pools: Pools, org: str
) -> None:
    kept, lost = an_outage(), an_outage()
    for resource in (kept, kept, lost):
        await siblings.apply(CATALOG, [siblings.event(CATALOG, "outages", resource)])
    siblings.versions.clear()
    restored = siblings.event(CATALOG, "outages", kept | {"severity": "degraded"}, epoch=2)
    await siblings.apply(CATALOG, [restored])
    async with pools.worker.begin(Caller(org=org, subject="tests")) as tx:
        await forget_older(tx, source=CATALOG, epoch=2, filling=1)
    (row,) = (await known(pools, org)).values()
    assert (row["epoch"], row["version"], row["severity"]) == (2, 1, "degraded")


async def test_fillings_are_kept_apart(siblings: Any, pools: Pools, org: str) -> None:
    await siblings.apply(CATALOG, [siblings.event(CATALOG, "outages", an_outage())], filling=2)
    assert await known(pools, org) == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"severity": "total"},
        {"started_at": "yesterday"},
        {"started_at": "2026-03-01T00:00:00"},
        {"ended_at": "infinity"},
        {"started_at": None},
        {"service_id": 7},
        {"severity": {"of": "objects"}},
    ],
)
async def test_what_cannot_be_a_fact_is_refused_for_good(siblings: Any, wrong: dict[str, Any]) -> None:
    event = siblings.event(CATALOG, "outages", an_outage(**wrong))
    with pytest.raises((asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, TypeError, ValueError)):
        await siblings.apply(CATALOG, [event])


async def test_what_lies_before_or_after_the_years_of_figures_counts_as_their_edge(
    siblings: Any, pools: Pools, org: str
) -> None:
    outage = an_outage(started_at="1900-01-01T00:00:00Z", ended_at="2199-12-31T23:59:59.999999Z")
    await siblings.apply(CATALOG, [siblings.event(CATALOG, "outages", outage)])
    (row,) = (await known(pools, org)).values()
    assert (row["started_at"], row["ended_at"]) == (datetime(1901, 1, 1, tzinfo=UTC), datetime(2199, 1, 1, tzinfo=UTC))


async def test_a_calendar_that_cannot_be_computed_with_is_refused(siblings: Any) -> None:
    event = siblings.event(CATALOG, "calendars", {"id": str(ids.new_id()), "timezone": "Mars/Olympus", "weekly": []})
    with pytest.raises(ValueError, match="time zone"):
        await siblings.apply(CATALOG, [event])


async def test_organisations_of_one_batch_are_kept_apart(siblings: Any, pools: Pools, org: str) -> None:
    mine = siblings.event(CATALOG, "outages", an_outage())
    theirs = siblings.event(CATALOG, "outages", an_outage()).model_copy(update={"orgid": f"{org}-other"})
    await siblings.apply(CATALOG, [mine, theirs])
    assert len(await known(pools, org)) == len(await known(pools, f"{org}-other")) == 1


def test_every_verb_of_a_known_noun_is_handled() -> None:
    handlers = handlers_of(CATALOG, 1)
    assert "tandem.maintenance_window.completed.v1" in handlers
    assert "tandem.outage.withdrawn.v1" in handlers
    assert "tandem.outage.withdrawn.v2" not in handlers
    assert "tandem.widget.created.v1" not in handlers
    assert "tandem.outage.*" in set(handlers)
    assert len(set(handlers.values())) == len(handlers)


async def test_an_event_without_a_version_is_no_fact(siblings: Any) -> None:
    event: Event = siblings.event(CATALOG, "outages", an_outage())
    with pytest.raises(ValueError, match="version"):
        await siblings.apply(CATALOG, [event.model_copy(update={"aggregateversion": None})])


async def test_what_is_delivered_is_a_fact_once_and_of_its_newest_version(
    engine: httpx.AsyncClient, signer: Signer, siblings: Any, pools: Pools, org: str
) -> None:
    headers = {"Authorization": f"Bearer {signer.token('events:deliver', org=org, aud='kpi-engine')}"}
    outage = an_outage()
    older, newer = (siblings.event(CATALOG, "outages", outage | {"severity": one}) for one in ("major", "partial"))

    async def delivered(event: Event) -> int:
        body = event.model_dump_json(exclude_none=True)
        sent = headers | {"Content-Type": "application/cloudevents+json"}
        return (await engine.post("/v1/events", content=body, headers=sent)).status_code

    assert [await delivered(event) for event in (newer, older, newer)] == [202, 204, 204]
    await siblings.apply(CATALOG, [older, newer])
    (row,) = (await known(pools, org)).values()
    assert (row["version"], row["severity"]) == (2, "partial")
    assert await delivered(newer.model_copy(update={"source": "/somebody-else"})) == 204
    assert await delivered(siblings.event(CATALOG, "outages", an_outage(severity="total"))) == 202
    async with pools.runtime.begin(Caller(org=org, subject="tests"), read_only=True) as tx:
        assert await tx.connection.fetchval("SELECT code FROM quarantine") == "database-refuses"


async def test_the_migrated_database_is_what_the_tables_say(addresses: Addresses) -> None:
    assert await differences(addresses.owner, [METADATA]) == []


async def test_migrating_down_and_up_again(new_database: Any) -> None:
    addresses = new_database("kpi_engine")
    await migrate(addresses.owner, "kpi_engine", to="base")
    await migrate(addresses.owner, "kpi_engine")
    assert await differences(addresses.owner, [METADATA]) == []
