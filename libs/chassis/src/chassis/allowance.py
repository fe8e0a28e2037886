"""How often one may ask: a bucket of tokens for each name, refilled as time goes by."""

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable
from time import monotonic

from chassis.rejection import Quota, too_many

NAMES_KEPT = 10_000


class Allowance:
    """Lets each name do something `burst` times at once and then once in `seconds`; in this process only.

    `policy` is what a client is told that this allowance is called.
    """

    def __init__(self, policy: str, *, burst: int, seconds: float, now: Callable[[], float] = monotonic) -> None:
        self._policy = policy
        self._burst = burst
        self._seconds = seconds
        self._now = now
        self._full_at: OrderedDict[Hashable, float] = OrderedDict()

    def take(self, name: Hashable) -> None:
        """Take one, or refuse and tell when to come back."""
        now = self._now()
        full_at = max(self._full_at.get(name, now), now) + self._seconds
        wait = full_at - now - self._burst * self._seconds
        if wait > 0:
            window = math.ceil(self._burst * self._seconds)
            quota = Quota(self._policy, self._burst, window_seconds=window, more_in_seconds=math.ceil(wait))
            raise too_many("That was too often; come back later.", quota)
        self._full_at[name] = full_at
        self._full_at.move_to_end(name)
        if len(self._full_at) > NAMES_KEPT:
            self._full_at.popitem(last=False)
