"""What the worker watches incidents for: it tells of warnings and breaches, and closes what stayed resolved."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from chassis.database import Transaction
from chassis.events.notices import tell
from service_catalog.clocks.documents import told_of
from service_catalog.clocks.reckoning import Clock
from service_catalog.clocks.watch import coming, to_tell
from service_catalog.incidents.operations import Incidents
from service_catalog.sla.clocks import Target
from service_catalog.sla.documents import document_of
from service_catalog.sla.notices import note
from service_catalog.sla.operations import SlaClocks
from service_catalog.sla.timers import TIMERS

CLOSED_AFTER = timedelta(days=7)
CLOSING_REASON = "It stayed resolved for 7 days."


class WatchedIncidents:
    """Incidents, as the watch looks at them."""

    timers = TIMERS

    def __init__(self, *, clocks: SlaClocks, incidents: Incidents) -> None:
        self._clocks = clocks
        self._incidents = incidents

    async def lock_free(self, tx: Transaction, ids: Sequence[UUID]) -> Sequence[Any]:
        """Lock those of the incidents that nobody holds, and return their rows."""
        return await self._incidents.lock_free(tx, ids)

    async def judge(self, tx: Transaction, rows: Sequence[Any]) -> Mapping[UUID, datetime | None]:
        """Tell of incidents' clocks, close what stayed resolved, and return when the others are looked at next."""
        clocks_of = await self._clocks.clocks_of(tx, rows)
        following: dict[UUID, datetime | None] = {}
        for incident in rows:
            clocks = clocks_of[incident["id"]]
            for clock in clocks:
                await _tell_of(tx, incident, clock)
            if incident["state"] in {"closed", "cancelled"}:
                continue
            closing_at = closing_of(incident)
            if closing_at is not None and closing_at <= tx.now:
                await self._incidents.close(tx, incident, closing_at, CLOSING_REASON)
            else:
                looks = [*coming(clocks), *([] if closing_at is None else [closing_at])]
                following[incident["id"]] = min(looks, default=None)
        return following


def closing_of(incident: Any) -> datetime | None:
    """Return when an incident closes by itself; one that another tool leads is closed by that tool."""
    if incident["state"] != "resolved" or incident["external_source"] is not None:
        return None
    since: datetime = incident["state_since"]
    return since + CLOSED_AFTER


async def _tell_of(tx: Transaction, incident: Any, clock: Clock[Target]) -> None:
    """Tell of a warning and of a breach, each once."""
    target = clock.target
    for verb, at in to_tell(clock):
        names = {"metric": target.metric, "priority": target.priority}
        if not await note(tx, incident["id"], kind=verb, at=at, **names):
            continue
        about = {"incident_id": str(incident["id"]), "service_id": str(incident["service_id"])}
        await tell(
            tx,
            noun="incident_sla",
            verb=verb,
            subject=f"incident-slas/{incident['id']}/{target.metric}/{target.priority}",
            about=incident["id"],
            at=at,
            data=about | told_of(document_of(clock)),
        )
