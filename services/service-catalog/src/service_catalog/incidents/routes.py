"""The paths of incidents."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from chassis.caller import Caller
from chassis.http import ExpectedVersion, ListQuery, OptionalVersion, Router, answer, needs, problems, sorted_by
from chassis.http.batches import Batch, BatchReport
from chassis.schemas import Instant, PageOf
from chassis.transitions import Transitions
from service_catalog.incidents import schemas
from service_catalog.incidents.operations import Incidents
from service_catalog.incidents.priority import Level, Priority
from service_catalog.incidents.tables import INCIDENTS

Reader = Annotated[Caller, Depends(needs("catalog:read"))]
Writer = Annotated[Caller, Depends(needs("catalog:write"))]


class ProblemIncidentQuery(ListQuery):
    """What the incidents of one problem can be found by."""

    sort: Annotated[str | None, sorted_by(INCIDENTS.sorts)] = None
    service_id: list[UUID] | None = None
    state: list[schemas.State] | None = None
    priority: list[Priority] | None = None
    impact: Level | None = None
    urgency: Level | None = None
    major: bool | None = None
    hold_reason: list[schemas.HoldReason] | None = None
    cancel_reason: list[schemas.CancelReason] | None = None
    caller: str | None = None
    reported_by: str | None = None
    assigned_team: str | None = None
    assignee: str | None = None
    parent_id: UUID | None = None
    dedup_key: str | None = None
    factor: list[schemas.Factor] | None = None
    state_since_from: Instant | None = None
    state_since_to: Instant | None = None
    occurred_at_from: Instant | None = None
    occurred_at_to: Instant | None = None
    acknowledged_at_from: Instant | None = None
    acknowledged_at_to: Instant | None = None
    resolved_at_from: Instant | None = None
    resolved_at_to: Instant | None = None
    closed_at_from: Instant | None = None
    closed_at_to: Instant | None = None
    created_at_from: Instant | None = None
    created_at_to: Instant | None = None
    external_source: str | None = None
    external_id: str | None = None


class IncidentQuery(ProblemIncidentQuery):
    """What incidents can be found by."""

    problem_id: UUID | None = None


def router(incidents: Incidents) -> Router:
    """Return the paths of incidents."""
    routes = Router(tags=["incidents"])

    @routes.get("/incidents", response_model=PageOf[schemas.Incident])
    async def list_incidents(request: Request, caller: Reader, query: Annotated[IncidentQuery, Query()]) -> Response:
        """List incidents, in the order they were recorded; `q` looks into title and description."""
        return answer(request, await incidents.list(caller, query.listing()))

    @routes.post(
        "/incidents",
        status_code=201,
        response_model=schemas.Incident,
        responses={
            200: {"model": schemas.Incident, "description": "The unresolved incident that has this `dedup_key`."},
            **problems(409),
        },
    )
    async def create_incident(request: Request, caller: Writer, new: schemas.NewIncident) -> Response:
        """Report an incident; it begins as `new`.

        With the `dedup_key` of an incident that is not resolved yet, the answer is that one, with 200.
        """
        return answer(request, await incidents.create(caller, new))

    @routes.post("/incidents:batch", response_model=BatchReport, responses=problems(409))
    async def batch_incidents(request: Request, caller: Writer, batch: Batch[schemas.IncidentItem]) -> Response:
        """Add or change many incidents by their external id; the service is named by its id or its key.

        Instants, `state` and `history` bring the past of another tool along, free of the rules for transitions, and
        need the scope `catalog:import`. A history that is told again and otherwise takes the place of the recorded
        one, steps made here since included; that is a change even where nothing else differs.

        Without anything of the past, what is closed or cancelled keeps its service, impact and urgency, and what is
        resolved its resolution and factor, as they do by PATCH.
        """
        return answer(request, await incidents.batch(caller, batch.judged(), batch.mode))

    @routes.get("/incidents/{incident_id}", response_model=schemas.Incident, responses=problems(404))
    async def get_incident(request: Request, caller: Reader, incident_id: UUID) -> Response:
        """Return an incident."""
        return answer(request, await incidents.get(caller, incident_id))

    @routes.patch("/incidents/{incident_id}", response_model=schemas.Incident, responses=problems(404, 409))
    async def update_incident(
        request: Request, caller: Writer, incident_id: UUID, patch: schemas.IncidentPatch, version: ExpectedVersion
    ) -> Response:
        """Change an incident; its priority follows impact and urgency, its state changes by commands.

        What is resolved keeps a factor.
        """
        return answer(request, await incidents.change(caller, incident_id, patch, version))

    @routes.get("/incidents/{incident_id}/transitions", response_model=Transitions, responses=problems(404))
    async def list_incident_transitions(request: Request, caller: Reader, incident_id: UUID) -> Response:
        """Tell where an incident may go from its state, what stands in the way, and how it came here."""
        return answer(request, await incidents.transitions(caller, incident_id))

    @routes.post("/incidents/{incident_id}/transitions", response_model=schemas.Incident, responses=problems(404, 409))
    async def transition_incident(
        request: Request, caller: Writer, incident_id: UUID, order: schemas.IncidentTransition, version: OptionalVersion
    ) -> Response:
        """Bring an incident to another state.

        `on_hold` needs a `hold_reason`, `resolved` a `resolution` and a `factor`, `cancelled` one of the reasons
        `duplicate`, `not_an_incident`, `other`. From `resolved` back to `in_progress` is a reopening. What stays
        resolved for the service's `incidents_close_after_days` closes by itself, unless it has an `external_source`:
        the tool it is from closes it.
        """
        return answer(request, await incidents.transition(caller, incident_id, order, version))

    return routes
