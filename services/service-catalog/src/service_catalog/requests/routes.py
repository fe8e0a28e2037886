"""The paths of service requests."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from chassis.caller import Caller
from chassis.http import ExpectedVersion, ListQuery, OptionalVersion, Router, answer, needs, problems, sorted_by
from chassis.http.batches import Batch, BatchReport
from chassis.schemas import Instant, PageOf
from chassis.transitions import Transitions
from service_catalog.requests import schemas
from service_catalog.requests.clocks import FulfilmentClocks
from service_catalog.requests.operations import ServiceRequests
from service_catalog.requests.tables import SERVICE_REQUESTS

Reader = Annotated[Caller, Depends(needs("catalog:read"))]
Writer = Annotated[Caller, Depends(needs("catalog:write"))]
PATH = "/service-requests"


class ServiceRequestQuery(ListQuery):
    """What service requests can be found by."""

    sort: Annotated[str | None, sorted_by(SERVICE_REQUESTS.sorts)] = None
    catalogue_item_id: list[UUID] | None = None
    service_id: list[UUID] | None = None
    state: list[schemas.State] | None = None
    requester: str | None = None
    requested_for: str | None = None
    submitted_by: str | None = None
    assigned_team: str | None = None
    assignee: str | None = None
    approver: Annotated[str | None, Query(description="Only those that this one has decided on.")] = None
    awaiting: Annotated[
        str | None, Query(description="Only those that wait for a decision of this one, whom the item names.")
    ] = None
    approval_required: bool | None = None
    submitted_at_from: Instant | None = None
    submitted_at_to: Instant | None = None
    approved_at_from: Instant | None = None
    approved_at_to: Instant | None = None
    fulfilled_at_from: Instant | None = None
    fulfilled_at_to: Instant | None = None
    external_source: str | None = None
    external_id: str | None = None


def router(requests: ServiceRequests, clocks: FulfilmentClocks) -> Router:
    """Return the paths of service requests."""
    routes = Router(tags=["service requests"])

    @routes.get(PATH, response_model=PageOf[schemas.ServiceRequest])
    async def list_service_requests(
        request: Request, caller: Reader, query: Annotated[ServiceRequestQuery, Query()]
    ) -> Response:
        """List service requests, in the order they were recorded; `q` looks into comment and names of requesters."""
        return answer(request, await requests.list(caller, query.listing()))

    @routes.post(PATH, status_code=201, response_model=schemas.ServiceRequest, responses=problems(409))
    async def create_service_request(request: Request, caller: Writer, new: schemas.NewServiceRequest) -> Response:
        """Submit a request for a published catalogue item.

        It begins as `awaiting_approval`, or as `approved` where the item asks for no approval. Everything in `form`
        that is not as the item's form asks is told at once, each with its place below `/form`.
        """
        return answer(request, await requests.create(caller, new))

    @routes.post(f"{PATH}:batch", response_model=BatchReport, responses=problems(409))
    async def batch_service_requests(
        request: Request, caller: Writer, batch: Batch[schemas.ServiceRequestItem]
    ) -> Response:
        """Add or change many service requests by their external id; the item is named by its id or its key.

        `state`, `history`, `submitted_at` and `outcome` bring the past of another tool along, free of the rules for
        transitions and forms, and need the scope `catalog:import`. A history that is told again and otherwise takes
        the place of the recorded one, steps made here since included; that is a change even where nothing else
        differs.
        """
        return answer(request, await requests.batch(caller, batch.judged(), batch.mode))

    @routes.get(f"{PATH}/{{service_request_id}}", response_model=schemas.ServiceRequest, responses=problems(404))
    async def get_service_request(request: Request, caller: Reader, service_request_id: UUID) -> Response:
        """Return a service request."""
        return answer(request, await requests.get(caller, service_request_id))

    @routes.patch(f"{PATH}/{{service_request_id}}", response_model=schemas.ServiceRequest, responses=problems(404, 409))
    async def update_service_request(
        request: Request,
        caller: Writer,
        service_request_id: UUID,
        patch: schemas.ServiceRequestPatch,
        version: ExpectedVersion,
    ) -> Response:
        """Change a service request; what was asked for never changes, its state by commands."""
        return answer(request, await requests.change(caller, service_request_id, patch, version))

    @routes.get(f"{PATH}/{{service_request_id}}/transitions", response_model=Transitions, responses=problems(404))
    async def list_service_request_transitions(request: Request, caller: Reader, service_request_id: UUID) -> Response:
        """Tell where a service request may go if the caller wants it, what stands in the way, and how it came here."""
        return answer(request, await requests.transitions(caller, service_request_id))

    @routes.post(
        f"{PATH}/{{service_request_id}}/transitions",
        response_model=schemas.ServiceRequest,
        responses=problems(404, 409),
    )
    async def transition_service_request(
        request: Request,
        caller: Writer,
        service_request_id: UUID,
        order: schemas.ServiceRequestTransition,
        version: OptionalVersion,
    ) -> Response:
        """Bring a service request to another state.

        `approved` and `rejected` need the scope `catalog:approve` and somebody else than who asked for it, who
        submitted it or whom it is for; `rejected` and `cancelled` a reason, `on_hold` a `hold_reason`. From `fulfilled`
        back to `in_fulfilment` is a reopening: what was delivered was not it.
        """
        return answer(request, await requests.transition(caller, service_request_id, order, version))

    @routes.get(
        f"{PATH}/{{service_request_id}}/fulfilment", response_model=schemas.RequestFulfilment, responses=problems(404)
    )
    async def get_service_request_fulfilment(request: Request, caller: Reader, service_request_id: UUID) -> Response:
        """Tell how much of the time for fulfilling a service request is used up.

        The clock starts with the approval and counts the working minutes of its calendar. It pauses while the request
        waits for its requester or a vendor, and in `fulfilled` before a reopening; it stops with `fulfilled`. Target
        and calendar are those of the catalogue item when the request was made.

        A warning and a breach are events, `tandem.service_request_fulfilment.warned.v1` and `.breached.v1`. Where what
        was told turns out to be untrue, `.withdrawn.v1` tells how the clock stands.
        """
        return answer(request, await clocks.get(caller, service_request_id))

    return routes
