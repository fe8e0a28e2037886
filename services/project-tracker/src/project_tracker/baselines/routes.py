"""The paths of baselines."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from chassis.caller import Caller
from chassis.http import ListQuery, Router, UnsearchedListQuery, answer, needs, problems, sorted_by
from chassis.schemas import Instant, PageOf
from project_tracker.baselines import schemas
from project_tracker.baselines.operations import Baselines
from project_tracker.baselines.tables import BASELINE_TASKS, BASELINES
from project_tracker.plans.tasks.schemas import Kind

Reader = Annotated[Caller, Depends(needs("projects:read"))]
Writer = Annotated[Caller, Depends(needs("projects:write"))]


class BaselineQuery(UnsearchedListQuery):
    """What baselines can be found by."""

    sort: Annotated[str | None, sorted_by(BASELINES.sorts)] = None
    number: int | None = None
    approved_at_from: Instant | None = None
    approved_at_to: Instant | None = None
    external_source: str | None = None
    external_id: str | None = None


class BaselineTaskQuery(ListQuery):
    """What the tasks of a baseline can be found by."""

    sort: Annotated[str | None, sorted_by(BASELINE_TASKS.sorts)] = None
    task_id: UUID | None = None
    wbs: str | None = None
    kind: Kind | None = None


def router(baselines: Baselines) -> Router:
    """Return the paths of baselines."""
    routes = Router("/projects/{project_id}", tags=["baselines"])

    @routes.get("/baselines", response_model=PageOf[schemas.Baseline], responses=problems(404))
    async def list_baselines(
        request: Request, caller: Reader, project_id: UUID, query: Annotated[BaselineQuery, Query()]
    ) -> Response:
        """List the baselines of a project by their number."""
        return answer(request, await baselines.list(caller, query.listing(project_id)))

    @routes.post("/baselines", status_code=201, response_model=schemas.Baseline, responses=problems(404, 409))
    async def create_baseline(
        request: Request, caller: Writer, project_id: UUID, new: schemas.NewBaseline | None = None
    ) -> Response:
        """Freeze today's schedule as the project's baseline, approved at once; the body may be left out.

        Needs the scope `projects:approve`, and a project that is not yet executing. With `projects:import` explicit
        `tasks` and an earlier `approved_at` bring along what another tool froze, in any open state. 409
        `change-request-required`: there is an approved baseline already.
        """
        return answer(request, await baselines.create(caller, project_id, new or schemas.NewBaseline()))

    @routes.get("/baselines/{baseline_id}", response_model=schemas.Baseline, responses=problems(404))
    async def get_baseline(request: Request, caller: Reader, project_id: UUID, baseline_id: UUID) -> Response:
        """Return a baseline."""
        return answer(request, await baselines.get(caller, project_id, baseline_id))

    @routes.get("/baselines/{baseline_id}/tasks", response_model=PageOf[schemas.BaselineTask], responses=problems(404))
    async def list_baseline_tasks(
        request: Request,
        caller: Reader,
        project_id: UUID,
        baseline_id: UUID,
        query: Annotated[BaselineTaskQuery, Query()],
    ) -> Response:
        """List the tasks frozen in a baseline by their wbs."""
        return answer(request, await baselines.list_tasks(caller, project_id, query.listing(baseline_id)))

    return routes
