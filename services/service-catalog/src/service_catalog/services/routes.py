"""The paths of services."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from chassis.caller import Caller
from chassis.http import (
    NAMED_MAX,
    ExpectedVersion,
    ListQuery,
    OptionalVersion,
    PutCondition,
    Router,
    answer,
    needs,
    problems,
    sorted_by,
)
from chassis.http.batches import Batch, BatchReport
from chassis.schemas import Day, Instant, Key, PageOf
from chassis.transitions import History, Transitions
from service_catalog.services import schemas
from service_catalog.services.operations import Services
from service_catalog.services.statuses import ServiceStatuses
from service_catalog.services.tables import SERVICES

Reader = Annotated[Caller, Depends(needs("catalog:read"))]
Writer = Annotated[Caller, Depends(needs("catalog:write"))]


class ServiceQuery(ListQuery):
    """What services can be found by."""

    sort: Annotated[str | None, sorted_by(SERVICES.sorts)] = None
    key: str | None = None
    name: str | None = None
    type: schemas.Type | None = None
    criticality: list[schemas.Criticality] | None = None
    state: list[schemas.State] | None = None
    owner: str | None = None
    support_team: str | None = None
    calendar_id: UUID | None = None
    project_id: UUID | None = None
    successor_service_id: UUID | None = None
    live_from_from: Instant | None = None
    live_from_to: Instant | None = None
    retired_at_from: Instant | None = None
    retired_at_to: Instant | None = None
    retire_on_from: Day | None = None
    retire_on_to: Day | None = None
    external_source: str | None = None
    external_id: str | None = None


class StatusQuery(BaseModel):
    """Whose statuses are asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    service_id: Annotated[list[UUID], Field(min_length=1, max_length=NAMED_MAX, description="Services; repeatable.")]


def router(services: Services, statuses: ServiceStatuses) -> Router:
    """Return the paths of services."""
    routes = Router(tags=["services"])

    @routes.get("/services", response_model=PageOf[schemas.Service])
    async def list_services(request: Request, caller: Reader, query: Annotated[ServiceQuery, Query()]) -> Response:
        """List services, oldest first; `q` looks into key, name and description."""
        return answer(request, await services.list(caller, query.listing()))

    @routes.post("/services", status_code=201, response_model=schemas.Service, responses=problems(409))
    async def create_service(request: Request, caller: Writer, new: schemas.NewService) -> Response:
        """Create a service; it begins as `proposed`."""
        return answer(request, await services.create(caller, new))

    @routes.post("/services:batch", response_model=BatchReport, responses=problems(409))
    async def batch_services(request: Request, caller: Writer, batch: Batch[schemas.ServiceItem]) -> Response:
        """Add or change many services by their external id or key.

        `state`, `history`, `live_from` and `retired_at` bring the past of another tool along, free of the rules for
        transitions, and need the scope `catalog:import`.
        """
        return answer(request, await services.batch(caller, batch.judged(), batch.mode))

    @routes.get("/services/by-key/{key}", response_model=schemas.Service, responses=problems(404))
    async def get_service_by_key(request: Request, caller: Reader, key: str) -> Response:
        """Return the service with this key."""
        return answer(request, await services.get_by_key(caller, key))

    @routes.put("/services/by-key/{key}", response_model=schemas.Service, responses=problems(409))
    async def put_service_by_key(
        request: Request, caller: Writer, key: Key, new: schemas.ServiceReplacement, condition: PutCondition
    ) -> Response:
        """Create or replace the service with this key.

        `If-None-Match: *` only creates, `If-Match` only replaces; a replacement that changes nothing has no version.
        """
        return answer(request, await services.put(caller, key, new, condition))

    @routes.get("/services/{service_id}", response_model=schemas.Service, responses=problems(404))
    async def get_service(request: Request, caller: Reader, service_id: UUID) -> Response:
        """Return a service."""
        return answer(request, await services.get(caller, service_id))

    @routes.patch("/services/{service_id}", response_model=schemas.Service, responses=problems(404, 409))
    async def update_service(
        request: Request, caller: Writer, service_id: UUID, patch: schemas.ServicePatch, version: ExpectedVersion
    ) -> Response:
        """Change a service: objects are merged, lists replaced whole. Its key never changes, its state by commands."""
        return answer(request, await services.change(caller, service_id, patch, version))

    @routes.delete("/services/{service_id}", response_model=schemas.Service, responses=problems(404, 409))
    async def delete_service(request: Request, caller: Writer, service_id: UUID, version: ExpectedVersion) -> Response:
        """Delete a service that is still `proposed` and that nothing refers to; answers with its last state."""
        return answer(request, await services.delete(caller, service_id, version))

    @routes.get("/services/{service_id}/transitions", response_model=Transitions, responses=problems(404))
    async def list_service_transitions(request: Request, caller: Reader, service_id: UUID) -> Response:
        """Tell where a service may go from its state, what stands in the way, and how it came here."""
        return answer(request, await services.transitions(caller, service_id))

    @routes.post("/services/{service_id}/transitions", response_model=schemas.Service, responses=problems(404, 409))
    async def transition_service(
        request: Request, caller: Writer, service_id: UUID, order: schemas.ServiceTransition, version: OptionalVersion
    ) -> Response:
        """Bring a service to another state.

        Refused with all that stands in the way at once. The ways back and a cancellation need a reason. With the
        scope `catalog:approve` guards that are a judgement may be waived (`waivers` lists which); a waiver is kept in
        the history and told with the event. One of a guard that does not stand in the way is refused.
        """
        return answer(request, await services.transition(caller, service_id, order, version))

    @routes.get("/services/{service_id}/history", response_model=History, responses=problems(404))
    async def list_service_history(request: Request, caller: Reader, service_id: UUID) -> Response:
        """Tell which states a service went through: when, by whom and why."""
        return answer(request, await services.history(caller, service_id))

    @routes.get("/services/{service_id}/status", response_model=schemas.ServiceStatus, responses=problems(404))
    async def get_service_status(request: Request, caller: Reader, service_id: UUID) -> Response:
        """Tell how a service is right now, from the outages, maintenance and incidents that are open.

        What it cannot work without is told beside it; an outage there is none of its own.
        """
        return answer(request, await statuses.get(caller, service_id))

    @routes.get("/service-statuses", response_model=PageOf[schemas.ServiceStatusShort])
    async def list_service_statuses(
        request: Request, caller: Reader, query: Annotated[StatusQuery, Query()]
    ) -> Response:
        """Tell how several services are right now, as of the same instant and in the order asked for.

        What does not exist is left out; there is one page. `services/{id}/status` tells why one is not operational.
        """
        return answer(request, await statuses.several(caller, query.service_id))

    @routes.get("/services/{service_id}/readiness", response_model=schemas.ServiceReadiness, responses=problems(404))
    async def get_service_readiness(request: Request, caller: Reader, service_id: UUID) -> Response:
        """Tell what a service lacks for each next state and for `supporting`, and which harmful factor that points to.

        By dimension (process, technology, people); nothing is changed by asking.
        """
        return answer(request, await services.readiness(caller, service_id))

    return routes
