"""Metrics of the HTTP side, and the port they are read from.

`tandem_http_requests_total{method,route,status}`, `tandem_http_request_duration_seconds{method,route}` and
`tandem_http_requests_in_progress`; `route` is the path's template, `unmatched` where there is none.
"""

from functools import cache

from prometheus_client import REGISTRY as DEFAULT_REGISTRY
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

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


@cache
def request_metrics() -> RequestMetrics:
    """Return the request metrics of this process."""
    return RequestMetrics()


def serve_metrics(port: int) -> None:
    """Serve `/metrics` on a port of its own, from a thread of its own; 0 serves nothing."""
    if port:
        start_http_server(port)
