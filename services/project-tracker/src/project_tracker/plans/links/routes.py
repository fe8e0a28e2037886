"""The paths of the links between tasks."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from chassis.caller import Caller
from chassis.http import ExpectedVersion, Router, UnsearchedListQuery, answer, needs, problems, sorted_by
from chassis.http.batches import Batch, BatchReport
from chassis.schemas import PageOf
from project_tracker.plans.links import schemas
from project_tracker.plans.links.operations import Dependencies
from project_tracker.plans.tables import DEPENDENCIES

Reader = Annotated[Caller, Depends(needs("projects:read"))]
Writer = Annotated[Caller, Depends(needs("projects:write"))]


class DependencyQuery(UnsearchedListQuery):
    """What links can be found by."""

    sort: Annotated[str | None, sorted_by(DEPENDENCIES.sorts)] = None
    predecessor_id: UUID | None = None
    successor_id: UUID | None = None
    type: schemas.LinkType | None = None
    external_source: str | None = None
    external_id: str | None = None


def router(dependencies: Dependencies) -> Router:
    """Return the paths of links."""
    routes = Router("/projects/{project_id}", tags=["plans"])

    @routes.get("/dependencies", response_model=PageOf[schemas.Dependency], responses=problems(404))
    async def list_dependencies(
        request: Request, caller: Reader, project_id: UUID, query: Annotated[DependencyQuery, Query()]
    ) -> Response:
        """List the links between a project's tasks, oldest first."""
        return answer(request, await dependencies.list(caller, query.listing(project_id)))

    @routes.post("/dependencies", status_code=201, response_model=schemas.Dependency, responses=problems(404, 409))
    async def create_dependency(
        request: Request, caller: Writer, project_id: UUID, new: schemas.NewDependency
    ) -> Response:
        """Link two tasks.

        409 `cycle` names the tasks of the cycle it would close; `link-within-branch` is one between a summary and its
        own descendant, `link-onto-summary` an FF or SF that leads to a summary.
        """
        return answer(request, await dependencies.create(caller, project_id, new))

    @routes.post("/dependencies:batch", response_model=BatchReport, responses=problems(404, 409))
    async def batch_dependencies(
        request: Request, caller: Writer, project_id: UUID, batch: Batch[schemas.NewDependency]
    ) -> Response:
        """Add or change many links by their external id, or by their ends and type."""
        return answer(request, await dependencies.batch(caller, project_id, batch.judged(), batch.mode))

    @routes.get("/dependencies/{dependency_id}", response_model=schemas.Dependency, responses=problems(404))
    async def get_dependency(request: Request, caller: Reader, project_id: UUID, dependency_id: UUID) -> Response:
        """Return a link."""
        return answer(request, await dependencies.get(caller, project_id, dependency_id))

    @routes.patch("/dependencies/{dependency_id}", response_model=schemas.Dependency, responses=problems(404, 409))
    async def update_dependency(
        request: Request,
        caller: Writer,
        project_id: UUID,
        dependency_id: UUID,
        patch: schemas.DependencyPatch,
        version: ExpectedVersion,
    ) -> Response:
        """Change the type or the lag of a link."""
        return answer(request, await dependencies.change(caller, project_id, dependency_id, patch, version))

    @routes.delete("/dependencies/{dependency_id}", response_model=schemas.Dependency, responses=problems(404, 409))
    async def delete_dependency(
        request: Request, caller: Writer, project_id: UUID, dependency_id: UUID, version: ExpectedVersion
    ) -> Response:
        """Take a link away; answers with its last representation."""
        return answer(request, await dependencies.delete(caller, project_id, dependency_id, version))

    return routes
