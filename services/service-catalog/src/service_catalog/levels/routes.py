"""The paths of service levels."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from chassis.caller import Caller
from chassis.http import ExpectedVersion, Router, UnsearchedListQuery, answer, needs, problems, sorted_by
from chassis.http.batches import Batch, BatchReport
from chassis.schemas import Instant, PageOf
from service_catalog.incidents.priority import Priority
from service_catalog.levels import schemas
from service_catalog.levels.agreement import Metric
from service_catalog.levels.operations import ServiceLevels
from service_catalog.levels.tables import SERVICE_LEVELS

PATH = "/service-levels"
Reader = Annotated[Caller, Depends(needs("catalog:read"))]
Writer = Annotated[Caller, Depends(needs("catalog:write"))]


class ServiceLevelQuery(UnsearchedListQuery):
    """What service levels can be found by."""

    sort: Annotated[str | None, sorted_by(SERVICE_LEVELS.sorts)] = None
    service_id: list[UUID] | None = None
    metric: list[Metric] | None = None
    priority: list[Priority] | None = None
    calendar_id: UUID | None = None
    in_force_at: Annotated[Instant | None, Query(description="Only those in force at this instant.")] = None
    external_source: str | None = None
    external_id: str | None = None


def router(levels: ServiceLevels) -> Router:
    """Return the paths of service levels."""
    routes = Router(tags=["service levels"])

    @routes.get(PATH, response_model=PageOf[schemas.ServiceLevel])
    async def list_service_levels(
        request: Request, caller: Reader, query: Annotated[ServiceLevelQuery, Query()]
    ) -> Response:
        """List service levels, oldest first; `in_force_at` leaves those in force at an instant."""
        return answer(request, await levels.list(caller, query.listing()))

    @routes.post(PATH, status_code=201, response_model=schemas.ServiceLevel, responses=problems(409))
    async def create_service_level(request: Request, caller: Writer, new: schemas.NewServiceLevel) -> Response:
        """Agree on a service level.

        Two are never in force at once for the same service, metric and priority. One for a priority goes before one
        for all priorities. A level of a time that is in force when an incident occurs is what its SLA clock runs by.
        """
        return answer(request, await levels.create(caller, new))

    @routes.post(f"{PATH}:batch", response_model=BatchReport, responses=problems(409))
    async def batch_service_levels(
        request: Request, caller: Writer, batch: Batch[schemas.ServiceLevelItem]
    ) -> Response:
        """Add or change many service levels by their external id; SLA clocks that run by them follow.

        Each is held against what is in force after those before it: what makes room for another comes first.
        """
        return answer(request, await levels.batch(caller, batch.judged(), batch.mode))

    @routes.get(f"{PATH}/{{service_level_id}}", response_model=schemas.ServiceLevel, responses=problems(404))
    async def get_service_level(request: Request, caller: Reader, service_level_id: UUID) -> Response:
        """Return a service level."""
        return answer(request, await levels.get(caller, service_level_id))

    @routes.patch(f"{PATH}/{{service_level_id}}", response_model=schemas.ServiceLevel, responses=problems(404, 409))
    async def update_service_level(
        request: Request,
        caller: Writer,
        service_level_id: UUID,
        patch: schemas.ServiceLevelPatch,
        version: ExpectedVersion,
    ) -> Response:
        """Change a service level; SLA clocks that run by it follow."""
        return answer(request, await levels.change(caller, service_level_id, patch, version))

    @routes.delete(f"{PATH}/{{service_level_id}}", response_model=schemas.ServiceLevel, responses=problems(404))
    async def delete_service_level(
        request: Request, caller: Writer, service_level_id: UUID, version: ExpectedVersion
    ) -> Response:
        """Take a service level back; answers with its last representation."""
        return answer(request, await levels.delete(caller, service_level_id, version))

    return routes
