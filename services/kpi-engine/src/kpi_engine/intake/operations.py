"""How far the sources have been read."""

import json
from typing import Any

from chassis.caller import Caller
from chassis.database import Database
from chassis.events.progress import Progress, progress
from chassis.outcome import Found
from chassis.schemas import instant_text
from kpi_engine.facts.in_force import filling_in_force


class Intake:
    """What is known of the reading of the siblings' logs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def progress(self, caller: Caller) -> Found:
        """Return how far each source has been read for the facts that answer, and for those being filled anew."""
        async with self._database.read(caller) as tx:
            filling = await filling_in_force(tx)
            sources = await progress(tx)
        body = {
            "projection": filling,
            "items": [_shown(one) for one in sources if one.projection == filling],
            "next": None,
            "rebuilding": [_shown(one) for one in sources if one.projection > filling],
        }
        return Found(json.dumps(body))


def _shown(one: Progress) -> dict[str, Any]:
    return {
        "source": one.source,
        "position": str(one.position),
        "head": str(one.head),
        "head_seen_at": None if one.head_seen_at is None else instant_text(one.head_seen_at),
        "lag_positions": one.lag_positions,
        "lag_seconds": f"{one.lag_seconds:.3f}",
        "as_of": None if one.as_of is None else instant_text(one.as_of),
        "quarantined": one.quarantined,
        "rereading": one.rereading,
        "stopped_because": one.stopped_because,
    }
