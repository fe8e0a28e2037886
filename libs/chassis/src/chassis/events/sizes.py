"""How large an event may be, and what is told of a change whose event would be larger."""

from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json

from chassis.rejection import Fault, Rejection, invalid

EVENT_MAX = 64 * 1024  # bytes of UTF-8, as the feed tells it
ENVELOPE_MAX = 2 * 1024
DATA_MAX = EVENT_MAX - ENVELOPE_MAX
ROOM = 56 * 1024
"""What clients may fill of an event's data; the rest is kept for the states, instants and names of later steps."""
LIGHT_MAX = 2 * 1024
"""What brings along no more than this is such a step: it is never held against what was there before."""
_NO_TEXT = frozenset({"from", "to", "actor"})


def too_large(
    noun: str, values: Mapping[str, Any], change: Mapping[str, Any] | None, size: int, room: int
) -> Rejection | None:
    """Return why a change is refused whose event's data has so many bytes, if it is.

    `values` are what is written of what clients see, `change` what the event tells beside it; the largest is named.
    """
    if size <= room:
        return None
    parts = {name: len(to_json(value)) for name, value in values.items()}
    for name, value in (change or {}).items():
        if name not in _NO_TEXT:
            parts[name] = len(to_json(value))
    if size <= DATA_MAX and sum(parts.values()) <= LIGHT_MAX:
        return None
    largest = max(reversed(parts), key=lambda name: parts[name], default="")
    message = f"This is too large: what is kept of the {noun} in all is at most {room} bytes."
    return invalid(Fault(f"/{largest}" if parts else "", "too-large", message))
