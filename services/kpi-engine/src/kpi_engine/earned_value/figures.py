"""The earned-value figures of one project at one status time, each a value or the reason for none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from fractions import Fraction

from kpi_engine.definitions.envelope import PERCENT, Figure, Unit
from kpi_engine.earned_value.earning import ProgressRecord
from kpi_engine.earned_value.facts import Against, Baseline, select_baseline
from kpi_engine.earned_value.measures import CostLedger, Measures, TaskValue, measure
from kpi_engine.earned_value.planned_value import PlannedValue

NO_BASELINE = "no_baseline"
ZERO_BUDGET = "zero_budget"
BEFORE_START = "before_start"
NO_PLANNED_VALUE = "no_planned_value"
NO_EARNED_VALUE = "no_earned_value"
NO_ACTUAL_COST = "no_actual_cost"
NO_EARNED_SCHEDULE = "no_earned_schedule"
NO_WORKING_TIME = "no_working_time"
BUDGET_EXHAUSTED = "budget_exhausted"
COMPLETE = "complete"

_MINUTE = 60
_CPI_SHARE = Fraction(8, 10)
_SPI_SHARE = Fraction(2, 10)

UNITS: Mapping[str, Unit] = {
    **dict.fromkeys(("bac", "pv", "ev", "ac", "sv", "cv", "eac", "etc", "vac"), Unit.MONEY),
    "ac_outside_baseline": Unit.MONEY,
    **dict.fromkeys(("sv_percent", "cv_percent", "ac_outside_baseline_percent"), Unit.PERCENT),
    **dict.fromkeys(("spi", "cpi", "tcpi", "spi_time"), Unit.RATIO),
    **dict.fromkeys(("earned_schedule", "actual_time", "planned_duration", "sv_time", "ieac_time"), Unit.MINUTES),
}
"""The figures and their units; times are working minutes."""


class EacMethod(StrEnum):
    """What the estimate at completion assumes about the remaining work."""

    TYPICAL = "typical"
    ATYPICAL = "atypical"
    COMBINED = "combined"
    TIME_DRIVEN = "time_driven"
    WEIGHTED = "weighted"


@dataclass(frozen=True, slots=True)
class EarnedValue:
    """All figures of a project at a status time; `figures` has the keys of `UNITS`.

    `earned_schedule_at` is None exactly where the figure `earned_schedule` has no value.
    """

    baseline_id: str | None
    status_at: datetime
    eac_method: EacMethod
    figures: Mapping[str, Figure]
    earned_schedule_at: datetime | None
    tasks: tuple[TaskValue, ...]

    def documents(self) -> dict[str, dict[str, str | None]]:
        """Write all figures as clients see them, `earned_schedule_at` among them."""
        written = {code: figure.document(UNITS[code]) for code, figure in self.figures.items()}
        earned = self.figures["earned_schedule"]
        instant = self.earned_schedule_at
        written["earned_schedule_at"] = {
            "value": None if instant is None else f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z",
            "status": str(earned.status),
            "reason": earned.reason,
        }
        return written


def assess(
    plan: PlannedValue | None,
    progress: ProgressRecord,
    ledger: CostLedger,
    status_at: datetime,
    eac_method: EacMethod = EacMethod.TYPICAL,
    *,
    with_tasks: bool = False,
) -> EarnedValue:
    """Compute every figure; without a baseline (no plan) only the actual cost is known.

    `tasks` is empty unless asked for; it holds every row of the baseline, then the tasks outside it that
    have costs.
    """
    if plan is None:
        return _without_baseline(ledger, status_at, eac_method)
    measures = measure(plan, progress, ledger, status_at, with_tasks=with_tasks)
    figures = earned_value_figures(measures, eac_method)
    has_schedule = figures["earned_schedule"].value is not None
    return EarnedValue(
        plan.baseline.id,
        status_at,
        eac_method,
        figures,
        measures.schedule.earned_at if has_schedule else None,
        measures.tasks,
    )


def series(
    baselines: Sequence[Baseline],
    progress: ProgressRecord,
    ledger: CostLedger,
    status_times: Iterable[datetime],
    *,
    against: Against = Against.CURRENT,
    eac_method: EacMethod = EacMethod.TYPICAL,
) -> Iterator[EarnedValue]:
    """Assess a project at several status times, each against the baseline that was in force then."""
    plans: dict[str, PlannedValue] = {}
    for status_at in status_times:
        baseline = select_baseline(baselines, status_at, against)
        plan = None
        if baseline is not None:
            if baseline.id not in plans:
                plans[baseline.id] = PlannedValue(baseline)
            plan = plans[baseline.id]
        yield assess(plan, progress, ledger, status_at, eac_method)


def earned_value_figures(m: Measures, eac_method: EacMethod = EacMethod.TYPICAL) -> dict[str, Figure]:
    """Derive every figure from the measured sums, with the answers the special cases call for."""
    spi, cpi, spi_time = _spi(m), _cpi(m), _spi_time(m)
    eac = _eac(m, eac_method, spi, cpi, spi_time)
    return {
        "bac": Figure.of(m.bac),
        "pv": Figure.of(m.pv),
        "ev": Figure.of(m.ev),
        "ac": Figure.of(m.ac),
        "ac_outside_baseline": Figure.of(m.ac_outside_baseline),
        "ac_outside_baseline_percent": _ratio(m.ac_outside_baseline, m.ac, NO_ACTUAL_COST, times=PERCENT),
        "sv": Figure.of(m.ev - m.pv),
        "cv": Figure.of(m.ev - m.ac),
        "sv_percent": _sv_percent(m, spi),
        "cv_percent": _cv_percent(m),
        "spi": spi,
        "cpi": cpi,
        "eac": eac,
        "etc": eac if eac.value is None else Figure.of(eac.value - m.ac),
        "vac": eac if eac.value is None else Figure.of(m.bac - eac.value),
        "tcpi": _tcpi(m),
        **_times(m, spi_time),
    }


def _without_baseline(ledger: CostLedger, status_at: datetime, eac_method: EacMethod) -> EarnedValue:
    figures = dict.fromkeys(UNITS, Figure.missing(NO_BASELINE))
    figures["ac"] = Figure.of(ledger.total(status_at))
    return EarnedValue(None, status_at, eac_method, figures, None, ())


def _ratio(numerator: Fraction, denominator: Fraction, otherwise: str, *, times: int = 1) -> Figure:
    if denominator <= 0:
        return Figure.missing(otherwise)
    return Figure(times * numerator / denominator, numerator=numerator, denominator=denominator)


def _spi(m: Measures) -> Figure:
    if m.bac == 0:
        return Figure.missing(ZERO_BUDGET)
    if not m.has_started:
        return Figure.missing(BEFORE_START)
    return _ratio(m.ev, m.pv, NO_PLANNED_VALUE)


def _sv_percent(m: Measures, spi: Figure) -> Figure:
    return spi if spi.value is None else _ratio(m.ev - m.pv, m.pv, NO_PLANNED_VALUE, times=PERCENT)


def _cpi(m: Measures) -> Figure:
    return Figure.missing(ZERO_BUDGET) if m.bac == 0 else _ratio(m.ev, m.ac, NO_ACTUAL_COST)


def _cv_percent(m: Measures) -> Figure:
    if m.bac == 0:
        return Figure.missing(ZERO_BUDGET)
    return _ratio(m.ev - m.ac, m.ev, NO_EARNED_VALUE, times=PERCENT)


def _tcpi(m: Measures) -> Figure:
    if m.bac == 0:
        return Figure.missing(ZERO_BUDGET)
    if m.ev >= m.bac:
        return Figure.not_applicable(COMPLETE)
    return _ratio(m.bac - m.ev, m.bac - m.ac, BUDGET_EXHAUSTED)


def _spi_time(m: Measures) -> Figure:
    if m.bac == 0:
        return Figure.missing(ZERO_BUDGET)
    if not m.has_started:
        return Figure.missing(BEFORE_START)
    return _ratio(m.schedule.earned, m.schedule.actual, NO_WORKING_TIME)


def _times(m: Measures, spi_time: Figure) -> dict[str, Figure]:
    earned, actual, planned = (
        seconds / _MINUTE for seconds in (m.schedule.earned, m.schedule.actual, m.schedule.planned)
    )
    if m.bac == 0:
        curve = sv_time = Figure.missing(ZERO_BUDGET)
    else:
        curve, sv_time = Figure.of(earned), Figure.of(earned - actual)
    if spi_time.value is None:
        ieac = spi_time
    elif spi_time.value == 0:
        ieac = Figure.missing(NO_EARNED_SCHEDULE)
    else:
        ieac = Figure.of(planned / spi_time.value)
    return {
        "earned_schedule": curve,
        "actual_time": Figure.of(actual),
        "planned_duration": Figure.of(planned),
        "sv_time": sv_time,
        "spi_time": spi_time,
        "ieac_time": ieac,
    }


def _eac(m: Measures, method: EacMethod, spi: Figure, cpi: Figure, spi_time: Figure) -> Figure:
    """Estimate the cost at completion: AC plus the remaining budget over the method's performance."""
    remaining = m.bac - m.ev
    if method is EacMethod.ATYPICAL:
        return Figure.of(m.ac + remaining)
    unknown = _why_no_estimate(m)
    if unknown is not None:
        return Figure.missing(unknown)
    if remaining <= 0:
        return Figure.of(m.ac)
    factor = _performance(method, spi, cpi, spi_time)
    if factor.value is None:
        return factor
    return Figure.of(m.ac + remaining / factor.value) if factor.value else Figure.missing(NO_EARNED_SCHEDULE)


def _why_no_estimate(m: Measures) -> str | None:
    """Give the reason why no performance can be projected, whatever the method."""
    if m.bac == 0:
        return ZERO_BUDGET
    if m.ac <= 0:
        return NO_ACTUAL_COST
    return NO_EARNED_VALUE if m.ev <= 0 else None


def _performance(method: EacMethod, spi: Figure, cpi: Figure, spi_time: Figure) -> Figure:
    """Give the performance that a method expects of the remaining work, or the first index it lacks."""
    match method:
        case EacMethod.TYPICAL | EacMethod.ATYPICAL:
            return cpi
        case EacMethod.TIME_DRIVEN:
            return spi_time
        case EacMethod.COMBINED | EacMethod.WEIGHTED:
            if cpi.value is None:
                return cpi
            if spi.value is None:
                return spi
            if method is EacMethod.COMBINED:
                return Figure.of(cpi.value * spi.value)
            return Figure.of(_CPI_SHARE * cpi.value + _SPI_SHARE * spi.value)
