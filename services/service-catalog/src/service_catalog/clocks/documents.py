"""Clocks as they are shown and told."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chassis.schemas import instant_text
from service_catalog.clocks.reckoning import Clock

PAUSES_TOLD_MAX = 200


def told_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a clock as an event tells it: only its newest pauses, so that the event stays small."""
    return dict(document) | {"paused": document["paused"][-PAUSES_TOLD_MAX:]}


def document_of(clock: Clock[Any]) -> dict[str, Any]:
    """Return what every clock tells, as JSON."""
    target = clock.target
    return {
        "target_minutes": target.minutes,
        "calendar_id": None if target.calendar_id is None else str(target.calendar_id),
        "state": clock.state,
        "started_at": instant_text(clock.started_at),
        "due_at": text_of(clock.due_at),
        "warning_at": text_of(clock.warning_at),
        "warned": clock.is_warned,
        "breached_at": text_of(clock.due_at) if clock.state == "breached" else None,
        "stopped_at": text_of(clock.stopped_at),
        "paused": [
            {"from": instant_text(pause.since), "to": text_of(pause.until), "reason": pause.reason}
            for pause in clock.pauses
        ],
    }


def text_of(instant: datetime | None) -> str | None:
    """Write an instant that there may not be."""
    return None if instant is None else instant_text(instant)
