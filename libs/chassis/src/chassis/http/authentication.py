"""Who is asking: bearer tokens, verified against the issuer's public keys.

A caller's correlation id is the request's X-Correlation-Id if it is a sane one, else its trace id, so that everything
that follows from one first request can be found by it.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import jwt
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis import clock
from chassis.allowance import Allowance
from chassis.caller import EVERY_ORGANISATION, ORGANISATION, Caller
from chassis.http.idempotency import CALLER
from chassis.http.keys import KeySource
from chassis.http.links import header
from chassis.rejection import Rejection
from chassis.tracing import CURRENT

LEEWAY_SECONDS = 5
TOKENS_KEPT = 10_000
TOKEN_BYTES_MAX = 8192
EVENT_SCOPES = frozenset({"events:read", "events:deliver"})
_SUBJECT = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,255}")
SANE_ID = re.compile(rb"[A-Za-z0-9._:+/=@-]{1,128}")


@dataclass(frozen=True, slots=True)
class _Verified:
    org: str
    subject: str
    scopes: frozenset[str]
    expires: float


class TokenVerifier:
    """Verifies tokens of one issuer for one audience; each is checked once and then remembered until it expires."""

    def __init__(self, keys: KeySource, *, issuer: str, audience: str, now: Callable[[], datetime] = clock.now) -> None:
        self.keys = keys
        self._issuer = issuer
        self._audience = audience
        self._now = now
        self._known: OrderedDict[bytes, _Verified] = OrderedDict()

    async def caller(self, token: bytes) -> Caller:
        """Return the caller a token stands for, or refuse it."""
        verified = self._known.get(token)
        if verified is None:
            verified = await self._verify(token)
            self._known[token] = verified
            if len(self._known) > TOKENS_KEPT:
                self._known.popitem(last=False)
        elif verified.expires <= self._now().timestamp():
            del self._known[token]
            raise _refused("The token has expired.")
        else:
            self._known.move_to_end(token)
        trace = CURRENT.get()
        return Caller(
            org=verified.org,
            subject=verified.subject,
            scopes=verified.scopes,
            correlation_id=trace.trace_id if trace else None,
            traceparent=trace.traceparent if trace else None,
        )

    async def _verify(self, token: bytes) -> _Verified:
        if len(token) > TOKEN_BYTES_MAX:
            raise _refused("The token is too long.")
        try:
            head = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError:
            raise _refused("The token is no JSON Web Token.") from None
        kid = head.get("kid")
        key = await self.keys.key(kid if isinstance(kid, str) else None)
        if key is None:
            raise _refused("The token is signed with an unknown key.")
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[str(key.algorithm_name)],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub", "org", "scope"]},
            )
        except jwt.ExpiredSignatureError:
            raise _refused("The token has expired.") from None
        except jwt.InvalidAudienceError:
            raise _refused("The token is for another audience.") from None
        except jwt.InvalidIssuerError:
            raise _refused("The token is from another issuer.") from None
        except jwt.MissingRequiredClaimError as error:
            raise _refused(f"The token lacks the claim {error.claim}.") from None
        except jwt.ImmatureSignatureError:
            raise _refused("The token is not valid yet.") from None
        except jwt.InvalidTokenError:
            raise _refused("The token is not validly signed.") from None
        return _checked(claims)


class Authentication:
    """ASGI: gives every request below `/v1/` its caller, except on paths that are open.

    `is_open` says of a path whether it needs no token; `allowance` how often a client of an organisation may ask.
    """

    def __init__(
        self, app: ASGIApp, verifier: TokenVerifier, is_open: Callable[[str], bool], allowance: Allowance | None = None
    ) -> None:
        self._app = app
        self._verifier = verifier
        self._is_open = is_open
        self._allowance = allowance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["path"].startswith("/v1/") and not self._is_open(scope["path"]):
            caller = await self._verifier.caller(_bearer(scope))
            told = header(scope, b"x-correlation-id")
            if told is not None and SANE_ID.fullmatch(told):
                caller = replace(caller, correlation_id=told.decode("ascii"))
            scope[CALLER] = caller
            trace = CURRENT.get()
            if trace is not None:
                trace.org = caller.org
            if self._allowance is not None:
                self._allowance.take((caller.org, caller.subject))
        await self._app(scope, receive, send)


def open_paths(patterns: Collection[str]) -> Callable[[str], bool]:
    """Return the test of paths that need no token; `{…}` in a pattern stands for one segment."""
    if not patterns:
        return lambda _: False
    pieces = (re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(pattern)) for pattern in patterns)
    whole = re.compile("|".join(pieces))
    return lambda path: whole.fullmatch(path) is not None


def _bearer(scope: Scope) -> bytes:
    given = header(scope, b"authorization")
    if given is None:
        raise Rejection("unauthenticated", "token-missing", "This needs a bearer token.")
    scheme, _, token = given.partition(b" ")
    if scheme.lower() != b"bearer" or not token.strip():
        raise Rejection("unauthenticated", "token-missing", "This needs a bearer token.")
    return token.strip()


def _checked(claims: dict[str, Any]) -> _Verified:
    org, subject, scope = claims["org"], claims["sub"], claims["scope"]
    if not isinstance(scope, str):
        raise _refused("The claim scope is not a text.")
    scopes = frozenset(scope.split())
    if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
        raise _refused("The claim sub is not a name.")
    if org == EVERY_ORGANISATION:
        if not scopes <= EVENT_SCOPES:
            raise _refused("A token of every organisation may only read and deliver events.")
    elif not isinstance(org, str) or not ORGANISATION.fullmatch(org):
        raise _refused("The claim org is not the name of an organisation.")
    return _Verified(org, subject, scopes, float(claims["exp"]) + LEEWAY_SECONDS)


def _refused(detail: str) -> Rejection:
    return Rejection("unauthenticated", "token-invalid", detail)
