"""The paths of problems."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from chassis.caller import Caller
from chassis.http import ExpectedVersion, ListQuery, OptionalVersion, Router, answer, needs, problems, sorted_by
from chassis.http.batches import Batch, BatchReport
from chassis.schemas import Instant, PageOf
from chassis.transitions import Transitions
from service_catalog.incidents.linked import LinkedIncidents
from service_catalog.incidents.priority import Level, Priority
from service_catalog.incidents.routes import ProblemIncidentQuery
from service_catalog.incidents.schemas import Factor, Incident
from service_catalog.problems import schemas
from service_catalog.problems.operations import Problems
from service_catalog.problems.tables import PROBLEMS

Reader = Annotated[Caller, Depends(needs("catalog:read"))]
Writer = Annotated[Caller, Depends(needs("catalog:write"))]


class ProblemQuery(ListQuery):
    """What problems can be found by."""

    sort: Annotated[str | None, sorted_by(PROBLEMS.sorts)] = None
    service_id: list[UUID] | None = None
    state: list[schemas.State] | None = None
    priority: list[Priority] | None = None
    impact: Level | None = None
    urgency: Level | None = None
    owner: str | None = None
    factor: list[Factor] | None = None
    known_error: bool | None = None
    identified_at_from: Instant | None = None
    identified_at_to: Instant | None = None
    resolved_at_from: Instant | None = None
    resolved_at_to: Instant | None = None
    closed_at_from: Instant | None = None
    closed_at_to: Instant | None = None
    external_source: str | None = None
    external_id: str | None = None


def router(of_problems: Problems, incidents: LinkedIncidents) -> Router:
    """Return the paths of problems."""
    routes = Router(tags=["problems"])

    @routes.get("/problems", response_model=PageOf[schemas.ProblemRecord])
    async def list_problems(request: Request, caller: Reader, query: Annotated[ProblemQuery, Query()]) -> Response:
        """List problems, in the order they were recorded; `q` looks into title, description, root cause, workaround."""
        return answer(request, await of_problems.list(caller, query.listing()))

    @routes.post("/problems", status_code=201, response_model=schemas.ProblemRecord, responses=problems(409))
    async def create_problem(request: Request, caller: Writer, new: schemas.NewProblem) -> Response:
        """Record a problem of a service; it begins as `open`."""
        return answer(request, await of_problems.create(caller, new))

    @routes.post("/problems:batch", response_model=BatchReport, responses=problems(409))
    async def batch_problems(request: Request, caller: Writer, batch: Batch[schemas.ProblemItem]) -> Response:
        """Add or change many problems by their external id; the service is named by its id or its key.

        Instants, `state` and `history` bring the past of another tool along, free of the rules for transitions, and
        need the scope `catalog:import`. A history that is told again and otherwise takes the place of the recorded
        one, steps made here since included; that is a change even where nothing else differs.
        """
        return answer(request, await of_problems.batch(caller, batch.judged(), batch.mode))

    @routes.get("/problems/{problem_id}", response_model=schemas.ProblemRecord, responses=problems(404))
    async def get_problem(request: Request, caller: Reader, problem_id: UUID) -> Response:
        """Return a problem."""
        return answer(request, await of_problems.get(caller, problem_id))

    @routes.patch("/problems/{problem_id}", response_model=schemas.ProblemRecord, responses=problems(404, 409))
    async def update_problem(
        request: Request, caller: Writer, problem_id: UUID, patch: schemas.ProblemPatch, version: ExpectedVersion
    ) -> Response:
        """Change a problem; what its state rests on stays said, and one that is over keeps all but its labels."""
        return answer(request, await of_problems.change(caller, problem_id, patch, version))

    @routes.get("/problems/{problem_id}/transitions", response_model=Transitions, responses=problems(404))
    async def list_problem_transitions(request: Request, caller: Reader, problem_id: UUID) -> Response:
        """Tell where a problem may go from its state, what stands in the way, and how it came here."""
        return answer(request, await of_problems.transitions(caller, problem_id))

    @routes.post(
        "/problems/{problem_id}/transitions", response_model=schemas.ProblemRecord, responses=problems(404, 409)
    )
    async def transition_problem(
        request: Request, caller: Writer, problem_id: UUID, order: schemas.ProblemTransition, version: OptionalVersion
    ) -> Response:
        """Bring a problem to another state.

        `known_error` needs a root cause and a workaround, `resolved` and `closed` a resolution, a root cause and a
        factor, `cancelled` a reason. From `resolved` back to `investigating` is a reopening, which takes the
        resolution away. When a problem becomes a known error, and when it is closed or cancelled, each of its
        incidents is told on its timeline, and by the event `tandem.incident_problem.known_error_declared.v1`,
        `tandem.incident_problem.closed.v1` or `tandem.incident_problem.cancelled.v1`; their states do not change. The
        incidents of a cancelled one belong to it no longer.
        """
        return answer(request, await of_problems.transition(caller, problem_id, order, version))

    @routes.get("/problems/{problem_id}/incidents", response_model=PageOf[Incident], responses=problems(404))
    async def list_problem_incidents(
        request: Request, caller: Reader, problem_id: UUID, query: Annotated[ProblemIncidentQuery, Query()]
    ) -> Response:
        """List the incidents that come from a problem, in the order they were recorded."""
        return answer(request, await of_problems.incidents_of(caller, problem_id, query.listing(problem_id)))

    @routes.put("/problems/{problem_id}/incidents/{incident_id}", response_model=Incident, responses=problems(404, 409))
    async def link_problem_incident(
        request: Request, caller: Writer, problem_id: UUID, incident_id: UUID, version: ExpectedVersion
    ) -> Response:
        """Let an incident belong to a problem, and no longer to the one it may have belonged to.

        The ETag is that of the incident, which is the answer.
        """
        return answer(request, await incidents.link(caller, problem_id, incident_id, version))

    @routes.delete(
        "/problems/{problem_id}/incidents/{incident_id}", response_model=Incident, responses=problems(404, 409)
    )
    async def unlink_problem_incident(
        request: Request, caller: Writer, problem_id: UUID, incident_id: UUID, version: ExpectedVersion
    ) -> Response:
        """Let an incident belong to a problem no longer.

        The ETag is that of the incident, which is the answer.
        """
        return answer(request, await incidents.unlink(caller, problem_id, incident_id, version))

    return routes
