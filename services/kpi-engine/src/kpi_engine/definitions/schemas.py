"""What clients ask and see of KPIs and their values."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, StringConstraints
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from chassis.rejection import Fault, invalid
from chassis.schemas import Instant, Output, parse_day, parse_instant
from kpi_engine.definitions.catalogue import Direction, KpiDefinition
from kpi_engine.definitions.envelope import Standing, Status, SubjectType, Unit
from kpi_engine.definitions.periods import Grain
from kpi_engine.definitions.questions import Question

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class _MomentFormat:
    """An instant, or a day."""

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(_parse_moment)

    def __get_pydantic_json_schema__(self, _: CoreSchema, __: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]}


def _parse_moment(value: object) -> datetime | date:
    return parse_day(value) if isinstance(value, str) and _DAY.fullmatch(value) else parse_instant(value)


MomentText = Annotated[datetime | date, _MomentFormat()]
ZoneName = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Cursor = Annotated[str | None, Field(max_length=1000, description="The cursor `next` of the page before.")]
PageSize = Annotated[
    int, Field(ge=1, le=200, description="How much a page holds at most: subjects, or facts, or KPIs.")
]


class ValuesQuery(BaseModel):
    """Which values, or the facts behind which value, are asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    subject_type: Annotated[
        SubjectType | None, Field(description="What the value is about; by default what the KPI is about.")
    ] = None
    subject_id: Annotated[
        str | None, Field(max_length=64, description="The one subject; without it a series for each.")
    ] = None
    start: Annotated[
        MomentText | None,
        Field(alias="from", description="Where the period begins: an instant, or a day in `timezone`."),
    ] = None
    end: Annotated[
        MomentText | None,
        Field(
            alias="to",
            description="Where it ends, not part of it; a day means its beginning. Of a project the status time, if no "
            "other is given; a day then means its end.",
        ),
    ] = None
    grain: Annotated[
        Grain, Field(description="How the period is cut into a series; facts are told of one value, the total.")
    ] = Grain.TOTAL
    timezone: Annotated[
        ZoneName | None,
        Field(description="The IANA zone that periods are cut in; by default UTC, of a project its own."),
    ] = None
    status_at: Annotated[
        MomentText | None,
        Field(description="Of a project: the status time. A day means its end in the project's zone; default now."),
    ] = None
    baseline: Annotated[
        str | None,
        Field(max_length=36, description="Of a project: `current` (default), `original` or a baseline's id."),
    ] = None
    known_at: Annotated[Instant | None, Field(description="Not answered yet: refused with 422.")] = None
    limit: PageSize = 50
    after: Cursor = None

    def question(self, kpi: KpiDefinition, links: str) -> Question:
        """Return what is asked; `links` is the path in front of links."""
        if self.known_at is not None:
            raise invalid(Fault("known_at", "known-at-not-supported", "What was known earlier cannot be asked yet."))
        return Question(
            kpi=kpi,
            subject_type=self.subject_type or kpi.subject_type,
            subject_id=self.subject_id,
            start=self.start,
            end=self.end,
            grain=self.grain,
            timezone=self.timezone,
            status_at=self.status_at,
            baseline=self.baseline,
            limit=self.limit,
            after=self.after,
            links=links,
        )


class Kpi(Output):
    """A KPI of the catalogue: a number without its definition is an opinion."""

    code: str
    name: str
    unit: Unit
    direction: Direction
    subject_type: SubjectType
    """What it is about; KPIs of services are also computed for the whole organisation."""
    formula: str
    formula_version: int


class KpiPage(Output):
    """A page of the catalogue."""

    items: list[Kpi]
    next: str | None


class SubjectOf(Output):
    """What a value is about."""

    type: SubjectType
    id: str


class PeriodOf(Output):
    """The half-open period of a value."""

    start: Instant
    end: Instant
    timezone: str


class Value(Output):
    """One value of a KPI with all that is needed to judge it. Unknown is never 0, never 100, never met."""

    kpi: str
    subject: SubjectOf
    period: PeriodOf
    value: str | None
    unit: Unit
    currency: str | None
    status: Status
    reason: str | None
    """Why the status is not `ok`."""
    numerator: str | None
    denominator: str | None
    sample_size: int | None
    """How many facts were counted."""
    target: str | None
    standing: Standing
    provisional: bool
    """True while an open interval runs or the period is not over."""
    formula: str
    as_of: dict[str, str]
    """Up to which position of each source's log this was computed."""
    evidence: str
    """The link to the facts behind the value."""


class ValuePage(Output):
    """Values: the series of one subject, or of some subjects, one after the other."""

    items: list[Value]
    next: str | None


class AgreedTimeFact(Output):
    """The agreed time of a service within the period, in seconds, and what was lost of it."""

    kind: Literal["agreed_time"]
    service_id: UUID
    calendar_id: UUID | None
    live_from: Instant | None
    retired_at: Instant | None
    agreed_seconds: str
    unmeasured_seconds: str
    downtime_seconds: str
    down_seconds: str
    down_periods: int
    """How many times it was down within agreed time."""
    outages: int
    """How many outages of any severity touched the period."""


class ServiceFact(Output):
    """The times of one service that an organisation's value is summed from."""

    kind: Literal["service"]
    service_id: UUID
    agreed_seconds: str
    unmeasured_seconds: str
    downtime_seconds: str
    down_seconds: str
    down_periods: int
    """How many times it was down within agreed time."""
    outages: int
    """How many outages of any severity touched the period."""


class WindowFact(Output):
    """A maintenance window; what is counted of it is no agreed time."""

    kind: Literal["maintenance_window"]
    maintenance_window_id: UUID
    state: str
    planned_start: Instant
    planned_end: Instant
    actual_start: Instant | None
    actual_end: Instant | None
    announced_at: Instant | None
    qualifies: bool
    counted_from: Instant | None
    counted_to: Instant | None


class OutageFact(Output):
    """An outage, clipped to the period and to the time its service was live; told once for each weight it had."""

    kind: Literal["outage"]
    outage_id: UUID
    incident_id: UUID | None
    severity: str
    weight: str
    started_at: Instant
    ended_at: Instant | None
    counted_from: Instant | None
    counted_to: Instant | None


class BaselineTaskFact(Output):
    """A task of the baseline with its values at the status time."""

    kind: Literal["baseline_task"]
    baseline_id: UUID
    task_id: UUID
    wbs: str
    task_kind: str
    start: Instant
    finish: Instant
    budget: str
    fixed_budget: str
    fixed_accrual: str
    earning_rule: str
    pv: str
    ev: str
    ac: str


class ProgressReportFact(Output):
    """A progress report up to the status time."""

    kind: Literal["progress_report"]
    progress_report_id: UUID
    task_id: UUID
    status_at: Instant
    percent_complete: str


class CostAmount(Output):
    """An amount of one currency."""

    amount: str
    currency: str


class CostFact(Output):
    """An actual cost up to the status time."""

    kind: Literal["cost"]
    cost_id: UUID
    task_id: UUID | None
    incurred_at: Instant
    amount: CostAmount
    category: str | None


Fact = Annotated[
    AgreedTimeFact | ServiceFact | WindowFact | OutageFact | BaselineTaskFact | ProgressReportFact | CostFact,
    Field(discriminator="kind"),
]


class EvidencePage(Output):
    """Facts behind one value, in a fixed order."""

    items: list[Fact]
    next: str | None
    as_of: dict[str, str]
