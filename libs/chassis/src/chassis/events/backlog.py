"""What a worker tells about events, leases, keys and clocks, read from the database when somebody asks.

Every copy of `work` tells the same figures, so they are read with `max`, not added up; only `tandem_lease_held_here`
is the process's own.
"""

import asyncio
import concurrent.futures
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from prometheus_client import REGISTRY as DEFAULT_REGISTRY
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy import Float, Table, cast, extract, func, literal_column, select, text

from chassis.caller import Caller
from chassis.database import Database, Statement
from chassis.events.interruptions import DATABASE_AWAY
from chassis.events.leases import process_name
from chassis.events.progress import FIRST_PROJECTION, Progress, progress
from chassis.rejection import Rejection

READ_SECONDS = 2.0  # a probe that asks waits 5 s
SLACK_SECONDS = 1.0

_LOG = Statement(
    text(
        """SELECT head.epoch, head.position, pending.events AS pending,
            coalesce(extract(epoch FROM clock_timestamp() - pending.oldest), 0)::float AS pending_seconds,
            (SELECT coalesce(greatest(extract(epoch FROM clock_timestamp() - min(expires_at)), 0), 0)::float
             FROM idempotency_key) AS expired_seconds
        FROM event_head AS head
        CROSS JOIN (SELECT count(*) AS events, min(recorded_at) AS oldest FROM event_pending) AS pending"""
    )
)
_QUARANTINED = Statement(
    text(
        """SELECT source, projection, count(*) AS events FROM quarantine WHERE applied_at IS NULL
        GROUP BY source, projection"""
    )
)
_LEASES = Statement(text("SELECT name, holder, token, until > clock_timestamp() AS held FROM lease ORDER BY name"))
_OF_SOURCE = ("source", "projection")


class Backlog(Collector):
    """Reads the figures in the event loop of the worker, for the thread that answers whoever asks for metrics."""

    def __init__(
        self,
        database: Database,
        loop: asyncio.AbstractEventLoop,
        *,
        clocks: Mapping[str, Table] | None = None,
        reads: Collection[str] = (),
        seconds: float = READ_SECONDS,
    ) -> None:
        """Tell about a worker's database; `clocks` are tables of timers, with `due_at`, by what they are for.

        `reads` are the sources that the worker is to read: one that never answered is told of as well.
        """
        self._database = database
        self._loop = loop
        self._clocks = {name: _due(table) for name, table in (clocks or {}).items()}
        self._reads = reads
        self._began = time.monotonic()
        self._seconds = seconds
        self._one_at_a_time = threading.Lock()

    def describe(self) -> Iterable[Metric]:
        """Return the metrics without figures."""
        return _Figures().metrics

    def collect(self) -> Iterable[Metric]:
        """Return the metrics; those of the database have no figures when it does not answer in time.

        Who asks while another is waiting for the database does not wait behind him: it has not answered then.
        """
        figures = None
        if self._one_at_a_time.acquire(timeout=SLACK_SECONDS):
            try:
                figures = self._figures()
            finally:
                self._one_at_a_time.release()
        if figures is None:
            figures = _Figures()
            figures.readable.add_metric((), 0)
        return figures.metrics

    def _figures(self) -> "_Figures | None":
        reading = self.read()
        try:
            future = asyncio.run_coroutine_threadsafe(reading, self._loop)
        except RuntimeError:  # the loop is closed: the process ends
            reading.close()
            return None
        try:
            return future.result(self._seconds + SLACK_SECONDS)
        except (TimeoutError, concurrent.futures.CancelledError):
            future.cancel()
            return None

    async def read(self) -> "_Figures | None":
        """Return the figures as they are now, None if the database is away."""
        figures = _Figures()
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._database.read(Caller(org="", subject="metrics")) as tx,
            ):
                figures.log(await tx.one(_LOG))
                sources = await progress(tx)
                figures.sources(sources, now=tx.now.timestamp())
                figures.unheard(self._reads, sources, seconds=time.monotonic() - self._began)
                figures.quarantined(sources, await tx.all(_QUARANTINED))
                figures.leases(await tx.all(_LEASES))
                for name, due in self._clocks.items():
                    figures.clocks(name, await tx.one(due))
        except (*DATABASE_AWAY, Rejection):
            return None
        figures.readable.add_metric((), 1)
        return figures


def _due(timers: Table) -> Statement:
    """Return the statement that counts the timers that are due, and tells for how long the first of them has been."""
    age = extract("epoch", func.statement_timestamp() - func.min(timers.c.due_at))
    return Statement(
        select(func.count().label("due"), cast(func.coalesce(age, literal_column("0")), Float).label("seconds")).where(
            timers.c.due_at <= func.statement_timestamp()
        )
    )


class _Figures:
    """The metrics of one reading."""

    def __init__(self) -> None:
        self.metrics: list[Metric] = []
        self.readable = self._gauge(
            "tandem_database_readable", "1 if the figures of the database could be read, else 0."
        )
        self._epoch = self._gauge("tandem_event_log_epoch", "The epoch of the log.")
        self._head = self._gauge("tandem_event_log_head_position", "The last position given out.")
        self._pending = self._gauge("tandem_events_pending", "Events that wait for a position.")
        self._pending_age = self._gauge(
            "tandem_events_pending_oldest_age_seconds", "Time for which the oldest of them has been waiting."
        )
        self._position = self._gauge("tandem_consumer_position", "The last position read.", *_OF_SOURCE)
        self._lag = self._gauge("tandem_consumer_lag_positions", "Positions not read yet.", *_OF_SOURCE)
        self._lag_seconds = self._gauge(
            "tandem_consumer_lag_seconds", "Time for which something unread may have been waiting.", *_OF_SOURCE
        )
        self._head_age = self._gauge(
            "tandem_consumer_head_age_seconds", "Time since the source last said how far its log goes.", *_OF_SOURCE
        )
        self._stopped = self._gauge("tandem_consumer_stopped", "1 if reading stopped and needs somebody.", *_OF_SOURCE)
        self._quarantined = self._gauge("tandem_events_quarantined", "Events put away, not applied.", *_OF_SOURCE)
        self._held = self._gauge("tandem_lease_held", "1 if some process holds the lease.", "lease")
        self._held_here = self._gauge("tandem_lease_held_here", "1 if this process holds the lease.", "lease")
        self._changes = CounterMetricFamily(
            "tandem_lease_changes", "How often a lease got a holder.", labels=("lease",)
        )
        self.metrics.append(self._changes)
        self._expired_age = self._gauge(
            "tandem_idempotency_keys_expired_oldest_age_seconds", "Time for which an expired key waits to be deleted."
        )

        self._clocks_due = self._gauge("tandem_clocks_due", "Clocks that wait to be looked at.", "clock")
        self._clocks_age = self._gauge(
            "tandem_clocks_due_oldest_age_seconds", "Time for which the first of them has been due.", "clock"
        )

    def _gauge(self, name: str, says: str, *labels: str) -> GaugeMetricFamily:
        gauge = GaugeMetricFamily(name, says, labels=labels)
        self.metrics.append(gauge)
        return gauge

    def log(self, row: Any) -> None:
        """Take the log's head, what waits in front of it, and the keys that wait to be deleted."""
        self._epoch.add_metric((), row["epoch"])
        self._head.add_metric((), row["position"])
        self._pending.add_metric((), row["pending"])
        self._pending_age.add_metric((), row["pending_seconds"])
        self._expired_age.add_metric((), row["expired_seconds"])

    def sources(self, sources: Iterable[Progress], *, now: float) -> None:
        """Take how far each source has been read."""
        for source in sources:
            labels = (source.source, str(source.projection))
            self._position.add_metric(labels, source.position.number)
            self._lag.add_metric(labels, source.lag_positions)
            self._lag_seconds.add_metric(labels, source.lag_seconds)
            self._stopped.add_metric(labels, source.stopped_because is not None)
            if source.head_seen_at is not None:
                self._head_age.add_metric(labels, max(now - source.head_seen_at.timestamp(), 0.0))

    def unheard(self, reads: Collection[str], sources: Collection[Progress], *, seconds: float) -> None:
        """Take for how long the process has waited for the first word of those it is to read."""
        known = {source.source for source in sources}
        silent = {(name, FIRST_PROJECTION) for name in reads if name not in known}
        silent |= {(one.source, one.projection) for one in sources if one.source in reads and one.head_seen_at is None}
        for name, projection in sorted(silent):
            self._head_age.add_metric((name, str(projection)), seconds)

    def quarantined(self, sources: Iterable[Progress], rows: Iterable[Any]) -> None:
        """Take how many events are put away, none for a source that is read without trouble."""
        counts = {(source.source, source.projection): 0 for source in sources}
        counts |= {(row["source"], row["projection"]): row["events"] for row in rows}
        for (source, projection), events in sorted(counts.items()):
            self._quarantined.add_metric((source, str(projection)), events)

    def leases(self, rows: Iterable[Any]) -> None:
        """Take who does which work."""
        mine = f"{process_name()}:"
        for row in rows:
            labels = (row["name"],)
            self._held.add_metric(labels, row["held"])
            self._held_here.add_metric(labels, row["held"] and row["holder"].startswith(mine))
            self._changes.add_metric(labels, row["token"])

    def clocks(self, name: str, row: Any) -> None:
        """Take how many clocks of one kind are due."""
        self._clocks_due.add_metric((name,), row["due"])
        self._clocks_age.add_metric((name,), row["seconds"])


@contextmanager
def collected(collector: Collector, registry: CollectorRegistry = DEFAULT_REGISTRY) -> Iterator[None]:
    """Let a collector be asked for the block."""
    registry.register(collector)
    try:
        yield
    finally:
        registry.unregister(collector)
