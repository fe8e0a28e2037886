"""The paths of incidents' SLA clocks."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from chassis.caller import Caller
from chassis.http import NAMED_MAX, Router, answer, needs, problems
from chassis.schemas import PageOf
from service_catalog.sla import schemas
from service_catalog.sla.operations import SlaClocks

Reader = Annotated[Caller, Depends(needs("catalog:read"))]


class SlaQuery(BaseModel):
    """Whose clocks are asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    incident_id: Annotated[list[UUID], Field(min_length=1, max_length=NAMED_MAX, description="Incidents; repeatable.")]


def router(clocks: SlaClocks) -> Router:
    """Return the paths of SLA clocks."""
    routes = Router(tags=["incidents"])

    @routes.get("/incidents/{incident_id}/sla", response_model=schemas.IncidentSla, responses=problems(404))
    async def get_incident_sla(request: Request, caller: Reader, incident_id: UUID) -> Response:
        """Tell how much of the times agreed for an incident is used up.

        The clock of the response stops at the first state after `new` and never pauses. That of the resolution pauses
        while the incident waits for its caller or a vendor, and in `resolved` before a reopening. Both count the
        working minutes of their calendar. A new priority brings new clocks, which start with the incident.

        A warning and a breach are events, `tandem.incident_sla.warned.v1` and `.breached.v1`. Where what was told turns
        out to be untrue, `.withdrawn.v1` tells how the clock stands.
        """
        return answer(request, await clocks.get(caller, incident_id))

    @routes.get("/incident-slas", response_model=PageOf[schemas.IncidentSla])
    async def list_incident_slas(request: Request, caller: Reader, query: Annotated[SlaQuery, Query()]) -> Response:
        """Tell the SLA clocks of several incidents at once, as of the same instant and in the order asked for.

        What does not exist is left out; there is one page.
        """
        return answer(request, await clocks.several(caller, query.incident_id))

    return routes
