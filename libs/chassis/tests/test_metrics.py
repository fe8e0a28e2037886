import asyncio
import importlib
import pkgutil
import re
from collections.abc import Awaitable, Callable, Collection, Iterable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric

import chassis
from chassis import metrics
from chassis.caller import Caller
from chassis.database import Database
from chassis.events import quarantine
from chassis.events.backlog import Backlog, collected
from chassis.events.envelope import Event
from chassis.events.leases import Leases
from chassis.events.position import Position
from chassis.events.progress import CursorRow
from chassis.events.sequencer import Sequencer
from chassis.housekeeping import Housekeeping
from chassis.metrics import LOOP, ProcessMetrics, RequestMetrics, turned
from chassis.testkit.databases import Addresses, Pools
from chassis.testkit.sample.notes import a_caller, add_note
from chassis.working import run_loops

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"
ROW = re.compile(r"\| `(tandem_\w+)` \| ([^|]*) \| (\w+) \| .+ \|")
BASE_UNITS = ("_seconds", "_bytes", "_total")
NO_UNIT = ("ms", "milliseconds", "minutes", "hours", "kb", "mb", "percent")


class Named(NamedTuple):
    name: str
    kind: str
    labels: tuple[str, ...]


def described(collector: Any) -> Iterable[Named]:
    for metric in collector.describe() if hasattr(collector, "describe") else ():
        labels = getattr(metric, "_labelnames", None) or getattr(collector, "_labelnames", None) or ()
        yield Named(metric.name + ("_total" if metric.type == "counter" else ""), metric.type, tuple(labels))


@pytest.fixture
def registered() -> set[Named]:
    for module in pkgutil.walk_packages(chassis.__path__, "chassis."):
        if "migrations" not in module.name:
            importlib.import_module(module.name)
    registry = CollectorRegistry(auto_describe=True)
    RequestMetrics(registry)
    ProcessMetrics(registry)
    registry.register(Backlog.__new__(Backlog))
    known = {*registry._collector_to_names, *REGISTRY._collector_to_names}
    return {one for collector in known for one in described(collector) if one.name.startswith("tandem_")}


def test_what_is_registered_is_what_the_documentation_says(registered: set[Named]) -> None:
    documented = set()
    for name, labels, kind in ROW.findall(PAGE.read_text()):
        documented.add(Named(name, kind, tuple(labels.split(", ")) if labels != "–" else ()))
    assert registered == documented
    assert len(documented) == PAGE.read_text().count("| `tandem_")


def test_units_are_base_units(registered: set[Named]) -> None:
    for name, kind, _ in registered:
        assert not set(name.split("_")) & set(NO_UNIT)
        assert name.endswith("_total") == (kind == "counter")
        if kind == "histogram":
            assert name.endswith(BASE_UNITS)


async def scraped(database: Database, reads: Collection[str] = ()) -> Callable[..., float | None]:
    """Read the metrics as a scrape does: from another thread."""
    backlog = Backlog(database, asyncio.get_running_loop(), reads=reads)
    registry = CollectorRegistry()
    with collected(backlog, registry):
        kept: list[Metric] = await asyncio.to_thread(lambda: list(registry.collect()))
        text = await asyncio.to_thread(generate_latest, registry)
    assert b"tandem_database_readable" in text
    samples = {(one.name, tuple(sorted(one.labels.items()))): one.value for metric in kept for one in metric.samples}
    return lambda name, **labels: samples.get((name, tuple(sorted(labels.items()))))


def event_of(number: int) -> Event:
    return Event.model_validate(
        {
            "specversion": "1.0",
            "id": f"event-{number}",
            "source": "/producer",
            "type": "tandem.note.created.v1",
            "orgid": "acme",
            "data": {},
        }
    )


@pytest.fixture
def addresses(new_database: Callable[[str], Addresses]) -> Addresses:
    return new_database("chassis.testkit.sample")


async def test_the_log_s_head_and_what_waits_in_front_of_it(addresses: Addresses) -> None:
    async with addresses.pools() as pools:
        for title in "abc":
            await add_note(pools.runtime, a_caller(), title=title)
        before = await scraped(pools.worker)
        assert before("tandem_database_readable") == 1
        assert before("tandem_events_pending") == 3
        assert (before("tandem_events_pending_oldest_age_seconds") or 0) > 0
        assert before("tandem_event_log_head_position") == 0
        connection = await pools.worker.connect()
        await Sequencer(pools.worker).turn(connection)
        await connection.close()
        after = await scraped(pools.worker)
        assert (after("tandem_events_pending"), after("tandem_events_pending_oldest_age_seconds")) == (0, 0)
        assert (after("tandem_event_log_head_position"), after("tandem_event_log_epoch")) == (3, 1)


async def test_how_far_each_source_is_read_and_what_was_put_away(addresses: Addresses) -> None:
    row = CursorRow("producer")
    of_source = {"source": "producer", "projection": "1"}
    async with addresses.pools() as pools:
        async with pools.worker.begin(Caller(org="acme", subject="test")) as tx:
            await row.open(tx, 1)
            await row.move(tx, Position(1, 5), head=Position(1, 7), recorded_at=tx.now, reread_to=None)
        told = await scraped(pools.worker)
        assert (told("tandem_consumer_position", **of_source), told("tandem_consumer_lag_positions", **of_source)) == (
            5,
            2,
        )
        assert (told("tandem_consumer_lag_seconds", **of_source) or 0) > 0
        assert (told("tandem_consumer_head_age_seconds", **of_source) or 0) > 0
        assert told("tandem_consumer_stopped", **of_source) == 0
        assert told("tandem_events_quarantined", **of_source) == 0
        async with pools.worker.begin(Caller(org="acme", subject="test")) as tx:
            await row.say_stopped(tx, "enough")
            await quarantine.keep(tx, "producer", event_of(1), ValueError("unreadable"))
            await quarantine.keep(tx, "monitor", event_of(2), ValueError("unreadable"))
        told = await scraped(pools.worker)
        assert told("tandem_consumer_stopped", **of_source) == 1
        assert told("tandem_events_quarantined", **of_source) == 1
        assert told("tandem_events_quarantined", source="monitor", projection="1") == 1


async def test_a_source_that_never_answered_is_told_of_since_the_process_began(addresses: Addresses) -> None:
    age, reads = "tandem_consumer_head_age_seconds", ("producer", "other")
    async with addresses.pools() as pools:
        told = await scraped(pools.worker, reads)
        for source in reads:
            assert 0 < (told(age, source=source, projection="1") or 0) < 60
            assert told("tandem_consumer_position", source=source, projection="1") is None
        async with pools.worker.begin(Caller(org="acme", subject="test")) as tx:
            await CursorRow("producer", 2).open(tx, 1)
            await CursorRow("gone", 1).open(tx, 1)
        told = await scraped(pools.worker, reads)
        assert 0 < (told(age, source="producer", projection="2") or 0) < 60
        assert told(age, source="producer", projection="1") is None
        assert told(age, source="gone", projection="1") is None
        async with pools.worker.begin(Caller(org="acme", subject="test")) as tx:
            tx.now -= timedelta(hours=1)
            row = CursorRow("producer", 2)
            await row.move(tx, Position(1, 1), head=Position(1, 1), recorded_at=None, reread_to=None)
        told = await scraped(pools.worker, reads)
        assert (told(age, source="producer", projection="2") or 0) > 3000


async def test_who_holds_which_lease(addresses: Addresses) -> None:
    async with addresses.pools() as pools:
        mine, others = Leases(pools.worker), Leases(pools.worker, holder="elsewhere:1:x")
        held = await mine.take("mine")
        assert held is not None
        assert await others.take("theirs")
        told = await scraped(pools.worker)
        for lease, here in (("mine", 1), ("theirs", 0)):
            assert told("tandem_lease_held", lease=lease) == 1
            assert told("tandem_lease_held_here", lease=lease) == here
        await mine.give_back(held)
        assert await others.take("mine")
        told = await scraped(pools.worker)
        assert (told("tandem_lease_held_here", lease="mine"), told("tandem_lease_changes_total", lease="mine")) == (
            0,
            2,
        )


async def test_idempotency_keys_that_wait_to_be_deleted(addresses: Addresses) -> None:
    key = """INSERT INTO idempotency_key (org, caller, path, key, fingerprint, answer, expires_at)
        VALUES ('acme', 'ada', '/', 'k', '', '{}', now() - interval '1 hour')"""
    async with addresses.pools() as pools:
        assert (await scraped(pools.worker))("tandem_idempotency_keys_expired_oldest_age_seconds") == 0
        async with pools.runtime.begin(Caller(org="acme", subject="ada")) as tx:
            await tx.connection.execute(key)
        waiting = (await scraped(pools.worker))("tandem_idempotency_keys_expired_oldest_age_seconds")
        assert waiting == pytest.approx(3600, abs=60)
        name = "tandem_idempotency_keys_deleted_total"
        metrics.process_metrics()
        deleted = REGISTRY.get_sample_value(name) or 0
        assert await Housekeeping(pools.worker).turn() == 1
        assert REGISTRY.get_sample_value(name) == deleted + 1
        assert (await scraped(pools.worker))("tandem_idempotency_keys_expired_oldest_age_seconds") == 0


async def test_a_database_that_is_away_leaves_the_other_metrics_alone(notes_pools: Pools) -> None:
    backlog = Backlog(notes_pools.worker, asyncio.get_running_loop(), seconds=0.1)
    registry = CollectorRegistry()
    async with AsyncExitStack() as held:
        for _ in range(notes_pools.worker.size):
            await held.enter_async_context(notes_pools.worker.begin(a_caller()))
        with collected(backlog, registry):
            kept = await asyncio.to_thread(lambda: list(registry.collect()))
    assert {one.name: one.value for metric in kept for one in metric.samples} == {"tandem_database_readable": 0}


def test_a_loop_that_has_ended_tells_nothing() -> None:
    ended = asyncio.new_event_loop()
    ended.close()
    backlog = Backlog(None, ended)  # type: ignore[arg-type]  # it is not asked
    samples = [one for metric in backlog.collect() for one in metric.samples]
    assert [(one.name, one.value) for one in samples] == [("tandem_database_readable", 0)]


async def test_pools_and_loops_are_told(notes_pools: Pools, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = CollectorRegistry()
    process = ProcessMetrics(registry)
    monkeypatch.setattr("chassis.metrics.process_metrics", lambda: process)
    monkeypatch.setattr("chassis.working.process_metrics", lambda: process)
    process.watch("runtime", notes_pools.runtime)
    value = registry.get_sample_value
    async with notes_pools.runtime.begin(a_caller()):
        assert value("tandem_database_connections_in_use", {"pool": "runtime"}) == 1
    assert value("tandem_database_connections_in_use", {"pool": "runtime"}) == 0
    assert value("tandem_database_connections_limit", {"pool": "runtime"}) == notes_pools.runtime.size

    running: list[float | None] = []

    def loop(name: str) -> Callable[[asyncio.Event], Awaitable[None]]:
        async def run(_: asyncio.Event) -> None:
            running.append(value("tandem_loop_running", {"loop": name}))
            await asyncio.gather(asyncio.ensure_future(turn()))  # also what it starts belongs to it
            assert LOOP.get() == name

        return run

    async def turn() -> None:
        await asyncio.sleep(0)
        turned()

    turned()  # outside of any loop it means nothing
    await run_loops({"one": loop("one"), "two": loop("two")}, asyncio.Event())
    assert running == [1, 1]
    for name in ("one", "two"):
        assert value("tandem_loop_running", {"loop": name}) == 0
        assert (value("tandem_loop_last_turn_timestamp_seconds", {"loop": name}) or 0) > 1e9
