"""The timers of incidents; an incident's timer is locked after the incident itself."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import Uuid, bindparam, func
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.database import Transaction
from service_catalog.clocks.timers import Timers
from service_catalog.sla.tables import incident_timer

TIMERS = Timers(incident_timer, "incident_id", beside=("service_id",))
_RECHECK_SERVICES = TIMERS.rechecking(
    incident_timer.c.service_id == func.any(bindparam("service_ids", type_=ARRAY(Uuid, dimensions=1)))
)


async def mark(tx: Transaction, incidents: Mapping[UUID, UUID]) -> None:
    """Have incidents looked at that have changed; each with its service."""
    await TIMERS.mark(tx, incidents.items())


async def recheck_services(tx: Transaction, service_ids: Sequence[UUID]) -> None:
    """Have the incidents of services looked at: what their clocks run by has changed."""
    if service_ids:
        await tx.run(_RECHECK_SERVICES, service_ids=service_ids, now=tx.now)
