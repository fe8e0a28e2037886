"""Which request or job is being worked on: W3C trace context, and the ids that log lines carry."""

import os
import re
from contextvars import ContextVar
from dataclasses import dataclass, field

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_NO_TRACE = "0" * 32
_NO_SPAN = "0" * 16
_SAMPLED = "01"


def _random_hex(size: int) -> str:
    return os.urandom(size).hex()


@dataclass(frozen=True, slots=True)
class Trace:
    """One span of work: the trace it belongs to, its own id, and the request id a client knows it by."""

    trace_id: str = field(default_factory=lambda: _random_hex(16))
    span_id: str = field(default_factory=lambda: _random_hex(8))
    flags: str = _SAMPLED
    request_id: str | None = None

    @property
    def traceparent(self) -> str:
        """The header by which the next hop continues this trace."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


CURRENT: ContextVar[Trace | None] = ContextVar("tandem_trace", default=None)


def continued(traceparent: str | None, request_id: str | None = None) -> Trace:
    """Return a new span of the trace that a `traceparent` names, or of a new trace if it names none."""
    found = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if found is None:
        return Trace(request_id=request_id)
    version, trace_id, parent_id, flags, rest = found.groups()
    if version == "ff" or trace_id == _NO_TRACE or parent_id == _NO_SPAN or (version == "00" and rest):
        return Trace(request_id=request_id)
    return Trace(trace_id=trace_id, flags=flags, request_id=request_id)
