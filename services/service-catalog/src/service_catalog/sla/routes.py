"""The path of an incident's SLA clocks."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response

from chassis.caller import Caller
from chassis.http import Router, answer, needs, problems
from service_catalog.sla import schemas
from service_catalog.sla.operations import SlaClocks

Reader = Annotated[Caller, Depends(needs("catalog:read"))]


def router(clocks: SlaClocks) -> Router:
    """Return the path of SLA clocks."""
    routes = Router(tags=["incidents"])

    @routes.get("/incidents/{incident_id}/sla", response_model=schemas.IncidentSla, responses=problems(404))
    async def get_incident_sla(request: Request, caller: Reader, incident_id: UUID) -> Response:
        """Tell how much of the times agreed for an incident is used up.

        The clock of the response stops at the first state after `new` and never pauses. That of the resolution pauses
        while the incident waits for its caller or a vendor, and in `resolved` before a reopening. Both count the
        working minutes of their calendar. A new priority brings new clocks, which start with the incident.
        """
        return answer(request, await clocks.get(caller, incident_id))

    return routes
