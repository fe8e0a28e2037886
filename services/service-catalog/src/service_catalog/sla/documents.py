"""SLA clocks as they are shown and told."""

from datetime import datetime
from typing import Any

from chassis.schemas import instant_text
from service_catalog.sla.clocks import Clock


def document_of(clock: Clock) -> dict[str, Any]:
    """Return a clock as JSON."""
    target = clock.target
    elapsed = clock.elapsed_seconds // 60
    return {
        "metric": target.metric,
        "priority": target.priority,
        "target_minutes": target.minutes,
        "calendar_id": None if target.calendar_id is None else str(target.calendar_id),
        "service_level_id": None if target.service_level_id is None else str(target.service_level_id),
        "state": clock.state,
        "started_at": instant_text(clock.started_at),
        "due_at": _text(clock.due_at),
        "warning_at": _text(clock.warning_at),
        "warned": clock.is_warned,
        "breached_at": _text(clock.due_at) if clock.state == "breached" else None,
        "stopped_at": _text(clock.stopped_at),
        "superseded_at": _text(clock.superseded_at),
        "elapsed_minutes": elapsed,
        "remaining_minutes": target.minutes - elapsed,
        "paused": [
            {"from": instant_text(pause.since), "to": _text(pause.until), "reason": pause.reason}
            for pause in clock.pauses
        ],
    }


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else instant_text(instant)
