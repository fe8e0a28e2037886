"""List cursors: where a page ended, sealed so that a client can neither read meaning into one nor make one up."""

import base64
import hashlib
import hmac
import json
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from chassis.rejection import Fault, Rejection, invalid

_SEAL_BYTES = 16
CURSOR_LENGTH_MAX = 2000
"""No cursor is longer: it holds one value of a column that is sorted by, a name at the most, however it is written."""


class CursorSeal:
    """Seals and opens cursors with a secret that all copies of a service share."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def seal(self, question: str, key: Any, id_: UUID) -> str:
        """Return the cursor after the item with this sort key and id, good for this one question."""
        content = json.dumps([_plain(key), str(id_)], separators=(",", ":"), ensure_ascii=False).encode()
        return base64.urlsafe_b64encode(self._mac(question, content) + content).rstrip(b"=").decode()

    def open(self, question: str, cursor: str) -> tuple[str, UUID]:
        """Return the sort key (as text) and id; refuse a cursor that was not made by us for this question."""
        try:
            raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except ValueError as error:
            raise _refused() from error
        seal, content = raw[:_SEAL_BYTES], raw[_SEAL_BYTES:]
        if not hmac.compare_digest(seal, self._mac(question, content)):
            raise _refused()
        key, id_ = json.loads(content)
        return key, UUID(id_)

    def _mac(self, question: str, content: bytes) -> bytes:
        message = question.encode() + b"\0" + content
        return hmac.digest(self._secret, message, hashlib.sha256)[:_SEAL_BYTES]


def _plain(key: Any) -> str:
    if isinstance(key, date):  # or an instant
        return key.isoformat()
    if isinstance(key, str | int | Decimal | UUID):
        return str(key)
    raise TypeError(f"a list cannot be sorted by {type(key).__name__}")


def _refused() -> Rejection:
    return invalid(Fault("after", "cursor-invalid", "This cursor is not one of this list with these filters."))
