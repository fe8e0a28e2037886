"""What the worker watches incidents for.

It tells of warnings and breaches, and where they are none any more; and it closes what stayed resolved.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from chassis.database import Transaction
from chassis.events.notices import Notice, tell_all
from service_catalog.clocks.documents import told_of
from service_catalog.clocks.reckoning import Clock
from service_catalog.clocks.watch import coming, not_reached, to_tell
from service_catalog.incidents.operations import Incidents
from service_catalog.services.directory import closing_days_of
from service_catalog.sla.clocks import Target
from service_catalog.sla.documents import document_of
from service_catalog.sla.notices import note, withdraw
from service_catalog.sla.operations import SlaClocks
from service_catalog.sla.timers import TIMERS


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
        closing = [incident for incident in rows if closes_by_itself(incident)]
        days_of = await closing_days_of(tx, {incident["service_id"] for incident in closing}) if closing else {}
        untrue = await withdraw(tx, [one for id_, clocks in clocks_of.items() for one in _not_reached(id_, clocks)])
        following: dict[UUID, datetime | None] = {}
        for incident in rows:
            clocks = clocks_of[incident["id"]]
            for clock in clocks:
                is_untrue = (incident["id"], clock.target.metric, clock.target.priority) in untrue
                await _tell_of(tx, incident, clock, is_untrue=is_untrue)
            if incident["state"] in {"closed", "cancelled"}:
                continue
            looks = [*coming(clocks)]
            if closes_by_itself(incident):
                days = days_of[incident["service_id"]]
                closing_at = incident["state_since"] + timedelta(days=days)
                if closing_at <= tx.now:
                    await self._incidents.close(tx, incident, closing_at, f"It stayed resolved for {days} days.")
                    continue
                looks.append(closing_at)
            following[incident["id"]] = min(looks, default=None)
        return following


def closes_by_itself(incident: Any) -> bool:
    """Tell whether an incident closes when it has stayed resolved; one that another tool leads is closed by that."""
    return incident["state"] == "resolved" and incident["external_source"] is None


def _not_reached(incident_id: UUID, clocks: Sequence[Clock[Target]]) -> Iterator[tuple[UUID, str, str, str]]:
    """Give the warnings and breaches that there are none of as the clocks stand now."""
    for clock in clocks:
        for kind in not_reached(clock):
            yield incident_id, clock.target.metric, clock.target.priority, kind


async def _tell_of(tx: Transaction, incident: Any, clock: Clock[Target], *, is_untrue: bool) -> None:
    """Tell that what was told of a clock is untrue, and of a warning and of a breach, each once."""
    notices = [_notice(incident, clock, "withdrawn", tx.now)] if is_untrue else []
    names = {"metric": clock.target.metric, "priority": clock.target.priority}
    for verb, at in to_tell(clock):
        if await note(tx, incident["id"], kind=verb, at=at, **names):
            notices.append(_notice(incident, clock, verb, at))
    await tell_all(tx, notices)


def _notice(incident: Any, clock: Clock[Target], verb: str, at: datetime) -> Notice:
    about = {"incident_id": str(incident["id"]), "service_id": str(incident["service_id"])}
    return Notice(
        noun="incident_sla",
        verb=verb,
        subject=f"incident-slas/{incident['id']}/{clock.target.metric}/{clock.target.priority}",
        about=incident["id"],
        at=at,
        data=about | told_of(document_of(clock)),
    )
