"""Who asks, on whose behalf, and as part of what."""

import re
from dataclasses import dataclass, field, replace

from chassis.rejection import Rejection

EVERY_ORGANISATION = "*"
ORGANISATION = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A client's key for one effect, with the path it was sent to and a fingerprint of the request."""

    key: str
    path: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Caller:
    """The party behind an operation: organisation, subject and scopes out of a verified token.

    `correlation_id` joins everything that follows from one first request; `causation_id` is the event that
    made this operation happen, if one did; `traceparent` is the W3C trace context.
    """

    org: str
    subject: str
    scopes: frozenset[str] = field(default_factory=frozenset)
    correlation_id: str | None = None
    causation_id: str | None = None
    traceparent: str | None = None
    idempotency: IdempotencyKey | None = None

    def require(self, scope: str) -> None:
        """Refuse a caller whose token lacks a scope."""
        if scope not in self.scopes:
            raise Rejection("forbidden", "missing-scope", f"This needs the scope {scope}.", extra={"scope": scope})

    def idempotent(self, key: IdempotencyKey | None) -> "Caller":
        """Return the same caller asking with an idempotency key."""
        return replace(self, idempotency=key)
