"""The one source of ids."""

import os
import time
from uuid import UUID

_NANOSECONDS = 1_000_000  # of a millisecond
_TICKS = 4096  # of a millisecond
_last = 0


def new_id() -> UUID:
    """Return a UUIDv7 (RFC 9562, method 3): Unix milliseconds, the 4,096th of one, 62 random bits.

    Those of one process rise, so that what is recorded in one transaction keeps its order.
    """
    global _last  # noqa: PLW0603  (the clock of this process)
    _last = ticks = max(time.time_ns() * _TICKS // _NANOSECONDS, _last + 1)
    milliseconds, fraction = divmod(ticks, _TICKS)
    random = int.from_bytes(os.urandom(8), "big") & 0x3FFF_FFFF_FFFF_FFFF
    return UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random)
