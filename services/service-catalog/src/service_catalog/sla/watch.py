"""The worker's watch over incidents: it tells of warnings and breaches, and closes what stayed resolved."""

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from chassis.caller import Caller
from chassis.database import Database, Transaction
from chassis.events.interruptions import DATABASE_AWAY
from chassis.events.leases import Lease, Leases
from chassis.events.notices import tell
from chassis.metrics import turned
from service_catalog.incidents.operations import Incidents
from service_catalog.sla import timers
from service_catalog.sla.clocks import Clock
from service_catalog.sla.documents import document_of
from service_catalog.sla.notices import ACTOR, note
from service_catalog.sla.operations import SlaClocks

LEASE = "sla"
EVERY_SECONDS = 5.0
AT_ONCE = 500
TOGETHER = 50  # what one transaction holds at the most, so that nobody waits for it long
CLOSED_AFTER = timedelta(days=7)
CLOSING_REASON = "It stayed resolved for 7 days."
PUT_OFF = timedelta(minutes=5)
_SECOND = timedelta(seconds=1)
_SETTLED = frozenset({"met", "cancelled"})

log = logging.getLogger(__name__)


class Watch:
    """Looks at each incident when its timer is due, in one process at a time; looking twice does nothing more."""

    def __init__(
        self, database: Database, *, clocks: SlaClocks, incidents: Incidents, every_seconds: float = EVERY_SECONDS
    ) -> None:
        self._database = database
        self._clocks = clocks
        self._incidents = incidents
        self._every_seconds = every_seconds

    async def run(self, leases: Leases, stop: asyncio.Event) -> None:
        """Watch until told to stop."""

        async def work(_: Lease) -> None:
            while not stop.is_set():
                if await self.turn() < AT_ONCE:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(stop.wait(), self._every_seconds)

        await leases.run(LEASE, work, stop)

    async def turn(self) -> int:
        """Look at what is due, and return how many incidents that were."""
        async with self._database.begin(Caller(org="", subject=ACTOR), read_only=True) as tx:
            due = await timers.due(tx, AT_ONCE)
        by_org: dict[str, list[UUID]] = {}
        for timer in due:
            by_org.setdefault(timer["org"], []).append(timer["incident_id"])
        for org, ids in by_org.items():
            for first in range(0, len(ids), TOGETHER):
                await self._look(Caller(org=org, subject=ACTOR), sorted(ids[first : first + TOGETHER]))
        turned()
        return len(due)

    async def _look(self, caller: Caller, ids: Sequence[UUID]) -> None:
        """Judge incidents in one transaction; where one of them cannot be judged, each by itself."""
        try:
            async with self._database.begin(caller) as tx:
                await self._judge(tx, ids)
        except DATABASE_AWAY:
            raise
        except Exception:  # one incident that cannot be judged does not hold up the others
            if len(ids) > 1:
                for id_ in ids:
                    await self._look(caller, [id_])
                return
            log.exception("an incident could not be judged", extra={"incident": str(ids[0])})
            async with self._database.begin(caller) as tx:
                await timers.set_to(tx, {ids[0]: tx.now + PUT_OFF})

    async def _judge(self, tx: Transaction, ids: Sequence[UUID]) -> None:
        """Judge those that nobody is changing; who changes one sets its timer anew."""
        held = await self._incidents.lock_free(tx, ids)
        due = await timers.lock_due(tx, [incident["id"] for incident in held])
        incidents = [incident for incident in held if incident["id"] in due]
        clocks_of = await self._clocks.clocks_of(tx, incidents)
        following: dict[UUID, datetime | None] = {}
        for incident in incidents:
            clocks = clocks_of[incident["id"]]
            for clock in clocks:
                await _tell_of(tx, incident, clock)
            if incident["state"] in {"closed", "cancelled"}:
                continue
            closing_at = closing_of(incident)
            if closing_at is not None and closing_at <= tx.now:
                await self._incidents.close(tx, incident, closing_at, CLOSING_REASON)
            else:
                following[incident["id"]] = next_look(clocks, closing_at)
        await timers.set_to(tx, following)
        await timers.drop(tx, [incident["id"] for incident in incidents if incident["id"] not in following])


def closing_of(incident: Any) -> datetime | None:
    """Return when an incident closes by itself; one that another tool leads is closed by that tool."""
    if incident["state"] != "resolved" or incident["external_source"] is not None:
        return None
    since: datetime = incident["state_since"]
    return since + CLOSED_AFTER


def next_look(clocks: Sequence[Clock], closing_at: datetime | None) -> datetime | None:
    """Return when there will be something to tell next, unless something changes before."""
    return min(_coming(clocks, closing_at), default=None)


def _coming(clocks: Sequence[Clock], closing_at: datetime | None) -> Iterable[datetime]:
    if closing_at is not None:
        yield closing_at
    for clock in clocks:
        if clock.state != "running" or clock.superseded_at is not None:
            continue
        if clock.warning_at is not None and not clock.is_warned:
            yield clock.warning_at
        if clock.due_at is not None:
            yield clock.due_at + _SECOND  # exactly on the deadline is met


async def _tell_of(tx: Transaction, incident: Any, clock: Clock) -> None:
    """Tell of a warning and of a breach, each once; a clock that has ended well is warned of no more."""
    if clock.state in _SETTLED or (clock.superseded_at is not None and clock.state != "breached"):
        return
    told = [("warned", clock.warning_at)] if clock.is_warned else []
    if clock.state == "breached":
        told.append(("breached", clock.due_at))
    target = clock.target
    for verb, at in told:
        names = {"metric": target.metric, "priority": target.priority}
        if at is None or not await note(tx, incident["id"], kind=verb, at=at, **names):
            continue
        about = {"incident_id": str(incident["id"]), "service_id": str(incident["service_id"])}
        await tell(
            tx,
            noun="incident_sla",
            verb=verb,
            subject=f"incident-slas/{incident['id']}/{target.metric}/{target.priority}",
            about=incident["id"],
            at=at,
            data=about | document_of(clock),
        )
