"""The paths of a project's earned value."""

import json
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from chassis.caller import Caller
from chassis.events.waiting import OwnWrites
from chassis.http import Router, answer, needs, problems
from chassis.outcome import Found
from kpi_engine.earned_value import schemas
from kpi_engine.earned_value.operations import EarnedValues

Reader = Annotated[Caller, Depends(needs("kpi:read"))]


def router(earned_values: EarnedValues, own_writes: OwnWrites) -> Router:
    """Return the paths of earned value; they wait for what `After-Event` names."""
    routes = Router("/projects/{project_id}/earned-value", tags=["earned value"])
    routes.dependencies.append(Depends(own_writes))

    @routes.get("", response_model=schemas.EarnedValue, responses=problems(404))
    async def get_earned_value(
        request: Request, caller: Reader, project_id: UUID, query: Annotated[schemas.EarnedValueQuery, Query()]
    ) -> Response:
        """Return all earned-value and earned-schedule figures of a project at a status time.

        Each figure is `{value, status, reason}`: where a question has no answer, the reason says why.
        """
        body = await earned_values.at(caller, project_id, query.status_at, query.asked())
        return answer(request, Found(json.dumps(body)))

    @routes.get("/series", response_model=schemas.EarnedValueSeries, responses=problems(404))
    async def list_earned_values(
        request: Request, caller: Reader, project_id: UUID, query: Annotated[schemas.SeriesQuery, Query()]
    ) -> Response:
        """Return the same figures at the end of each day, week, month … of a span: what an S-curve is drawn from."""
        body = await earned_values.series(caller, project_id, query.start, query.end, query.grain, query.asked())
        return answer(request, Found(json.dumps(body)))

    return routes
