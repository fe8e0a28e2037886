"""How long a client is willing to wait: `Prefer: wait=20` (RFC 7240)."""

import re
from collections.abc import Iterable

_WAIT = re.compile(r'\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:;.*)?', re.ASCII | re.IGNORECASE)


def wait_preferred(values: Iterable[str], *, seconds_max: float) -> float | None:
    """Return the seconds asked for, no more than are granted; None where no such preference is told.

    Preferences nobody understands are ignored, as the standard says.
    """
    for value in values:
        for preference in value.split(","):
            found = _WAIT.fullmatch(preference)
            if found:
                return min(float(found[1]), seconds_max)
    return None
