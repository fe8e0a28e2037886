"""The paths of maintenance windows."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from chassis.caller import Caller
from chassis.http import ExpectedVersion, ListQuery, OptionalVersion, Router, answer, needs, problems, sorted_by
from chassis.http.batches import Batch, BatchReport
from chassis.schemas import Instant, PageOf
from chassis.transitions import Transitions
from service_catalog.maintenance_windows import schemas
from service_catalog.maintenance_windows.operations import MaintenanceWindows
from service_catalog.maintenance_windows.tables import WINDOWS

Reader = Annotated[Caller, Depends(needs("catalog:read"))]
Writer = Annotated[Caller, Depends(needs("catalog:write"))]
PATH = "/maintenance-windows"


class MaintenanceWindowQuery(ListQuery):
    """What maintenance windows can be found by."""

    sort: Annotated[str | None, sorted_by(WINDOWS.sorts)] = None
    service_id: Annotated[UUID | None, Query(description="Only those with this one among their services.")] = None
    state: list[schemas.State] | None = None
    planned_start_from: Instant | None = None
    planned_start_to: Instant | None = None
    planned_end_from: Instant | None = None
    planned_end_to: Instant | None = None
    actual_start_from: Instant | None = None
    actual_start_to: Instant | None = None
    actual_end_from: Instant | None = None
    actual_end_to: Instant | None = None
    announced_at_from: Instant | None = None
    announced_at_to: Instant | None = None
    external_source: str | None = None
    external_id: str | None = None


def router(windows: MaintenanceWindows) -> Router:
    """Return the paths of maintenance windows."""
    routes = Router(tags=["maintenance windows"])

    @routes.get(PATH, response_model=PageOf[schemas.MaintenanceWindow])
    async def list_maintenance_windows(
        request: Request, caller: Reader, query: Annotated[MaintenanceWindowQuery, Query()]
    ) -> Response:
        """List maintenance windows, in the order they were recorded; `q` looks into title and description."""
        return answer(request, await windows.list(caller, query.listing()))

    @routes.post(PATH, status_code=201, response_model=schemas.MaintenanceWindow, responses=problems(409))
    async def create_maintenance_window(
        request: Request, caller: Writer, new: schemas.NewMaintenanceWindow
    ) -> Response:
        """Announce maintenance of one or several services."""
        return answer(request, await windows.create(caller, new))

    @routes.post(f"{PATH}:batch", response_model=BatchReport, responses=problems(409))
    async def batch_maintenance_windows(
        request: Request, caller: Writer, batch: Batch[schemas.MaintenanceWindowItem]
    ) -> Response:
        """Add or change many windows by their external id; the services are named by their ids or keys.

        Where no `state` is told, it follows from the actual span, onward only. `state` brings the past of another tool
        along and needs the scope `catalog:import`: `in_progress` with `actual_start`; `completed` with the actual span,
        which is the planned one where nothing else is told and that is past. A cancelled window stays as it is unless
        its state is told.
        """
        return answer(request, await windows.batch(caller, batch.judged(), batch.mode))

    @routes.get(f"{PATH}/{{window_id}}", response_model=schemas.MaintenanceWindow, responses=problems(404))
    async def get_maintenance_window(request: Request, caller: Reader, window_id: UUID) -> Response:
        """Return a maintenance window."""
        return answer(request, await windows.get(caller, window_id))

    @routes.patch(f"{PATH}/{{window_id}}", response_model=schemas.MaintenanceWindow, responses=problems(404, 409))
    async def update_maintenance_window(
        request: Request,
        caller: Writer,
        window_id: UUID,
        patch: schemas.MaintenanceWindowPatch,
        version: ExpectedVersion,
    ) -> Response:
        """Change a maintenance window; what really happened can be corrected once it has happened, but not taken back.

        A cancelled one keeps all but its labels. While a change leads it, it keeps its services and its planned span
        (`window-led`).
        """
        return answer(request, await windows.change(caller, window_id, patch, version))

    @routes.get(f"{PATH}/{{window_id}}/transitions", response_model=Transitions, responses=problems(404))
    async def list_maintenance_window_transitions(request: Request, caller: Reader, window_id: UUID) -> Response:
        """Tell where a maintenance window may go from its state, and how it came here."""
        return answer(request, await windows.transitions(caller, window_id))

    @routes.post(
        f"{PATH}/{{window_id}}/transitions", response_model=schemas.MaintenanceWindow, responses=problems(404, 409)
    )
    async def transition_maintenance_window(
        request: Request,
        caller: Writer,
        window_id: UUID,
        order: schemas.MaintenanceWindowTransition,
        version: OptionalVersion,
    ) -> Response:
        """Start a window (`in_progress`), complete it (`completed`), or cancel it for a reason (`cancelled`).

        `at` says when it really began, ended or was cancelled; now, if not said. Only a beginning may lie before the
        last step: a window may be written down after it began.
        """
        return answer(request, await windows.transition(caller, window_id, order, version))

    return routes
