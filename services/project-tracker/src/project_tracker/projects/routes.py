"""The paths of projects."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from chassis.caller import Caller
from chassis.http import ExpectedVersion, ListQuery, PutCondition, Router, answer, needs, problems, sorted_by
from chassis.http.batches import Batch, BatchReport
from chassis.schemas import Instant, Key, PageOf
from project_tracker.projects import schemas
from project_tracker.projects.operations import Projects
from project_tracker.projects.tables import PROJECTS

Reader = Annotated[Caller, Depends(needs("projects:read"))]
Writer = Annotated[Caller, Depends(needs("projects:write"))]


class ProjectQuery(ListQuery):
    """What projects can be found by."""

    sort: Annotated[str | None, sorted_by(PROJECTS.sorts)] = None
    key: str | None = None
    name: str | None = None
    kind: schemas.Kind | None = None
    state: list[schemas.State] | None = None
    on_hold: bool | None = None
    outcome: schemas.ProjectOutcome | None = None
    sponsor: str | None = None
    manager: str | None = None
    programme: str | None = None
    predecessor_project_id: UUID | None = None
    start_at_from: Instant | None = None
    start_at_to: Instant | None = None
    deadline_at_from: Instant | None = None
    deadline_at_to: Instant | None = None
    external_source: str | None = None
    external_id: str | None = None


def router(projects: Projects) -> Router:
    """Return the paths of projects."""
    routes = Router(tags=["projects"])

    @routes.get("/projects", response_model=PageOf[schemas.Project])
    async def list_projects(request: Request, caller: Reader, query: Annotated[ProjectQuery, Query()]) -> Response:
        """List projects, oldest first; `q` looks into key, name and goal."""
        return answer(request, await projects.list(caller, query.listing()))

    @routes.post("/projects", status_code=201, response_model=schemas.Project, responses=problems(409))
    async def create_project(request: Request, caller: Writer, new: schemas.NewProject) -> Response:
        """Create a project; it begins as `proposed`."""
        return answer(request, await projects.create(caller, new))

    @routes.post("/projects:batch", response_model=BatchReport, responses=problems(409))
    async def batch_projects(request: Request, caller: Writer, batch: Batch[schemas.ProjectItem]) -> Response:
        """Add or change many projects by their external id or key.

        `state`, `on_hold` and `outcome` bring the past of another tool along and need the scope `projects:import`.
        """
        return answer(request, await projects.batch(caller, batch.judged(), batch.mode))

    @routes.get("/projects/by-key/{key}", response_model=schemas.Project, responses=problems(404))
    async def get_project_by_key(request: Request, caller: Reader, key: str) -> Response:
        """Return the project with this key."""
        return answer(request, await projects.get_by_key(caller, key))

    @routes.put(
        "/projects/by-key/{key}",
        response_model=schemas.Project,
        responses={201: {"model": schemas.Project, "description": "There was none; it was created."}, **problems(409)},
    )
    async def put_project_by_key(
        request: Request, caller: Writer, key: Key, new: schemas.ProjectReplacement, condition: PutCondition
    ) -> Response:
        """Create or replace the project with this key.

        `If-None-Match: *` only creates, `If-Match` only replaces; a replacement that changes nothing has no version.
        """
        return answer(request, await projects.put(caller, key, new, condition))

    @routes.get("/projects/{project_id}", response_model=schemas.Project, responses=problems(404))
    async def get_project(request: Request, caller: Reader, project_id: UUID) -> Response:
        """Return a project."""
        return answer(request, await projects.get(caller, project_id))

    @routes.patch("/projects/{project_id}", response_model=schemas.Project, responses=problems(404, 409))
    async def update_project(
        request: Request, caller: Writer, project_id: UUID, patch: schemas.ProjectPatch, version: ExpectedVersion
    ) -> Response:
        """Change a project; lists are replaced whole. Key and currency never change, the state by commands."""
        return answer(request, await projects.change(caller, project_id, patch, version))

    @routes.delete("/projects/{project_id}", response_model=schemas.Project, responses=problems(404, 409))
    async def delete_project(request: Request, caller: Writer, project_id: UUID, version: ExpectedVersion) -> Response:
        """Delete a project that is still `proposed` and has no parts; answers with its last representation."""
        return answer(request, await projects.delete(caller, project_id, version))

    return routes
