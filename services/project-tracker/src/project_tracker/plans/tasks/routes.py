"""The paths of tasks."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from chassis.caller import Caller
from chassis.http import ExpectedVersion, ListQuery, Router, answer, needs, problems, sorted_by
from chassis.http.batches import Batch, BatchReport
from chassis.schemas import Instant, PageOf
from project_tracker.plans.tables import TASKS
from project_tracker.plans.tasks import schemas
from project_tracker.plans.tasks.operations import Tasks

Reader = Annotated[Caller, Depends(needs("projects:read"))]
Writer = Annotated[Caller, Depends(needs("projects:write"))]


class TaskQuery(ListQuery):
    """What tasks can be found by."""

    sort: Annotated[str | None, sorted_by(TASKS.sorts)] = None
    wbs: str | None = None
    kind: schemas.Kind | None = None
    parent_id: UUID | None = None
    calendar_id: UUID | None = None
    deadline_at_from: Instant | None = None
    deadline_at_to: Instant | None = None
    external_source: str | None = None
    external_id: str | None = None


def router(tasks: Tasks) -> Router:
    """Return the paths of tasks."""
    routes = Router("/projects/{project_id}", tags=["plans"])

    @routes.get("/tasks", response_model=PageOf[schemas.Task], responses=problems(404))
    async def list_tasks(
        request: Request, caller: Reader, project_id: UUID, query: Annotated[TaskQuery, Query()]
    ) -> Response:
        """List the tasks of a project's work breakdown, oldest first; `q` looks into wbs and name."""
        return answer(request, await tasks.list(caller, query.listing(project_id)))

    @routes.post("/tasks", status_code=201, response_model=schemas.Task, responses=problems(404, 409))
    async def create_task(request: Request, caller: Writer, project_id: UUID, new: schemas.NewTask) -> Response:
        """Add a task; tasks whose wbs it is the longest prefix of become its subtasks, unless theirs was named."""
        return answer(request, await tasks.create(caller, project_id, new))

    @routes.post("/tasks:batch", response_model=BatchReport, responses=problems(404, 409))
    async def batch_tasks(
        request: Request, caller: Writer, project_id: UUID, batch: Batch[schemas.TaskItem]
    ) -> Response:
        """Add or change many tasks by their external id or wbs, in any order.

        The parent is `parent_wbs`, else the task with the longest dotted prefix of the wbs, in the plan or in the
        batch, else none.
        """
        return answer(request, await tasks.batch(caller, project_id, batch.judged(), batch.mode))

    @routes.get("/tasks/{task_id}", response_model=schemas.Task, responses=problems(404))
    async def get_task(request: Request, caller: Reader, project_id: UUID, task_id: UUID) -> Response:
        """Return a task."""
        return answer(request, await tasks.get(caller, project_id, task_id))

    @routes.patch("/tasks/{task_id}", response_model=schemas.Task, responses=problems(404, 409))
    async def update_task(
        request: Request,
        caller: Writer,
        project_id: UUID,
        task_id: UUID,
        patch: schemas.TaskPatch,
        version: ExpectedVersion,
    ) -> Response:
        """Change a task, or move it by its wbs or parent_wbs."""
        return answer(request, await tasks.change(caller, project_id, task_id, patch, version))

    @routes.delete("/tasks/{task_id}", response_model=schemas.Task, responses=problems(404, 409))
    async def delete_task(
        request: Request, caller: Writer, project_id: UUID, task_id: UUID, version: ExpectedVersion
    ) -> Response:
        """Delete a task without subtasks, links, reports, costs and budget lines; in a baseline it stays."""
        return answer(request, await tasks.delete(caller, project_id, task_id, version))

    return routes
