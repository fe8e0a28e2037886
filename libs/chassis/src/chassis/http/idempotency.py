"""Who may call a route, and the key by which a client makes a POST safe to repeat."""

import re
from hashlib import sha256
from typing import Any

from starlette.requests import Request

from chassis.caller import Caller, IdempotencyKey
from chassis.rejection import Rejection

CALLER = "tandem.caller"
KEY_LENGTH_MAX = 255
_PRINTABLE = re.compile(r"[\x20-\x7e]+")
_KEY_PARAMETER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Makes a request safe to repeat: with the same key it gets the same answer for 24 hours.",
    "schema": {"type": "string", "maxLength": KEY_LENGTH_MAX, "pattern": r'^("[ -~]+"|[!#-~]([ -~]*[!-~])?)$'},
}


class Needs:
    """A dependency that gives the caller of a route, if the token has the scope.

    `keyed` says whether a POST takes an idempotency key; what is sent with an id of its own needs none.
    """

    def __init__(self, scope: str | None, *, keyed: bool = True) -> None:
        self.scope = scope
        self._keyed = keyed

    def check(self, request: Request) -> Caller:
        """Return the caller, or refuse it."""
        caller: Caller | None = request.scope.get(CALLER)
        if caller is None:
            raise Rejection("unauthenticated", "token-missing", "This needs a bearer token.")
        if self.scope is not None:
            caller.require(self.scope)
        return caller

    async def __call__(self, request: Request) -> Caller:
        """Return the caller, with the idempotency key of a POST that carries one."""
        caller = self.check(request)
        if request.method != "POST" or not self._keyed:
            return caller
        return caller.idempotent(await key_of(request))

    def describe(self, operation: dict[str, Any], method: str) -> None:
        """Write into an OpenAPI operation what this dependency asks for."""
        operation["security"] = [{"bearer": [] if self.scope is None else [self.scope]}]
        if method == "post" and self._keyed:
            operation.setdefault("parameters", []).append(_KEY_PARAMETER)


class Keyed:
    """A dependency that gives the idempotency key of a POST that needs no bearer token; None, if it carries none."""

    async def __call__(self, request: Request) -> IdempotencyKey | None:
        """Return the key."""
        return await key_of(request)

    def describe(self, operation: dict[str, Any], _: str) -> None:
        """Write into an OpenAPI operation that it takes a key."""
        operation.setdefault("parameters", []).append(_KEY_PARAMETER)


def needs(scope: str | None = None, *, keyed: bool = True) -> Needs:
    """Return the dependency for `Depends`; without a scope any verified token will do."""
    return Needs(scope, keyed=keyed)


async def key_of(request: Request) -> IdempotencyKey | None:
    """Return the idempotency key that a request carries, with what tells this request from another."""
    sent = request.headers.getlist("idempotency-key")
    if not sent:
        return None
    key = parse_key(sent)
    scope = request.scope
    digest = sha256(b"POST\0" + scope["path"].encode() + b"\0" + scope["query_string"] + b"\0")
    for tag in request.headers.getlist("if-match"):
        digest.update(b"If-Match\0" + tag.encode("latin-1") + b"\0")
    digest.update(await request.body())
    return IdempotencyKey(key, scope["path"], digest.digest())


def parse_key(sent: list[str]) -> str:
    """Read the values of Idempotency-Key: one, bare or as a quoted string."""
    key = sent[0].strip()
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    elif key.startswith('"'):
        key = ""  # a quotation that does not end
    if len(sent) > 1 or len(key) > KEY_LENGTH_MAX or not _PRINTABLE.fullmatch(key):
        raise Rejection(
            "malformed",
            "idempotency-key-malformed",
            f"Idempotency-Key is sent once, with 1 to {KEY_LENGTH_MAX} printable ASCII characters.",
        )
    return key
