"""Spans by OpenTelemetry, sent by OTLP over HTTP; loaded only where the environment names a collector.

A request is one span, each of its transactions another one. The transaction that writes is the producer of the events
in it: they carry its context, and whoever applies them does so in a span below it, in whatever service and however
much later. Names are those of the stable HTTP conventions; headers, queries and bodies are in none of them.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import time_ns
from typing import Any, Self

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    set_span_in_context,
)

from chassis.rejection import Rejection
from chassis.tracing import Consumed, Trace, named

CLOSE_SECONDS = 3.0
BATCH_SPANS_MAX = 100
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_FAULT = 500
_NOWHERE = Context()


class OpenTelemetrySpans:
    """Begins spans below what `traceparent` names; the sampler and the exporter are the environment's."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("chassis")

    @classmethod
    def of(cls, service: str) -> Self:
        """Return what records a service's spans, by the `OTEL_…` variables."""
        resource = Resource.create({"service.name": service, "service.namespace": "tandem"})
        provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        return cls(provider)

    def request(self, parent: Trace | None, request_id: str, scope: Mapping[str, Any]) -> Trace:
        """Begin the span of a request."""
        span = self._tracer.start_span(scope["method"], _below(parent), SpanKind.SERVER)
        trace = _trace(span.get_span_context())
        trace.request_id = request_id
        if span.is_recording():
            trace.recorded = RequestSpan(self._tracer, span, scope)
        return trace

    @contextmanager
    def applied(self, source: str, events: Sequence[Consumed]) -> Iterator[None]:
        """Record the handling of a batch: one span for each sampled event, as long as the batch took."""
        begun = time_ns()
        failure: Exception | None = None
        try:
            yield
        except Exception as error:
            failure = error
            raise
        finally:
            for parent, event in _sampled(events):
                span = self._consumer(parent, source, event, begun)
                span.set_attribute("messaging.batch.message_count", len(events))
                _note(span, failure)
                span.end()

    @contextmanager
    def effect(self, source: str, event: Consumed) -> Iterator[Trace]:
        """Record the handling of one event."""
        span = self._consumer(named(event.traceparent), source, event, time_ns())
        trace = _trace(span.get_span_context())
        if span.is_recording():
            trace.recorded = _Inside(self._tracer, span)
        try:
            yield trace
        except Exception as error:
            _note(span, error)
            raise
        finally:
            span.end()

    def _consumer(self, parent: Trace | None, source: str, event: Consumed, begun: int) -> Span:
        attributes = {
            "messaging.system": "tandem",
            "messaging.operation.type": "process",
            "messaging.operation.name": "apply",
            "messaging.destination.name": source,
            "messaging.message.id": event.id,
            "cloudevents.event_id": event.id,
            "cloudevents.event_source": source,
            "cloudevents.event_type": event.type,
        }
        if event.subject:
            attributes["cloudevents.event_subject"] = event.subject
        return self._tracer.start_span(
            f"process {event.type}", _below(parent), SpanKind.CONSUMER, attributes=attributes, start_time=begun
        )

    def close(self) -> None:
        """Send what is left; a collector that is away holds nobody up."""
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)


class _Inside:
    """A span that transactions belong to."""

    __slots__ = ("_span", "_tracer")

    def __init__(self, tracer: Tracer, span: Span) -> None:
        self._tracer = tracer
        self._span = span

    def answered(self, method: str, route: str | None, path: str, status: int) -> None:
        """Do nothing: only a request is answered."""

    @contextmanager
    def transaction(self, database: str, *, read_only: bool) -> Iterator[str]:
        """Record a transaction; one that writes is the producer of its events."""
        attributes = {"db.system.name": "postgresql", "db.namespace": database}
        if not read_only:
            attributes |= {
                "messaging.system": "tandem",
                "messaging.operation.type": "send",
                "messaging.operation.name": "append",
                "messaging.destination.name": "event_log",
            }
        span = self._tracer.start_span(
            f"{'read' if read_only else 'write'} {database}",
            set_span_in_context(self._span, _NOWHERE),
            SpanKind.CLIENT if read_only else SpanKind.PRODUCER,
            attributes=attributes,
        )
        try:
            yield _trace(span.get_span_context()).traceparent
        except Exception as error:
            _note(span, error)
            raise
        finally:
            span.end()


class RequestSpan(_Inside):
    """The span of a request."""

    __slots__ = ("_scope",)

    def __init__(self, tracer: Tracer, span: Span, scope: Mapping[str, Any]) -> None:
        super().__init__(tracer, span)
        self._scope = scope

    def answered(self, method: str, route: str | None, path: str, status: int) -> None:
        """End the span; `path` is the path as far as it may be told."""
        known = method if method in _METHODS else "_OTHER"
        attributes = {
            "http.request.method": known,
            "url.path": path,
            "url.scheme": self._scope.get("scheme", "http"),
            "network.protocol.version": self._scope.get("http_version", "1.1"),
        }
        if route is not None:
            attributes["http.route"] = route
        self._span.update_name(f"{known if known != '_OTHER' else 'HTTP'} {route or ''}".rstrip())
        self._span.set_attributes(attributes)
        if status:
            self._span.set_attribute("http.response.status_code", status)
        if not status or status >= _FAULT:
            self._span.set_attribute("error.type", str(status) if status else "unanswered")
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


def _below(parent: Trace | None) -> Context:
    if parent is None:
        return _NOWHERE
    context = SpanContext(
        int(parent.trace_id, 16), int(parent.span_id, 16), is_remote=True, trace_flags=TraceFlags(int(parent.flags, 16))
    )
    return set_span_in_context(NonRecordingSpan(context), _NOWHERE)


def _trace(context: SpanContext) -> Trace:
    return Trace(f"{context.trace_id:032x}", f"{context.span_id:016x}", f"{context.trace_flags:02x}")


def _sampled(events: Sequence[Consumed]) -> list[tuple[Trace, Consumed]]:
    """Return those events of a batch whose origin was recorded, the newest ones if they are many."""
    found = [(origin, event) for event in events if (origin := named(event.traceparent)) and origin.is_sampled]
    return found[-BATCH_SPANS_MAX:]


def _note(span: Span, failure: Exception | None) -> None:
    """Say why something failed, by name alone; a refusal is an answer and no fault."""
    if failure is None:
        return
    is_refusal = isinstance(failure, Rejection)
    span.set_attribute("error.type", failure.code if isinstance(failure, Rejection) else type(failure).__name__)
    if not is_refusal:
        span.set_status(Status(StatusCode.ERROR))
