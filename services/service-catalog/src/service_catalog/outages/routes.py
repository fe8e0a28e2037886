"""The paths of outages."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from chassis.caller import Caller
from chassis.http import ExpectedVersion, ListQuery, OptionalVersion, Router, answer, needs, problems, sorted_by
from chassis.http.batches import Batch, BatchReport
from chassis.schemas import Instant, PageOf
from service_catalog.outages import schemas
from service_catalog.outages.operations import Outages
from service_catalog.outages.tables import OUTAGES

Reader = Annotated[Caller, Depends(needs("catalog:read"))]
Writer = Annotated[Caller, Depends(needs("catalog:write"))]


class OutageQuery(ListQuery):
    """What outages can be found by."""

    sort: Annotated[str | None, sorted_by(OUTAGES.sorts)] = None
    service_id: list[UUID] | None = None
    severity: list[schemas.Severity] | None = None
    state: list[schemas.State] | None = None
    incident_id: UUID | None = None
    started_at_from: Instant | None = None
    started_at_to: Instant | None = None
    ended_at_from: Instant | None = None
    ended_at_to: Instant | None = None
    external_source: str | None = None
    external_id: str | None = None


def router(outages: Outages) -> Router:
    """Return the paths of outages."""
    routes = Router(tags=["outages"])

    @routes.get("/outages", response_model=PageOf[schemas.Outage])
    async def list_outages(request: Request, caller: Reader, query: Annotated[OutageQuery, Query()]) -> Response:
        """List outages, in the order they were recorded; `q` looks into the cause."""
        return answer(request, await outages.list(caller, query.listing()))

    @routes.post("/outages", status_code=201, response_model=schemas.Outage, responses=problems(409))
    async def create_outage(request: Request, caller: Writer, new: schemas.NewOutage) -> Response:
        """Record an outage: open while it has no end."""
        return answer(request, await outages.create(caller, new))

    @routes.post("/outages:batch", response_model=BatchReport, responses=problems(409))
    async def batch_outages(request: Request, caller: Writer, batch: Batch[schemas.OutageItem]) -> Response:
        """Add or change many outages by their external id; the service is named by its id or its key.

        A known one that loses its end is reopened now. Where the end that is told lies before a reopening, there was
        none. A withdrawn one keeps all but its labels.
        """
        return answer(request, await outages.batch(caller, batch.judged(), batch.mode))

    @routes.get("/outages/{outage_id}", response_model=schemas.Outage, responses=problems(404))
    async def get_outage(request: Request, caller: Reader, outage_id: UUID) -> Response:
        """Return an outage."""
        return answer(request, await outages.get(caller, outage_id))

    @routes.patch("/outages/{outage_id}", response_model=schemas.Outage, responses=problems(404, 409))
    async def update_outage(
        request: Request, caller: Writer, outage_id: UUID, patch: schemas.OutagePatch, version: ExpectedVersion
    ) -> Response:
        """Change an outage; `ended_at` ends it, null lets it go on. A withdrawn one keeps all but its labels.

        Its history follows its span. One that is open again does not end before it was reopened; where an end is
        corrected to lie before a reopening, there was none.
        """
        return answer(request, await outages.change(caller, outage_id, patch, version))

    @routes.get("/outages/{outage_id}/transitions", response_model=schemas.OutageTransitions, responses=problems(404))
    async def list_outage_transitions(request: Request, caller: Reader, outage_id: UUID) -> Response:
        """Tell where an outage may go from its state, and how it came here.

        Its steps are those of the span it has; one that was corrected names who did. What was told before is under
        `superseded`.
        """
        return answer(request, await outages.transitions(caller, outage_id))

    @routes.post("/outages/{outage_id}/transitions", response_model=schemas.Outage, responses=problems(404, 409))
    async def transition_outage(
        request: Request, caller: Writer, outage_id: UUID, order: schemas.OutageTransition, version: OptionalVersion
    ) -> Response:
        """End an outage (`ended`, perhaps `at` an earlier instant), let it go on (`open`), or withdraw it.

        None ends before its last step, such as a reopening. A withdrawal (`withdrawn`) needs a reason; the outage then
        counts in no figure.
        """
        return answer(request, await outages.transition(caller, outage_id, order, version))

    return routes
