"""Metrics of requests, pools and loops, and the port they are read from; docs/metrics.md says what each one means.

What is read from the database when somebody asks is in `chassis.events.backlog`.
"""

from contextvars import ContextVar
from functools import cache
from typing import Protocol

from prometheus_client import REGISTRY as DEFAULT_REGISTRY
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from chassis.unfit import UnfitError

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestMetrics:
    """Rate, errors and duration of requests by route."""

    def __init__(self, registry: CollectorRegistry = DEFAULT_REGISTRY) -> None:
        self._requests = Counter(
            "tandem_http_requests", "Requests answered.", ("method", "route", "status"), registry=registry
        )
        self._duration = Histogram(
            "tandem_http_request_duration_seconds",
            "Time from a request's head to the end of its answer.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._in_progress = Gauge("tandem_http_requests_in_progress", "Requests being answered.", registry=registry)
        self._in_progress.set_function(lambda: self.running)
        self._counters: dict[tuple[str, str, int], Counter] = {}
        self._histograms: dict[tuple[str, str], Histogram] = {}
        self.running = 0

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        if method not in _METHODS:
            method = "OTHER"
        counter = self._counters.get((method, route, status))
        if counter is None:
            counter = self._counters[method, route, status] = self._requests.labels(method, route, str(status))
        counter.inc()
        histogram = self._histograms.get((method, route))
        if histogram is None:
            histogram = self._histograms[method, route] = self._duration.labels(method, route)
        histogram.observe(seconds)


class Pool(Protocol):
    """A bounded number of connections."""

    @property
    def size(self) -> int:
        """How many it may have."""

    @property
    def in_use(self) -> int:
        """How many are at work."""


class ProcessMetrics:
    """The pools of a process and the loops it runs."""

    def __init__(self, registry: CollectorRegistry = DEFAULT_REGISTRY) -> None:
        self._in_use = Gauge("tandem_database_connections_in_use", "Connections at work.", ("pool",), registry=registry)
        self._limit = Gauge(
            "tandem_database_connections_limit", "Connections a pool may have.", ("pool",), registry=registry
        )
        self._running = Gauge("tandem_loop_running", "Whether a loop runs: 1 or 0.", ("loop",), registry=registry)
        self._turned = Gauge(
            "tandem_loop_last_turn_timestamp_seconds",
            "When a loop last did its work, or found that another process does it.",
            ("loop",),
            registry=registry,
        )
        self.events_received = Counter(
            "tandem_events_received",
            "Events that were delivered, by what came of them.",
            ("outcome",),
            registry=registry,
        )
        self.keys_deleted = Counter(
            "tandem_idempotency_keys_deleted", "Expired idempotency keys deleted.", registry=registry
        )

    def watch(self, name: str, pool: Pool) -> None:
        """Tell about a pool from now on."""
        self._in_use.labels(name).set_function(lambda: pool.in_use)
        self._limit.labels(name).set(pool.size)

    def run(self, loop: str, *, is_running: bool) -> None:
        """Take note that a loop starts or ends."""
        self._running.labels(loop).set(is_running)

    def turn(self, loop: str) -> None:
        """Take note that a loop has done its work."""
        self._turned.labels(loop).set_to_current_time()


LOOP: ContextVar[str | None] = ContextVar("tandem_loop", default=None)
"""The loop that the present task belongs to."""


def turned() -> None:
    """Take note that the loop this is called in has done its work once more."""
    loop = LOOP.get()
    if loop is not None:
        process_metrics().turn(loop)


@cache
def process_metrics() -> ProcessMetrics:
    """Return the metrics of this process's pools and loops."""
    return ProcessMetrics()


@cache
def request_metrics() -> RequestMetrics:
    """Return the request metrics of this process."""
    return RequestMetrics()


def serve_metrics(port: int) -> None:
    """Serve `/metrics` on a port of its own, from a thread of its own; 0 serves nothing."""
    if port:
        try:
            start_http_server(port)
        except OSError as error:
            raise UnfitError(f"metrics cannot be served on port {port}: {error.strerror}") from error
