"""The paths of a project's costs."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from chassis.caller import Caller
from chassis.http import ListQuery, Router, answer, needs, problems, sorted_by
from chassis.http.batches import Batch, BatchReport
from chassis.schemas import Instant, PageOf
from project_tracker.costs import schemas
from project_tracker.costs.operations import Costs
from project_tracker.costs.tables import COSTS

Reader = Annotated[Caller, Depends(needs("projects:read"))]
Writer = Annotated[Caller, Depends(needs("projects:write"))]


class CostQuery(ListQuery):
    """What costs can be found by."""

    sort: Annotated[str | None, sorted_by(COSTS.sorts)] = None
    task_id: UUID | None = None
    category: schemas.Category | None = None
    incurred_at_from: Instant | None = None
    incurred_at_to: Instant | None = None
    reference: str | None = None
    reversal_of: UUID | None = None
    external_source: str | None = None
    external_id: str | None = None


def router(costs: Costs) -> Router:
    """Return the paths of a project's costs."""
    routes = Router("/projects/{project_id}", tags=["costs"])

    @routes.get("/costs", response_model=PageOf[schemas.Cost], responses=problems(404))
    async def list_project_costs(
        request: Request, caller: Reader, project_id: UUID, query: Annotated[CostQuery, Query()]
    ) -> Response:
        """List the costs of a project, oldest first, reversals among them."""
        return answer(request, await costs.list(caller, query.listing(project_id)))

    @routes.post("/costs", status_code=201, response_model=schemas.Cost, responses=problems(404, 409))
    async def create_project_cost(request: Request, caller: Writer, project_id: UUID, new: schemas.NewCost) -> Response:
        """Book a cost, negative for a credit, in the project's currency."""
        return answer(request, await costs.create(caller, project_id, new))

    @routes.post("/costs:batch", response_model=BatchReport, responses=problems(404, 409))
    async def batch_project_costs(
        request: Request, caller: Writer, project_id: UUID, batch: Batch[schemas.NewCost]
    ) -> Response:
        """Book many costs; one with an external id that is known is brought up to date, any other is added."""
        return answer(request, await costs.batch(caller, project_id, batch.judged(), batch.mode))

    @routes.get("/costs/{cost_id}", response_model=schemas.Cost, responses=problems(404))
    async def get_project_cost(request: Request, caller: Reader, project_id: UUID, cost_id: UUID) -> Response:
        """Return a cost."""
        return answer(request, await costs.get(caller, project_id, cost_id))

    @routes.post(
        "/costs/{cost_id}/reversal", status_code=201, response_model=schemas.Cost, responses=problems(404, 409)
    )
    async def reverse_project_cost(
        request: Request, caller: Writer, project_id: UUID, cost_id: UUID, reversal: schemas.Reversal
    ) -> Response:
        """Take a cost back, once, by booking it with the other sign; answers with the new cost."""
        return answer(request, await costs.reverse(caller, project_id, cost_id, reversal))

    return routes
