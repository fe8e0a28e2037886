"""The paths of dependencies."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from chassis.caller import Caller
from chassis.http import ExpectedVersion, ListQuery, Router, answer, needs, problems, sorted_by
from chassis.http.batches import Batch, BatchReport
from chassis.schemas import PageOf
from service_catalog.dependencies import schemas
from service_catalog.dependencies.operations import Dependencies
from service_catalog.dependencies.tables import DEPENDENCIES

OWN = "/services/{service_id}/dependencies"
Reader = Annotated[Caller, Depends(needs("catalog:read"))]
Writer = Annotated[Caller, Depends(needs("catalog:write"))]
Deep = Annotated[int, Query(ge=1, le=schemas.DEPTH_MAX, description="How many links deep to look.")]
Many = Annotated[int, Query(ge=1, le=schemas.ITEMS_MAX, description="How many services to show at most.")]
Way = Annotated[
    schemas.Direction, Query(description="`down`: what the service depends on; `up`: what depends on the service.")
]


class DependencyQuery(ListQuery):
    """What dependencies can be found by."""

    sort: Annotated[str | None, sorted_by(DEPENDENCIES.sorts)] = None
    depends_on_id: UUID | None = None
    type: schemas.Type | None = None
    external_source: str | None = None
    external_id: str | None = None


def router(dependencies: Dependencies) -> Router:
    """Return the paths of dependencies."""
    routes = Router(tags=["dependencies"])

    @routes.post("/dependencies:batch", response_model=BatchReport, responses=problems(409))
    async def batch_service_dependencies(
        request: Request, caller: Writer, batch: Batch[schemas.DependencyItem]
    ) -> Response:
        """Add or change many dependencies of any services, by their external id or else by the two services.

        Of new ones that would close a cycle, also with one another, the later are refused.
        """
        return answer(request, await dependencies.batch(caller, batch.judged(), batch.mode))

    @routes.get(OWN, response_model=PageOf[schemas.Dependency], responses=problems(404))
    async def list_service_dependencies(
        request: Request, caller: Reader, service_id: UUID, query: Annotated[DependencyQuery, Query()]
    ) -> Response:
        """List what a service depends on by a link of its own, oldest first."""
        return answer(request, await dependencies.list(caller, service_id, query.listing(service_id)))

    @routes.post(OWN, status_code=201, response_model=schemas.Dependency, responses=problems(404, 409))
    async def create_service_dependency(
        request: Request, caller: Writer, service_id: UUID, new: schemas.NewDependency
    ) -> Response:
        """Let a service depend on another one; refused if the two would then depend on one another."""
        return answer(request, await dependencies.create(caller, service_id, new))

    @routes.get(f"{OWN}/{{dependency_id}}", response_model=schemas.Dependency, responses=problems(404))
    async def get_service_dependency(
        request: Request, caller: Reader, service_id: UUID, dependency_id: UUID
    ) -> Response:
        """Return a dependency."""
        return answer(request, await dependencies.get(caller, service_id, dependency_id))

    @routes.patch(f"{OWN}/{{dependency_id}}", response_model=schemas.Dependency, responses=problems(404))
    async def update_service_dependency(
        request: Request,
        caller: Writer,
        service_id: UUID,
        dependency_id: UUID,
        patch: schemas.DependencyPatch,
        version: ExpectedVersion,
    ) -> Response:
        """Change a dependency; between which services it is never changes."""
        return answer(request, await dependencies.change(caller, service_id, dependency_id, patch, version))

    @routes.delete(f"{OWN}/{{dependency_id}}", response_model=schemas.Dependency, responses=problems(404))
    async def delete_service_dependency(
        request: Request, caller: Writer, service_id: UUID, dependency_id: UUID, version: ExpectedVersion
    ) -> Response:
        """Let a service no longer depend on another; answers with the dependency's last representation."""
        return answer(request, await dependencies.delete(caller, service_id, dependency_id, version))

    @routes.get("/services/{service_id}/impact", response_model=schemas.Impact, responses=problems(404))
    async def get_service_impact(
        request: Request,
        caller: Reader,
        service_id: UUID,
        direction: Way = "up",
        depth: Deep = schemas.DEPTH_MAX,
        limit: Many = schemas.ITEMS_MAX,
    ) -> Response:
        """Tell what the failure of a service reaches (`up`), or what it depends on itself (`down`).

        Each service comes once, by the fewest links that lead to it, the nearest first; what lies more than `depth`
        links away is left out.
        """
        return answer(request, await dependencies.impact(caller, service_id, direction, depth, limit))

    return routes
