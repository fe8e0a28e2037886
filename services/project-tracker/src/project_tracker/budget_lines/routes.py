"""The paths of budget lines."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from chassis.caller import Caller
from chassis.http import ExpectedVersion, ListQuery, Router, answer, needs, problems, sorted_by
from chassis.http.batches import Batch, BatchReport
from chassis.schemas import Instant, PageOf
from project_tracker.budget_lines import schemas
from project_tracker.budget_lines.operations import BudgetLines
from project_tracker.budget_lines.tables import BUDGET_LINES

Reader = Annotated[Caller, Depends(needs("projects:read"))]
Writer = Annotated[Caller, Depends(needs("projects:write"))]


class BudgetLineQuery(ListQuery):
    """What budget lines can be found by."""

    sort: Annotated[str | None, sorted_by(BUDGET_LINES.sorts)] = None
    task_id: UUID | None = None
    period_start_from: Instant | None = None
    period_start_to: Instant | None = None
    external_source: str | None = None
    external_id: str | None = None


def router(lines: BudgetLines) -> Router:
    """Return the paths of budget lines."""
    routes = Router("/projects/{project_id}", tags=["costs"])

    @routes.get("/budget-lines", response_model=PageOf[schemas.BudgetLine], responses=problems(404))
    async def list_budget_lines(
        request: Request, caller: Reader, project_id: UUID, query: Annotated[BudgetLineQuery, Query()]
    ) -> Response:
        """List the budget lines of a project, oldest first."""
        return answer(request, await lines.list(caller, query.listing(project_id)))

    @routes.post("/budget-lines", status_code=201, response_model=schemas.BudgetLine, responses=problems(404, 409))
    async def create_budget_line(
        request: Request, caller: Writer, project_id: UUID, new: schemas.NewBudgetLine
    ) -> Response:
        """Plan value over a period, in place of what the budgets of the task would plan."""
        return answer(request, await lines.create(caller, project_id, new))

    @routes.post("/budget-lines:batch", response_model=BatchReport, responses=problems(404, 409))
    async def batch_budget_lines(
        request: Request, caller: Writer, project_id: UUID, batch: Batch[schemas.NewBudgetLine]
    ) -> Response:
        """Add many budget lines; one with an external id that is known is brought up to date."""
        return answer(request, await lines.batch(caller, project_id, batch.judged(), batch.mode))

    @routes.get("/budget-lines/{line_id}", response_model=schemas.BudgetLine, responses=problems(404))
    async def get_budget_line(request: Request, caller: Reader, project_id: UUID, line_id: UUID) -> Response:
        """Return a budget line."""
        return answer(request, await lines.get(caller, project_id, line_id))

    @routes.delete("/budget-lines/{line_id}", response_model=schemas.BudgetLine, responses=problems(404, 409))
    async def delete_budget_line(
        request: Request, caller: Writer, project_id: UUID, line_id: UUID, version: ExpectedVersion
    ) -> Response:
        """Take a budget line out of the plan; answers with its last representation."""
        return answer(request, await lines.delete(caller, project_id, line_id, version))

    return routes
