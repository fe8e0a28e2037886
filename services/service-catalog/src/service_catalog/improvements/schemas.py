"""What clients send and see of improvements."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema

from chassis.past import STEPS_MAX
from chassis.schemas import (
    UNSET,
    DecimalString,
    ExternalIdentity,
    Input,
    Instant,
    Key,
    LabelChanges,
    Labels,
    Name,
    Output,
    Patch,
    Text,
    Traceable,
)

State = Literal["proposed", "approved", "in_progress", "on_hold", "closed", "cancelled"]
Outcome = Literal["successful", "partial", "unsuccessful"]
OriginType = Literal["missed_target", "incident", "problem", "review"]
_DAY_LENGTH = len("2026-03-31")


def _last_second(value: object) -> object:
    return f"{value}T23:59:59Z" if isinstance(value, str) and len(value) == _DAY_LENGTH else value


PlannedEnd = Annotated[
    Instant,
    BeforeValidator(_last_second),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]}),
]

EXAMPLE: dict[str, Any] = {
    "service_id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "title": "Renew certificates by themselves",
    "description": "Twice in a quarter the shop was down because a certificate had run out.",
    "owner": "ada",
    "planned_end": "2026-06-30T16:00:00Z",
    "benefit": {
        "kpi": "availability",
        "before_window": {"from": "2026-01-01T00:00:00Z", "to": "2026-04-01T00:00:00Z"},
        "target": "99.95",
    },
    "origin": {"type": "review", "id": "2026-Q1"},
}


class Window(Input):
    """A span of time, its end excluded."""

    since: Instant = Field(alias="from")
    until: Instant = Field(alias="to")


class Origin(Input):
    """What an improvement came from."""

    type: OriginType
    id: Name
    """The id of the incident or the problem, or what the missed target or the review is known by."""


class BenefitChanges(Input):
    """What an improvement promises; of one that is known, what is sent replaces what is there."""

    kpi: Key | None = UNSET
    """The code of the KPI that is to change."""
    before_window: Window | None = UNSET
    """The span its value before is taken from."""
    target: DecimalString | None = UNSET
    """The value it is to reach, in the unit of the KPI."""


class ImprovementDescription(Input):
    """What may be said of an improvement at any time."""

    description: Text | None = None
    owner: Name | None = None
    planned_end: PlannedEnd | None = None
    """When it is to be done: an instant, or a date, which means its last second in UTC."""
    benefit: BenefitChanges | None = None
    """What it promises: a KPI and the value that is to be reached."""
    origin: Origin | None = None
    project_id: UUID | None = None
    """The project that carries it out."""
    labels: Labels = {}


class NewImprovement(ExternalIdentity, ImprovementDescription):
    """An improvement to be proposed."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    service_id: UUID
    title: Name


class PastState(Input):
    """A state an improvement was in from an instant on, as another tool knew it."""

    state: State
    at: Instant
    reason: Text | None = None


class ImprovementItem(ExternalIdentity, ImprovementDescription):
    """An improvement of a batch, found by its external id; a known one changes in what is sent only.

    `state`, `history`, `outcome`, `first_planned_end` and the instants bring the past of another tool along and need
    the scope `catalog:import`.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                **{name: value for name, value in EXAMPLE.items() if name != "service_id"},
                "external_source": "register",
                "external_id": "CSI-12",
                "service_key": "web-shop",
                "history": [
                    {"state": "proposed", "at": "2026-04-02T09:00:00Z"},
                    {"state": "approved", "at": "2026-04-09T09:00:00Z"},
                    {"state": "in_progress", "at": "2026-04-13T07:00:00Z"},
                    {"state": "closed", "at": "2026-06-25T14:00:00Z"},
                ],
                "outcome": "successful",
            }
        }
    )

    service_id: UUID | None = None
    service_key: Key | None = None
    """The service by its key, instead of by its id."""
    title: Name | None = None
    """Needed for a new improvement, as the service is."""
    state: State | None = None
    history: Annotated[list[PastState], Field(max_length=STEPS_MAX)] | None = None
    """All states it went through, in any order the tool allowed; the last one is its state."""
    outcome: Outcome | None = None
    """Of a closed one, and only of it."""
    first_planned_end: PlannedEnd | None = None
    """Of what was approved, as `approved_at`; one that goes back to a state before has lost what followed it."""
    approved_at: Instant | None = None
    started_at: Instant | None = None
    closed_at: Instant | None = None


class ImprovementPatch(Patch):
    """Changes of an improvement (a merge patch); its state changes by commands."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"planned_end": "2026-07-31T16:00:00Z", "benefit": {"target": "99.9"}, "owner": None}
        }
    )

    title: Name = UNSET
    description: Text | None = UNSET
    owner: Name | None = UNSET
    planned_end: PlannedEnd | None = UNSET
    """An instant, or a date, which means its last second in UTC; the first one approved stays `first_planned_end`."""
    benefit: BenefitChanges | None = UNSET
    project_id: UUID | None = UNSET
    labels: LabelChanges = UNSET


class ImprovementTransition(Input):
    """A command to an improvement."""

    model_config = ConfigDict(json_schema_extra={"example": {"to": "closed", "outcome": "successful"}})

    to: State
    at: Instant | None = None
    """Not in the future and not before the last step; now, if not said."""
    reason: Text | None = None
    """Why; a cancellation needs one."""
    outcome: Outcome | None = None
    """What came of it; only with `closed`, which needs it."""


class OriginShown(Output):
    """What an improvement came from."""

    type: OriginType
    id: str


class WindowShown(Output):
    """A span of time, its end excluded."""

    since: Instant = Field(alias="from")
    until: Instant = Field(alias="to")


class BenefitShown(Output):
    """What an improvement promises."""

    kpi: str
    before_window: WindowShown | None
    target: DecimalString


class Improvement(Traceable):
    """Something that is to make a service better, from its proposal to its outcome."""

    service_id: UUID
    title: str
    description: str | None
    owner: str | None
    project_id: UUID | None
    state: State
    state_since: Instant
    planned_end: Instant | None
    first_planned_end: Instant | None
    """The end that was planned when it was approved; it stays, however often it is planned anew."""
    approved_at: Instant | None
    started_at: Instant | None
    closed_at: Instant | None
    outcome: Outcome | None
    cancellation_reason: str | None
    benefit: BenefitShown | None
    origin: OriginShown | None
