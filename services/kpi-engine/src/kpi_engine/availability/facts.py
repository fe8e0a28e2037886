"""What availability is computed from: outages, maintenance windows, the service's span, the policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from chassis.working_time import WorkingCalendar


class Severity(StrEnum):
    """How much of a service an outage takes away."""

    MAJOR = "major"
    PARTIAL = "partial"
    DEGRADED = "degraded"


DEFAULT_WEIGHTS: Mapping[Severity, Decimal] = {
    Severity.MAJOR: Decimal(1),
    Severity.PARTIAL: Decimal("0.3"),
    Severity.DEGRADED: Decimal(0),
}


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage; without `ended_at` it runs on, `withdrawn` takes it out of every figure."""

    severity: Severity
    started_at: datetime
    ended_at: datetime | None = None
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """A planned interruption of the service and, once known, when it really took place."""

    planned_start: datetime
    planned_end: datetime
    announced_at: datetime | None
    cancelled: bool = False
    actual_start: datetime | None = None
    actual_end: datetime | None = None

    def qualifies(self, notice: timedelta) -> bool:
        """Whether it was announced at least `notice` before its planned start and not cancelled."""
        announced = self.announced_at
        return not self.cancelled and announced is not None and announced + notice <= self.planned_start

    @property
    def excused(self) -> tuple[datetime, datetime]:
        """The planned span as far as the work took place in it; an overrun is not part of it."""
        start = self.planned_start if self.actual_start is None else self.actual_start
        end = self.planned_end if self.actual_end is None else self.actual_end
        return max(start, self.planned_start), min(end, self.planned_end)


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of an organisation from `valid_from` on; None means from the beginning of time.

    A weight is the share of the service that an outage of its severity takes away, from 0 to 1. The
    notice in force at the planned start of a maintenance window decides on that window.
    """

    weights: Mapping[Severity, Decimal] = field(default_factory=lambda: DEFAULT_WEIGHTS)
    notice: timedelta = timedelta(0)
    valid_from: datetime | None = None

    def __post_init__(self) -> None:
        if any(not 0 <= weight <= 1 for weight in self.weights.values()):
            raise ValueError("An outage weight lies between 0 and 1.")


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """Everything known about one service; `hours` None is around the clock, every day.

    `unmeasured` are spans for which a monitoring source says that nothing was measured.
    """

    live_from: datetime | None
    retired_at: datetime | None = None
    hours: WorkingCalendar | None = None
    outages: tuple[Outage, ...] = ()
    windows: tuple[MaintenanceWindow, ...] = ()
    unmeasured: tuple[tuple[datetime, datetime], ...] = ()
