"""The paths of a service's costs."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from chassis.caller import Caller
from chassis.http import ListQuery, Router, answer, needs, problems, sorted_by
from chassis.http.batches import Batch, BatchReport
from chassis.schemas import Day, PageOf
from service_catalog.costs import schemas
from service_catalog.costs.operations import Costs
from service_catalog.costs.tables import COSTS

Reader = Annotated[Caller, Depends(needs("catalog:read"))]
Writer = Annotated[Caller, Depends(needs("catalog:write"))]


class CostQuery(ListQuery):
    """What costs can be found by."""

    sort: Annotated[str | None, sorted_by(COSTS.sorts)] = None
    service_id: list[UUID] | None = None
    category: list[schemas.Category] | None = None
    nature: schemas.Nature | None = None
    period_start_from: Day | None = None
    period_start_to: Day | None = None
    period_end_from: Day | None = None
    period_end_to: Day | None = None
    vendor: str | None = None
    reference: str | None = None
    reversal_of: UUID | None = None
    reversed: Annotated[
        bool | None, Query(description="Only those that were taken back, or only those that stand.")
    ] = None
    external_source: str | None = None
    external_id: str | None = None


def router(costs: Costs) -> Router:
    """Return the paths of a service's costs."""
    routes = Router(tags=["costs"])

    @routes.get("/costs", response_model=PageOf[schemas.Cost])
    async def list_costs(request: Request, caller: Reader, query: Annotated[CostQuery, Query()]) -> Response:
        """List costs in the order they were booked, reversals among them; `q` looks into their texts."""
        return answer(request, await costs.list(caller, query.listing()))

    @routes.post("/costs", status_code=201, response_model=schemas.Cost, responses=problems(409))
    async def create_cost(request: Request, caller: Writer, new: schemas.NewCost) -> Response:
        """Book a cost of a service, negative for a credit; its reversal corrects it, or a batch by its external id."""
        return answer(request, await costs.create(caller, new))

    @routes.post("/costs:batch", response_model=BatchReport, responses=problems(409))
    async def batch_costs(request: Request, caller: Writer, batch: Batch[schemas.CostItem]) -> Response:
        """Book many costs; one with an external id that is known is brought up to date, any other is added.

        A cost that was reversed stays as it is. The service is named by its id or its key.
        """
        return answer(request, await costs.batch(caller, batch.judged(), batch.mode))

    @routes.get("/costs/{cost_id}", response_model=schemas.Cost, responses=problems(404))
    async def get_cost(request: Request, caller: Reader, cost_id: UUID) -> Response:
        """Return a cost."""
        return answer(request, await costs.get(caller, cost_id))

    @routes.post(
        "/costs/{cost_id}/reversal", status_code=201, response_model=schemas.Cost, responses=problems(404, 409)
    )
    async def reverse_cost(request: Request, caller: Writer, cost_id: UUID, reversal: schemas.CostReversal) -> Response:
        """Take a cost back, once, by booking it with the other sign; answers with the new cost."""
        return answer(request, await costs.reverse(caller, cost_id, reversal))

    return routes
