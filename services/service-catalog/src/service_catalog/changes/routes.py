"""The paths of changes."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from chassis.caller import Caller
from chassis.http import ExpectedVersion, ListQuery, OptionalVersion, Router, answer, needs, problems, sorted_by
from chassis.http.batches import Batch, BatchReport
from chassis.schemas import Instant, PageOf
from chassis.transitions import Transitions
from service_catalog.changes import schemas
from service_catalog.changes.operations import APPROVE, Changes
from service_catalog.changes.tables import CHANGES

Reader = Annotated[Caller, Depends(needs("catalog:read"))]
Writer = Annotated[Caller, Depends(needs("catalog:write"))]
Approver = Annotated[Caller, Depends(needs(APPROVE))]


class ChangeQuery(ListQuery):
    """What changes can be found by."""

    sort: Annotated[str | None, sorted_by(CHANGES.sorts)] = None
    service_id: Annotated[UUID | None, Query(description="Only those with this one among their services.")] = None
    state: list[schemas.State] | None = None
    type: list[schemas.Type] | None = None
    risk: list[schemas.Risk] | None = None
    outcome: list[schemas.Outcome] | None = None
    requester: str | None = None
    implementer: str | None = None
    approved_by: str | None = None
    incident_id: UUID | None = None
    maintenance_window_id: UUID | None = None
    planned_start_from: Instant | None = None
    planned_start_to: Instant | None = None
    planned_end_from: Instant | None = None
    planned_end_to: Instant | None = None
    actual_start_from: Instant | None = None
    actual_start_to: Instant | None = None
    actual_end_from: Instant | None = None
    actual_end_to: Instant | None = None
    approved_at_from: Instant | None = None
    approved_at_to: Instant | None = None
    external_source: str | None = None
    external_id: str | None = None


def router(changes: Changes) -> Router:
    """Return the paths of changes."""
    routes = Router(tags=["changes"])

    @routes.get("/changes", response_model=PageOf[schemas.Change])
    async def list_changes(request: Request, caller: Reader, query: Annotated[ChangeQuery, Query()]) -> Response:
        """List changes, in the order they were recorded; `q` looks into title and description.

        `service_id` finds the changes that name a service, among others or alone.
        """
        return answer(request, await changes.list(caller, query.listing()))

    @routes.post("/changes", status_code=201, response_model=schemas.Change, responses=problems(409))
    async def create_change(request: Request, caller: Writer, new: schemas.NewChange) -> Response:
        """Draft a change of one or several services."""
        return answer(request, await changes.create(caller, new))

    @routes.post("/changes:batch", response_model=BatchReport, responses=problems(409))
    async def batch_changes(request: Request, caller: Writer, batch: Batch[schemas.ChangeItem]) -> Response:
        """Add or change many changes by their external id; the services are named by their ids or keys.

        `state`, `history`, `outcome`, the actual span and the approval bring the past of another tool along, free of
        the rules for transitions, and need the scope `catalog:import`. It is held against nothing, and no maintenance
        window is opened or moved for it. A history that is told again and otherwise takes the place of the recorded
        one, steps made here since included; that is a change even where nothing else differs.
        """
        return answer(request, await changes.batch(caller, batch.judged(), batch.mode))

    @routes.get("/changes/{change_id}", response_model=schemas.Change, responses=problems(404))
    async def get_change(request: Request, caller: Reader, change_id: UUID) -> Response:
        """Return a change."""
        return answer(request, await changes.get(caller, change_id))

    @routes.patch("/changes/{change_id}", response_model=schemas.Change, responses=problems(404, 409))
    async def update_change(
        request: Request, caller: Writer, change_id: UUID, patch: schemas.ChangePatch, version: ExpectedVersion
    ) -> Response:
        """Change a change; what an approval is about stays from `approved` on (`change-fixed`)."""
        return answer(request, await changes.change(caller, change_id, patch, version))

    @routes.get("/changes/{change_id}/transitions", response_model=Transitions, responses=problems(404))
    async def list_change_transitions(request: Request, caller: Reader, change_id: UUID) -> Response:
        """Tell where a change may go from its state, what stands in the way, and how it came here."""
        return answer(request, await changes.transitions(caller, change_id))

    @routes.post("/changes/{change_id}/transitions", response_model=schemas.Change, responses=problems(404, 409))
    async def transition_change(
        request: Request, caller: Writer, change_id: UUID, order: schemas.ChangeTransition, version: OptionalVersion
    ) -> Response:
        """Bring a change to another state.

        `approved` and `rejected` need the scope `catalog:approve`, and whoever approves is neither the requester nor
        who wrote the change down or requested it. A standard change of low risk goes from `draft` to `scheduled` at
        once, an emergency change from `draft` or `requested` to `implementing`. `scheduled` is refused while something
        is in the way (see `conflicts`), unless an approver accepts it for a reason. A maintenance window that the
        change opens is announced when it is scheduled, begins and ends with it, and is cancelled with it; one that
        somebody has moved on by hand stays where it is.
        """
        return answer(request, await changes.transition(caller, change_id, order, version))

    @routes.post("/changes/{change_id}/approvals", response_model=schemas.Change, responses=problems(404, 409))
    async def approve_change_afterwards(
        request: Request, caller: Approver, change_id: UUID, order: schemas.ChangeApproval, version: OptionalVersion
    ) -> Response:
        """Approve an emergency change that did not wait for it, while it is `implementing` or in `review`.

        It needs this before it is closed. Whoever approves is neither the requester nor who wrote it down or requested
        it.
        """
        return answer(request, await changes.approve_afterwards(caller, change_id, order, version))

    @routes.get("/changes/{change_id}/conflicts", response_model=schemas.Conflicts, responses=problems(404))
    async def list_change_conflicts(request: Request, caller: Reader, change_id: UUID) -> Response:
        """Tell what a change conflicts with.

        Those are the changes that are `approved`, `scheduled` or `implementing`, and the maintenance windows that are
        `scheduled` or `in_progress`, whose spans overlap its own and that share a service with it, or have one that is
        a hard dependency away. A span is the planned one until the real one is known: what has begun occupies its
        services from then on, past its planned end too, and no longer once it has ended.
        """
        return answer(request, await changes.conflicts(caller, change_id))

    return routes
