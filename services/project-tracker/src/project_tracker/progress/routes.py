"""The paths of progress reports."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from chassis.caller import Caller
from chassis.http import ExpectedVersion, ListQuery, Router, answer, needs, problems, sorted_by
from chassis.http.batches import Batch, BatchReport
from chassis.schemas import Instant, PageOf
from project_tracker.progress import schemas
from project_tracker.progress.operations import ProgressReports
from project_tracker.progress.tables import PROGRESS_REPORTS

Reader = Annotated[Caller, Depends(needs("projects:read"))]
Writer = Annotated[Caller, Depends(needs("projects:write"))]


class ProgressReportQuery(ListQuery):
    """What progress reports can be found by."""

    sort: Annotated[str | None, sorted_by(PROGRESS_REPORTS.sorts)] = None
    task_id: UUID | None = None
    status_at: Instant | None = None
    status_at_from: Instant | None = None
    status_at_to: Instant | None = None
    external_source: str | None = None
    external_id: str | None = None


def router(reports: ProgressReports) -> Router:
    """Return the paths of progress reports."""
    routes = Router("/projects/{project_id}", tags=["progress"])

    @routes.get("/progress-reports", response_model=PageOf[schemas.ProgressReport], responses=problems(404))
    async def list_progress_reports(
        request: Request, caller: Reader, project_id: UUID, query: Annotated[ProgressReportQuery, Query()]
    ) -> Response:
        """List the progress reports of a project, oldest first."""
        return answer(request, await reports.list(caller, query.listing(project_id)))

    @routes.post(
        "/progress-reports", status_code=201, response_model=schemas.ProgressReport, responses=problems(404, 409)
    )
    async def create_progress_report(
        request: Request, caller: Writer, project_id: UUID, new: schemas.NewProgressReport
    ) -> Response:
        """Report how much of a task was done at a status time; once a task and status time."""
        return answer(request, await reports.create(caller, project_id, new))

    @routes.post("/progress-reports:batch", response_model=BatchReport, responses=problems(404, 409))
    async def batch_progress_reports(
        request: Request, caller: Writer, project_id: UUID, batch: Batch[schemas.NewProgressReport]
    ) -> Response:
        """Add or change many reports by their external id, or by task and status time."""
        return answer(request, await reports.batch(caller, project_id, batch.judged(), batch.mode))

    @routes.get("/progress-reports/{report_id}", response_model=schemas.ProgressReport, responses=problems(404))
    async def get_progress_report(request: Request, caller: Reader, project_id: UUID, report_id: UUID) -> Response:
        """Return a progress report."""
        return answer(request, await reports.get(caller, project_id, report_id))

    @routes.patch("/progress-reports/{report_id}", response_model=schemas.ProgressReport, responses=problems(404, 409))
    async def update_progress_report(
        request: Request,
        caller: Writer,
        project_id: UUID,
        report_id: UUID,
        patch: schemas.ProgressReportPatch,
        version: ExpectedVersion,
    ) -> Response:
        """Correct a report; what is measured with it follows."""
        return answer(request, await reports.change(caller, project_id, report_id, patch, version))

    @routes.delete("/progress-reports/{report_id}", response_model=schemas.ProgressReport, responses=problems(404, 409))
    async def delete_progress_report(
        request: Request, caller: Writer, project_id: UUID, report_id: UUID, version: ExpectedVersion
    ) -> Response:
        """Take back a report; answers with its last representation."""
        return answer(request, await reports.delete(caller, project_id, report_id, version))

    return routes
