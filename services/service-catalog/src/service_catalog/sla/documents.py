"""SLA clocks as they are shown and told."""

from typing import Any

from service_catalog.clocks import documents
from service_catalog.clocks.reckoning import Clock
from service_catalog.sla.clocks import Target


def document_of(clock: Clock[Target]) -> dict[str, Any]:
    """Return a clock as JSON."""
    target = clock.target
    elapsed = clock.elapsed_seconds // 60
    return documents.document_of(clock) | {
        "metric": target.metric,
        "priority": target.priority,
        "service_level_id": None if target.service_level_id is None else str(target.service_level_id),
        "superseded_at": documents.text_of(clock.superseded_at),
        "elapsed_minutes": elapsed,
        "remaining_minutes": target.minutes - elapsed,
    }
