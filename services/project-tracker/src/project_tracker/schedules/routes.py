"""The path of a project's schedule."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from chassis.caller import Caller
from chassis.http import Router, answer, needs, problems
from project_tracker.moments import Moment
from project_tracker.schedules import schemas
from project_tracker.schedules.operations import Schedules

Reader = Annotated[Caller, Depends(needs("projects:read"))]
StatusAt = Annotated[
    Moment | None,
    Query(description="Remaining work starts no earlier; an instant, or a date, which means its end."),
]


def router(schedules: Schedules) -> Router:
    """Return the path of schedules."""
    routes = Router("/projects/{project_id}", tags=["plans"])

    @routes.get("/schedule", response_model=schemas.Schedule, responses=problems(404, 409))
    async def get_schedule(request: Request, caller: Reader, project_id: UUID, status_at: StatusAt = None) -> Response:
        """Compute the schedule of a project: early and late dates, floats, what drives each date, and conflicts.

        Without `status_at` nothing is moved to today. With it, progress reported until then counts and remaining
        work starts no earlier. 409 `plan-unschedulable` names what stands against any schedule.
        """
        return answer(request, await schedules.get(caller, project_id, status_at))

    return routes
