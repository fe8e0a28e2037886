"""Which service incidents are of, for the slices whose resources may be about one."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.database import Reading, Statement
from chassis.rejection import Fault
from service_catalog.incidents.tables import incident

_SERVICES = Statement(
    select(incident.c.id, incident.c.service_id).where(
        incident.c.id == func.any(bindparam("ids", type_=ARRAY(Uuid, dimensions=1)))
    )
)


async def services_of(tx: Reading, incident_ids: Iterable[UUID | None]) -> Mapping[UUID, UUID]:
    """Return the service of each of the incidents that exist."""
    wanted = sorted({id_ for id_ in incident_ids if id_ is not None})
    return {row["id"]: row["service_id"] for row in await tx.all(_SERVICES, ids=wanted)} if wanted else {}


def faults_of_incident(incident_id: UUID | None, service_id: UUID, services: Mapping[UUID, UUID]) -> list[Fault]:
    """Return what is wrong where something about a service names an incident of another one."""
    if incident_id is None or services.get(incident_id, service_id) == service_id:
        return []
    return [Fault("/incident_id", "of-another-service", "This incident is of another service.")]
