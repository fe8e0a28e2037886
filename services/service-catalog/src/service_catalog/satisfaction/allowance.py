"""How often one may ask where no login is needed: a bucket of tokens for each name, refilled as time goes by."""

import math
from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

from chassis.rejection import Rejection

NAMES_KEPT = 10_000


class Allowance:
    """Lets each name do something `burst` times at once and then once in `seconds`; in this process only."""

    def __init__(self, *, burst: int, seconds: float, now: Callable[[], float] = monotonic) -> None:
        self._burst = burst
        self._seconds = seconds
        self._now = now
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, name: str) -> None:
        """Take one, or refuse and tell when to come back."""
        now = self._now()
        full_at = max(self._full_at.get(name, now), now) + self._seconds
        wait = full_at - now - self._burst * self._seconds
        if wait > 0:
            detail = "Too many answers at once; come back later."
            raise Rejection("rate_limited", "too-many-requests", detail, retry_after_seconds=math.ceil(wait))
        self._full_at[name] = full_at
        self._full_at.move_to_end(name)
        if len(self._full_at) > NAMES_KEPT:
            self._full_at.popitem(last=False)
