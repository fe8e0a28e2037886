"""The paths of improvements."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from chassis.caller import Caller
from chassis.http import ExpectedVersion, ListQuery, OptionalVersion, Router, answer, needs, problems, sorted_by
from chassis.http.batches import Batch, BatchReport
from chassis.schemas import Instant, PageOf
from chassis.transitions import Transitions
from service_catalog.improvements import schemas
from service_catalog.improvements.operations import Improvements
from service_catalog.improvements.tables import IMPROVEMENTS

Reader = Annotated[Caller, Depends(needs("catalog:read"))]
Writer = Annotated[Caller, Depends(needs("catalog:write"))]


class ImprovementQuery(ListQuery):
    """What improvements can be found by."""

    sort: Annotated[str | None, sorted_by(IMPROVEMENTS.sorts)] = None
    service_id: list[UUID] | None = None
    state: list[schemas.State] | None = None
    outcome: list[schemas.Outcome] | None = None
    owner: str | None = None
    project_id: UUID | None = None
    origin_type: Annotated[
        schemas.OriginType | None, Query(description="Only those that came from something of this type.")
    ] = None
    origin_id: Annotated[str | None, Query(description="Only those that came from what has this id.")] = None
    planned_end_from: Instant | None = None
    planned_end_to: Instant | None = None
    first_planned_end_from: Instant | None = None
    first_planned_end_to: Instant | None = None
    approved_at_from: Instant | None = None
    approved_at_to: Instant | None = None
    started_at_from: Instant | None = None
    started_at_to: Instant | None = None
    closed_at_from: Instant | None = None
    closed_at_to: Instant | None = None
    external_source: str | None = None
    external_id: str | None = None


def router(improvements: Improvements) -> Router:
    """Return the paths of improvements."""
    routes = Router(tags=["improvements"])

    @routes.get("/improvements", response_model=PageOf[schemas.Improvement])
    async def list_improvements(
        request: Request, caller: Reader, query: Annotated[ImprovementQuery, Query()]
    ) -> Response:
        """List improvements, in the order they were recorded; `q` looks into title and description."""
        return answer(request, await improvements.list(caller, query.listing()))

    @routes.post("/improvements", status_code=201, response_model=schemas.Improvement, responses=problems(409))
    async def create_improvement(request: Request, caller: Writer, new: schemas.NewImprovement) -> Response:
        """Propose an improvement of a service."""
        return answer(request, await improvements.create(caller, new))

    @routes.post("/improvements:batch", response_model=BatchReport, responses=problems(409))
    async def batch_improvements(request: Request, caller: Writer, batch: Batch[schemas.ImprovementItem]) -> Response:
        """Add or change many improvements by their external id; the service is named by its id or its key.

        Instants, `state`, `outcome` and `history` bring the past of another tool along, free of the rules for
        transitions, and need the scope `catalog:import`. A history that is told again and otherwise takes the place of
        the recorded one, steps made here since included; that is a change even where nothing else differs.
        """
        return answer(request, await improvements.batch(caller, batch.judged(), batch.mode))

    @routes.get("/improvements/{improvement_id}", response_model=schemas.Improvement, responses=problems(404))
    async def get_improvement(request: Request, caller: Reader, improvement_id: UUID) -> Response:
        """Return an improvement."""
        return answer(request, await improvements.get(caller, improvement_id))

    @routes.patch("/improvements/{improvement_id}", response_model=schemas.Improvement, responses=problems(404, 409))
    async def update_improvement(
        request: Request,
        caller: Writer,
        improvement_id: UUID,
        patch: schemas.ImprovementPatch,
        version: ExpectedVersion,
    ) -> Response:
        """Change an improvement; one that is closed or cancelled keeps all but its labels."""
        return answer(request, await improvements.change(caller, improvement_id, patch, version))

    @routes.get("/improvements/{improvement_id}/transitions", response_model=Transitions, responses=problems(404))
    async def list_improvement_transitions(request: Request, caller: Reader, improvement_id: UUID) -> Response:
        """Tell where an improvement may go from its state, what stands in the way, and how it came here."""
        return answer(request, await improvements.transitions(caller, improvement_id))

    @routes.post(
        "/improvements/{improvement_id}/transitions",
        response_model=schemas.Improvement,
        responses=problems(404, 409),
    )
    async def transition_improvement(
        request: Request,
        caller: Writer,
        improvement_id: UUID,
        order: schemas.ImprovementTransition,
        version: OptionalVersion,
    ) -> Response:
        """Bring an improvement to another state.

        `approved` needs the scope `catalog:approve` and a `planned_end`, `closed` an `outcome`, `cancelled` a reason.
        """
        return answer(request, await improvements.transition(caller, improvement_id, order, version))

    return routes
