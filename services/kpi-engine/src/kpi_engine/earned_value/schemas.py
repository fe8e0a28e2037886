"""What clients ask and see of the earned value of a project."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from chassis.schemas import Instant, Output
from kpi_engine.definitions.envelope import Status
from kpi_engine.definitions.periods import Grain
from kpi_engine.definitions.schemas import MomentText
from kpi_engine.earned_value.facts import Against
from kpi_engine.earned_value.figures import EacMethod
from kpi_engine.earned_value.operations import Asked


class _AnyQuery(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    against: Annotated[
        Against, Field(description="The baseline in force at the status time, or the project's first one.")
    ] = Against.CURRENT
    eac_method: Annotated[EacMethod, Field(description="What the estimate at completion assumes.")] = EacMethod.TYPICAL
    include: Annotated[Literal["tasks"] | None, Field(description="`tasks`: also the values of each task.")] = None

    def asked(self) -> Asked:
        """Return what is asked as operations take it."""
        return Asked(self.against, self.eac_method, self.include == "tasks")


class EarnedValueQuery(_AnyQuery):
    """At which status time a project is looked at."""

    status_at: Annotated[
        MomentText | None, Field(description="An instant, or a day: its end in the project's zone. Default: now.")
    ] = None


class SeriesQuery(_AnyQuery):
    """At which status times a project is looked at."""

    grain: Annotated[Grain, Field(description="The status times are the ends of these, in the project's zone.")] = (
        Grain.WEEK
    )
    start: Annotated[MomentText | None, Field(alias="from", description="Default: where the baseline starts.")] = None
    end: Annotated[
        MomentText | None,
        Field(alias="to", description="Default: where baseline and reports end, at the latest now. A day is included."),
    ] = None


class FigureOf(Output):
    """One figure, or the reason why there is none."""

    value: str | None
    status: Status
    reason: str | None


class Figures(Output):
    """All earned-value figures: money to four places, ratios to six, times in working minutes."""

    bac: FigureOf
    pv: FigureOf
    ev: FigureOf
    ac: FigureOf
    ac_outside_baseline: FigureOf
    ac_outside_baseline_percent: FigureOf
    sv: FigureOf
    cv: FigureOf
    sv_percent: FigureOf
    cv_percent: FigureOf
    spi: FigureOf
    cpi: FigureOf
    eac: FigureOf
    etc: FigureOf
    vac: FigureOf
    tcpi: FigureOf
    earned_schedule_at: FigureOf
    """The instant at which the baseline planned to have earned what is earned now."""
    earned_schedule: FigureOf
    actual_time: FigureOf
    planned_duration: FigureOf
    sv_time: FigureOf
    spi_time: FigureOf
    ieac_time: FigureOf


class TaskFigures(Output):
    """Planned value, earned value and actual cost of one task."""

    task_id: UUID
    wbs: str | None
    pv: str
    ev: str
    ac: str


class EarnedValuePoint(Output):
    """The figures of a project at one status time."""

    model_config = ConfigDict(json_schema_extra=lambda schema: schema["required"].remove("tasks"))

    project_id: UUID
    baseline_id: UUID | None
    status_at: Instant
    currency: str
    eac_method: EacMethod
    figures: Figures
    tasks: list[TaskFigures] = []
    """Only with `include=tasks`."""


class EarnedValue(EarnedValuePoint):
    """The figures of a project at a status time."""

    as_of: dict[str, str]
    """Up to which position of each source's log this was computed."""


class EarnedValueSeries(Output):
    """The figures of a project at several status times, oldest first."""

    items: list[EarnedValuePoint]
    next: None
    as_of: dict[str, str]
