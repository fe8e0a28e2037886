"""What clients send and see of surveys."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from chassis.schemas import (
    UNSET,
    ExternalIdentity,
    Input,
    Instant,
    Key,
    LabelChanges,
    Labels,
    Name,
    Patch,
    Text,
    Traceable,
)

Score = Annotated[int, Field(ge=1, le=5)]
Token = Annotated[str, StringConstraints(min_length=1, max_length=1000)]

EXAMPLE: dict[str, Any] = {
    "service_id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "score": 4,
    "comment": "It took a while, but they told us what they did.",
}


class NewSurveyInvitation(ExternalIdentity):
    """An invitation to say how a service is."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"service_id": EXAMPLE["service_id"], "recipient": "shop floor"}}
    )

    service_id: UUID
    incident_id: UUID | None = None
    """The incident that was handled, where it is about that one."""
    recipient: Name | None = None
    """Who is asked, as far as you want it kept."""
    expires_at: Instant | None = None
    """Until when it may be answered, a year ahead at most; thirty days from now, if not said."""
    labels: Labels = {}


class SurveyInvitation(Traceable):
    """An invitation to say how a service is."""

    service_id: UUID
    incident_id: UUID | None
    recipient: str | None
    expires_at: Instant


class IssuedSurveyInvitation(SurveyInvitation):
    """An invitation as it is answered with once, with the token that answers it."""

    token: str
    """Good for one response, and for changing that one for twelve hours. It is shown here only: pass it on."""


class NewSurveyResponse(ExternalIdentity):
    """What somebody said of a service."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    service_id: UUID
    incident_id: UUID | None = None
    """The incident that was handled, where it is about that one."""
    score: Score
    """From 1, very dissatisfied, to 5, very satisfied."""
    comment: Text | None = None
    answered_at: Instant | None = None
    """When it was said; now, if not told."""
    labels: Labels = {}


class SurveyResponseItem(ExternalIdentity):
    """A response of a batch; one with an external id that is known changes in what is sent only, any other is added.

    `answered_at` brings the past of another tool along and needs the scope `catalog:import`.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                **{name: value for name, value in EXAMPLE.items() if name != "service_id"},
                "external_source": "survey-tool",
                "external_id": "88123",
                "service_key": "web-shop",
                "answered_at": "2026-03-02T12:00:00Z",
            }
        }
    )

    service_id: UUID | None = None
    service_key: Key | None = None
    """The service by its key, instead of by its id."""
    incident_id: UUID | None = None
    score: Score | None = None
    """From 1 to 5; needed for a new response, as the service is."""
    comment: Text | None = None
    answered_at: Instant | None = None
    labels: Labels = {}


class SurveyResponsePatch(Patch):
    """Changes of a response (a merge patch), for twelve hours after it was given."""

    model_config = ConfigDict(json_schema_extra={"example": {"score": 5, "comment": None}})

    score: Score = UNSET
    """From 1, very dissatisfied, to 5, very satisfied."""
    comment: Text | None = UNSET
    labels: LabelChanges = UNSET


class SurveyAnswer(Input):
    """An answer to an invitation, by its token."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"token": "eyJhbGciOi…", "score": 4, "comment": EXAMPLE["comment"]}}
    )

    token: Token
    """The token that the invitation was issued with."""
    score: Score
    """From 1, very dissatisfied, to 5, very satisfied."""
    comment: Text | None = None


class SurveyResponse(Traceable):
    """What somebody said of a service."""

    service_id: UUID
    incident_id: UUID | None
    invitation_id: UUID | None
    score: int
    """From 1, very dissatisfied, to 5, very satisfied."""
    comment: str | None
    answered_at: Instant
    """When it was first given; it may be changed for twelve hours from then on."""
