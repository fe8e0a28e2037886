"""The path that says how far the sources have been read."""

from typing import Annotated

from fastapi import Depends, Request, Response

from chassis.caller import Caller
from chassis.events.waiting import OwnWrites
from chassis.http import Router, answer, needs
from kpi_engine.intake import schemas
from kpi_engine.intake.operations import Intake

Reader = Annotated[Caller, Depends(needs("kpi:read"))]


def router(intake: Intake, own_writes: OwnWrites) -> Router:
    """Return the path of the projection."""
    routes = Router("/projection", tags=["projection"])
    routes.dependencies.append(Depends(own_writes))

    @routes.get("", response_model=schemas.ProjectionProgress)
    async def get_projection(request: Request, caller: Reader) -> Response:
        """Say how far each source's log has been read, how far that is behind, and what was put away."""
        return answer(request, await intake.progress(caller))

    return routes
