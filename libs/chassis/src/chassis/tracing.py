"""Which request or event is being worked on: W3C trace context, the ids of log lines, and spans where switched on.

Nothing is recorded until `switch_on` finds a collector in the environment; until then a request costs a trace context
and an event nothing, and OpenTelemetry's SDK is not even loaded.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_NO_TRACE = "0" * 32
_NO_SPAN = "0" * 16
_NOT_SAMPLED = "00"
_SAMPLED = 1
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
SPOKEN = "http/protobuf"


def _random_hex(size: int) -> str:
    return os.urandom(size).hex()


class Recorded(Protocol):
    """A request's span while it is being recorded."""

    def answered(self, method: str, route: str | None, path: str, status: int) -> None:
        """End the span of a request with its answer; a status of 0 says that there was none."""

    def transaction(self, database: str, *, read_only: bool) -> AbstractContextManager[str]:
        """Record a database transaction and return the `traceparent` that the events written in it carry."""


class Consumed(Protocol):
    """What a span says about an event."""

    @property
    def id(self) -> str:
        """The event's id."""

    @property
    def type(self) -> str:
        """The event's type."""

    @property
    def subject(self) -> str | None:
        """What the event is about."""

    @property
    def traceparent(self) -> str | None:
        """Where the event has its origin."""


class Spans(Protocol):
    """What records spans."""

    def request(self, parent: "Trace | None", request_id: str, scope: Mapping[str, Any]) -> "Trace":
        """Begin the span of a request, and the trace where there is none to continue."""

    def applied(self, source: str, events: Sequence[Consumed]) -> AbstractContextManager[None]:
        """Record the handling of a batch of events in the traces they come from."""

    def effect(self, source: str, event: Consumed) -> "AbstractContextManager[Trace]":
        """Record the handling of one event in the trace it comes from."""

    def close(self) -> None:
        """Send what is left, without waiting for long."""


@dataclass(slots=True)
class Trace:
    """One span of work: the trace it belongs to, its own id, the request id a client knows it by, and for whom it is.

    `recorded` is the span itself where this one is recorded.
    """

    trace_id: str = field(default_factory=lambda: _random_hex(16))
    span_id: str = field(default_factory=lambda: _random_hex(8))
    flags: str = _NOT_SAMPLED
    request_id: str | None = None
    org: str | None = None
    recorded: Recorded | None = None

    @property
    def traceparent(self) -> str:
        """The header by which the next hop continues this trace."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"

    @property
    def is_sampled(self) -> bool:
        """Whether somebody recorded it."""
        return bool(int(self.flags, 16) & _SAMPLED)


CURRENT: ContextVar[Trace | None] = ContextVar("tandem_trace", default=None)
_NOTHING = nullcontext()


class _Switch:
    spans: Spans | None = None


def named(traceparent: str | None) -> Trace | None:
    """Return the span that a `traceparent` names, if it names one."""
    found = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if found is None:
        return None
    version, trace_id, span_id, flags, rest = found.groups()
    if version == "ff" or trace_id == _NO_TRACE or span_id == _NO_SPAN or (version == "00" and rest):
        return None
    return Trace(trace_id=trace_id, span_id=span_id, flags=flags)


def continued(traceparent: str | None, request_id: str | None = None) -> Trace:
    """Return a new span of the trace that a `traceparent` names, or of a new trace if it names none."""
    parent = named(traceparent)
    if parent is None:
        return Trace(request_id=request_id)
    return Trace(trace_id=parent.trace_id, flags=parent.flags, request_id=request_id)


def request(traceparent: str | None, request_id: str, scope: Mapping[str, Any]) -> Trace:
    """Return the span of a request, recorded if spans are."""
    if _Switch.spans is None:
        return continued(traceparent, request_id)
    return _Switch.spans.request(named(traceparent), request_id, scope)


def applied(source: str, events: Sequence[Consumed]) -> AbstractContextManager[None]:
    """Record, for the block, that a batch of events is handled: each sampled one in the trace it comes from."""
    if _Switch.spans is None:
        return _NOTHING
    return _Switch.spans.applied(source, events)


@contextmanager
def effect(source: str, event: Consumed, org: str) -> Iterator[str | None]:
    """Work, for the block, in the trace an event comes from; returns the `traceparent` of what follows from it."""
    origin = named(event.traceparent)
    if _Switch.spans is not None and origin is not None and origin.is_sampled:
        with _Switch.spans.effect(source, event) as trace, _within(trace, org):
            yield trace.traceparent
    else:
        with _within(continued(event.traceparent), org):
            yield event.traceparent


@contextmanager
def _within(trace: Trace, org: str) -> Iterator[None]:
    trace.org = org
    unset = CURRENT.set(trace)
    try:
        yield
    finally:
        CURRENT.reset(unset)


def switch_on(service: str, environment: Mapping[str, str]) -> list[str]:
    """Record spans from now on if the environment names a collector; returns what is wrong in it."""
    is_off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or (
        environment.get("OTEL_TRACES_EXPORTER", "otlp") == "none"
    )
    if is_off or not any(environment.get(name) for name in _ENDPOINTS):
        return []
    protocol = next((environment[name] for name in _PROTOCOLS if environment.get(name)), SPOKEN)
    if protocol != SPOKEN:
        return [f"{_PROTOCOLS[1]}: spans are sent as {SPOKEN}, not as {protocol}"]
    from chassis.spans import OpenTelemetrySpans

    _Switch.spans = OpenTelemetrySpans.of(service)
    return []


def switch_off() -> None:
    """Record nothing any more, and send what is left."""
    spans, _Switch.spans = _Switch.spans, None
    if spans is not None:
        spans.close()
