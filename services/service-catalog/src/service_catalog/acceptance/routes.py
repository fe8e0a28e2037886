"""The paths of acceptance criteria."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from chassis.caller import Caller
from chassis.http import ExpectedVersion, ListQuery, OptionalVersion, Router, answer, needs, problems, sorted_by
from chassis.http.batches import Batch, BatchReport
from chassis.schemas import PageOf
from chassis.transitions import Transitions
from service_catalog.acceptance import schemas
from service_catalog.acceptance.operations import AcceptanceCriteria
from service_catalog.acceptance.tables import CRITERIA

PATH = "/services/{service_id}/acceptance-criteria"
Reader = Annotated[Caller, Depends(needs("catalog:read"))]
Writer = Annotated[Caller, Depends(needs("catalog:write"))]


class CriterionQuery(ListQuery):
    """What acceptance criteria can be found by."""

    sort: Annotated[str | None, sorted_by(CRITERIA.sorts)] = None
    dimension: schemas.Dimension | None = None
    status: list[schemas.Status] | None = None
    mandatory: bool | None = None
    needed_for: schemas.NeededFor | None = None
    external_source: str | None = None
    external_id: str | None = None


def router(criteria: AcceptanceCriteria) -> Router:
    """Return the paths of acceptance criteria."""
    routes = Router(tags=["acceptance criteria"])

    @routes.get(PATH, response_model=PageOf[schemas.Criterion], responses=problems(404))
    async def list_acceptance_criteria(
        request: Request, caller: Reader, service_id: UUID, query: Annotated[CriterionQuery, Query()]
    ) -> Response:
        """List what a service has to meet, oldest first; `q` looks into the text."""
        return answer(request, await criteria.list(caller, service_id, query.listing(service_id)))

    @routes.post(PATH, status_code=201, response_model=schemas.Criterion, responses=problems(404, 409))
    async def create_acceptance_criterion(
        request: Request, caller: Writer, service_id: UUID, new: schemas.NewCriterion
    ) -> Response:
        """Add a criterion for a service's processes, technology or people; it begins as `open`."""
        return answer(request, await criteria.create(caller, service_id, new))

    @routes.post(f"{PATH}:batch", response_model=BatchReport, responses=problems(404, 409))
    async def batch_acceptance_criteria(
        request: Request, caller: Writer, service_id: UUID, batch: Batch[schemas.CriterionItem]
    ) -> Response:
        """Add many criteria to a service, or change them by their external id; new ones begin as `open`.

        `status`, `decided_at`, `decision_reason` and `approver` bring along how one was decided in another tool, and
        need the scope `catalog:import`.
        """
        return answer(request, await criteria.batch(caller, service_id, batch.judged(), batch.mode))

    @routes.get(f"{PATH}/{{criterion_id}}", response_model=schemas.Criterion, responses=problems(404))
    async def get_acceptance_criterion(
        request: Request, caller: Reader, service_id: UUID, criterion_id: UUID
    ) -> Response:
        """Return an acceptance criterion."""
        return answer(request, await criteria.get(caller, service_id, criterion_id))

    @routes.patch(f"{PATH}/{{criterion_id}}", response_model=schemas.Criterion, responses=problems(404, 409))
    async def update_acceptance_criterion(
        request: Request,
        caller: Writer,
        service_id: UUID,
        criterion_id: UUID,
        patch: schemas.CriterionPatch,
        version: ExpectedVersion,
    ) -> Response:
        """Change a criterion; once it is decided only its evidence and labels.

        Once the service is created, to make it no longer mandatory needs the scope `catalog:approve` as well.
        """
        return answer(request, await criteria.change(caller, service_id, criterion_id, patch, version))

    @routes.delete(f"{PATH}/{{criterion_id}}", response_model=schemas.Criterion, responses=problems(404, 409))
    async def delete_acceptance_criterion(
        request: Request, caller: Writer, service_id: UUID, criterion_id: UUID, version: ExpectedVersion
    ) -> Response:
        """Delete a criterion that was never decided; answers with its last representation.

        Once the service is created, to delete a mandatory one needs the scope `catalog:approve` as well.
        """
        return answer(request, await criteria.delete(caller, service_id, criterion_id, version))

    @routes.get(f"{PATH}/{{criterion_id}}/decision", response_model=Transitions, responses=problems(404))
    async def list_acceptance_criterion_decisions(
        request: Request, caller: Reader, service_id: UUID, criterion_id: UUID
    ) -> Response:
        """Tell how a criterion may be decided from here, and how it was decided so far."""
        return answer(request, await criteria.decisions(caller, service_id, criterion_id))

    @routes.post(f"{PATH}/{{criterion_id}}/decision", response_model=schemas.Criterion, responses=problems(404, 409))
    async def decide_acceptance_criterion(
        request: Request,
        caller: Writer,
        service_id: UUID,
        criterion_id: UUID,
        order: schemas.CriterionDecision,
        version: OptionalVersion,
    ) -> Response:
        """Decide a criterion: `passed`, `failed` or `waived`, the latter two with a reason.

        To waive one needs the scope `catalog:approve` as well. A decision may be replaced by another one.
        """
        return answer(request, await criteria.decide(caller, service_id, criterion_id, order, version))

    return routes
