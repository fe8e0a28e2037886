"""Links as the client sees them: below the prefix at which a gateway shows this service."""

import re

from starlette.types import Scope

_PREFIX = re.compile(rb"(/[A-Za-z0-9._~-]{1,64}){1,8}")


def header(scope: Scope, name: bytes) -> bytes | None:
    """Return the first header of this (lower-case) name."""
    for given, value in scope["headers"]:
        if given == name:
            found: bytes = value
            return found
    return None


def prefix(scope: Scope) -> str:
    """Return the path in front of `/v1`, as told by X-Forwarded-Prefix; empty without a gateway."""
    told = (header(scope, b"x-forwarded-prefix") or b"").rstrip(b"/")
    return told.decode("ascii") if _PREFIX.fullmatch(told) else ""


def own_path(scope: Scope) -> str:
    """Return the path of the request, still encoded, below the prefix."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return prefix(scope) + raw.partition(b"?")[0].decode("latin-1")
