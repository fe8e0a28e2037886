"""The paths of surveys."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from chassis.caller import Caller, IdempotencyKey
from chassis.http import ExpectedVersion, ListQuery, Router, answer, needs, problems, sorted_by
from chassis.http.batches import Batch, BatchReport
from chassis.http.idempotency import Keyed
from chassis.schemas import Instant, PageOf
from service_catalog.satisfaction import schemas
from service_catalog.satisfaction.operations import Invitations, Responses
from service_catalog.satisfaction.tables import INVITATIONS, RESPONSES

ANSWER_PATH = "/survey-responses/answer"
Reader = Annotated[Caller, Depends(needs("catalog:read"))]
Writer = Annotated[Caller, Depends(needs("catalog:write"))]


class SurveyInvitationQuery(ListQuery):
    """What invitations can be found by."""

    sort: Annotated[str | None, sorted_by(INVITATIONS.sorts)] = None
    service_id: list[UUID] | None = None
    incident_id: UUID | None = None
    recipient: str | None = None
    expires_at_from: Instant | None = None
    expires_at_to: Instant | None = None
    external_source: str | None = None
    external_id: str | None = None


class SurveyResponseQuery(ListQuery):
    """What responses can be found by."""

    sort: Annotated[str | None, sorted_by(RESPONSES.sorts)] = None
    service_id: list[UUID] | None = None
    incident_id: UUID | None = None
    invitation_id: UUID | None = None
    score: list[int] | None = None
    answered_at_from: Instant | None = None
    answered_at_to: Instant | None = None
    external_source: str | None = None
    external_id: str | None = None


def router(invitations: Invitations, responses: Responses) -> Router:
    """Return the paths of surveys."""
    routes = Router(tags=["surveys"])

    @routes.get("/survey-invitations", response_model=PageOf[schemas.SurveyInvitation])
    async def list_survey_invitations(
        request: Request, caller: Reader, query: Annotated[SurveyInvitationQuery, Query()]
    ) -> Response:
        """List invitations, in the order they were issued."""
        return answer(request, await invitations.list(caller, query.listing()))

    @routes.post(
        "/survey-invitations",
        status_code=201,
        response_model=schemas.IssuedSurveyInvitation,
        responses=problems(409),
    )
    async def create_survey_invitation(request: Request, caller: Writer, new: schemas.NewSurveyInvitation) -> Response:
        """Invite somebody to say how a service is, or how an incident was handled.

        The answer has the token that whoever is invited answers with, and nothing else ever shows it.
        """
        return answer(request, await invitations.create(caller, new))

    @routes.get("/survey-invitations/{invitation_id}", response_model=schemas.SurveyInvitation, responses=problems(404))
    async def get_survey_invitation(request: Request, caller: Reader, invitation_id: UUID) -> Response:
        """Return an invitation, without its token."""
        return answer(request, await invitations.get(caller, invitation_id))

    @routes.delete(
        "/survey-invitations/{invitation_id}",
        response_model=schemas.SurveyInvitation,
        responses=problems(404, 409),
    )
    async def delete_survey_invitation(
        request: Request, caller: Writer, invitation_id: UUID, version: ExpectedVersion
    ) -> Response:
        """Take back an invitation that nobody has answered; answers with its last representation."""
        return answer(request, await invitations.delete(caller, invitation_id, version))

    @routes.get("/survey-responses", response_model=PageOf[schemas.SurveyResponse])
    async def list_survey_responses(
        request: Request, caller: Reader, query: Annotated[SurveyResponseQuery, Query()]
    ) -> Response:
        """List responses, in the order they were recorded; `q` looks into the comment."""
        return answer(request, await responses.list(caller, query.listing()))

    @routes.post("/survey-responses", status_code=201, response_model=schemas.SurveyResponse, responses=problems(409))
    async def create_survey_response(request: Request, caller: Writer, new: schemas.NewSurveyResponse) -> Response:
        """Record what somebody said of a service."""
        return answer(request, await responses.create(caller, new))

    @routes.post("/survey-responses:batch", response_model=BatchReport, responses=problems(409))
    async def batch_survey_responses(
        request: Request, caller: Writer, batch: Batch[schemas.SurveyResponseItem]
    ) -> Response:
        """Add or change many responses by their external id; `answered_at` needs the scope `catalog:import`."""
        return answer(request, await responses.batch(caller, batch.judged(), batch.mode))

    @routes.post(
        ANSWER_PATH,
        status_code=201,
        response_model=schemas.SurveyResponse,
        responses={
            200: {"model": schemas.SurveyResponse, "description": "The answer that was given before, as it is now."},
            **problems(401, 409, 429),
        },
    )
    async def answer_survey(
        request: Request, given: schemas.SurveyAnswer, key: Annotated[IdempotencyKey | None, Depends(Keyed())]
    ) -> Response:
        """Answer an invitation by its token; no login is needed.

        Sent again within twelve hours it changes the answer; after that it is refused. An idempotency key counts
        for one invitation.
        """
        return answer(request, await responses.answer(_address(request), given, key))

    @routes.get("/survey-responses/{response_id}", response_model=schemas.SurveyResponse, responses=problems(404))
    async def get_survey_response(request: Request, caller: Reader, response_id: UUID) -> Response:
        """Return a response."""
        return answer(request, await responses.get(caller, response_id))

    @routes.patch(
        "/survey-responses/{response_id}", response_model=schemas.SurveyResponse, responses=problems(404, 409)
    )
    async def update_survey_response(
        request: Request,
        caller: Writer,
        response_id: UUID,
        patch: schemas.SurveyResponsePatch,
        version: ExpectedVersion,
    ) -> Response:
        """Change a response within twelve hours after it was given; its labels at any time."""
        return answer(request, await responses.change(caller, response_id, patch, version))

    return routes


def _address(request: Request) -> str:
    """Return who asks: the gateway tells the address it was asked from, in place of what a client may claim."""
    return request.headers.get("x-forwarded-for") or (request.client.host if request.client else "")
