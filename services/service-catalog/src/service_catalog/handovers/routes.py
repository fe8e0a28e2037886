"""The paths of handovers."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from chassis.caller import Caller
from chassis.events.waiting import OwnWrites
from chassis.http import ListQuery, OptionalVersion, Router, answer, needs, problems, sorted_by
from chassis.schemas import Instant, PageOf
from chassis.transitions import Transitions
from service_catalog.handovers import schemas
from service_catalog.handovers.operations import Handovers
from service_catalog.handovers.tables import HANDOVERS

Reader = Annotated[Caller, Depends(needs("catalog:read"))]
Approver = Annotated[Caller, Depends(needs("catalog:approve"))]


class HandoverQuery(ListQuery):
    """What handovers can be found by."""

    sort: Annotated[str | None, sorted_by(HANDOVERS.sorts)] = None
    service_id: list[UUID] | None = None
    project_id: list[UUID] | None = None
    state: list[schemas.State] | None = None
    requested_at_from: Instant | None = None
    requested_at_to: Instant | None = None


def router(handovers: Handovers, own_writes: OwnWrites) -> Router:
    """Return the paths of handovers; they wait for what `After-Event` names."""
    routes = Router("/handovers", tags=["handovers"])
    routes.dependencies.append(Depends(own_writes))

    @routes.get("", response_model=PageOf[schemas.Handover])
    async def list_handovers(request: Request, caller: Reader, query: Annotated[HandoverQuery, Query()]) -> Response:
        """List what projects have handed over, oldest first; `q` looks into the project's key.

        A handover comes by the event `tandem.handover.requested.v1` of the project tracker and by nothing else.
        """
        return answer(request, await handovers.list(caller, query.listing()))

    @routes.get("/{handover_id}", response_model=schemas.Handover, responses=problems(404))
    async def get_handover(request: Request, caller: Reader, handover_id: UUID) -> Response:
        """Return a handover; its id is the one it has in the project tracker."""
        return answer(request, await handovers.get(caller, handover_id))

    @routes.get("/{handover_id}/decision", response_model=Transitions, responses=problems(404))
    async def list_handover_decisions(request: Request, caller: Reader, handover_id: UUID) -> Response:
        """Tell how a handover may be decided, what stands in the way, and how it was decided."""
        return answer(request, await handovers.decisions(caller, handover_id))

    @routes.post("/{handover_id}/decision", response_model=schemas.Handover, responses=problems(404, 409))
    async def decide_handover(
        request: Request, caller: Approver, handover_id: UUID, order: schemas.HandoverDecision, version: OptionalVersion
    ) -> Response:
        """Accept or reject a handover, once and for all.

        To be accepted the service is in `delivering` (or supported already, where a project changed it), every
        deliverable is accepted, and every mandatory criterion passed or waived but for those that early-life support
        ends by. Proposed service levels are agreed then, where none is in force or to come for the same thing. A
        rejection needs a reason and tells the unmet criteria; the project may try again.
        """
        return answer(request, await handovers.decide(caller, handover_id, order, version))

    return routes
