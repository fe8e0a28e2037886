"""The KPIs that come with the engine: what each is called, counts, and how it is computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from kpi_engine.definitions.envelope import SubjectType, Unit


class Direction(StrEnum):
    """Which way is better."""

    HIGHER = "higher_is_better"
    LOWER = "lower_is_better"


@dataclass(frozen=True, slots=True)
class KpiDefinition:
    """One KPI of the catalogue. Whoever changes its formula raises `formula_version`.

    A `share` is a part of a whole: `definitions.envelope.written` must not round it to 0 or 100 percent.
    """

    code: str
    name: str
    unit: Unit
    direction: Direction
    subject_type: SubjectType
    formula: str
    formula_version: int = 1
    share: bool = False

    @property
    def formula_reference(self) -> str:
        """The code and version that an envelope carries."""
        return f"{self.code}@{self.formula_version}"


def _service(
    code: str, name: str, unit: Unit, direction: Direction, formula: str, *, share: bool = False
) -> KpiDefinition:
    return KpiDefinition(code, name, unit, direction, SubjectType.SERVICE, formula, share=share)


def _project(
    code: str, name: str, unit: Unit, direction: Direction, formula: str, *, share: bool = False
) -> KpiDefinition:
    return KpiDefinition(code, name, unit, direction, SubjectType.PROJECT, formula, share=share)


SERVICE_KPIS = (
    _service(
        "availability",
        "Availability",
        Unit.PERCENT,
        Direction.HIGHER,
        "(AST - U - DT) / (AST - U) * 100; AST: agreed service time without qualifying maintenance, "
        "U: its unmeasured part, DT: the integral over AST of the largest weight of the active outages",
        share=True,
    ),
    _service(
        "downtime_seconds",
        "Weighted downtime",
        Unit.SECONDS,
        Direction.LOWER,
        "DT, the integral over AST of the largest weight of the active outages",
    ),
    _service(
        "mtrs",
        "Mean time to restore service",
        Unit.SECONDS,
        Direction.LOWER,
        "unweighted time of the down periods within AST / number of down periods",
    ),
    _service(
        "mtbf",
        "Mean time between failures",
        Unit.SECONDS,
        Direction.HIGHER,
        "(AST - unweighted time of the down periods) / number of down periods",
    ),
    _service(
        "error_budget_remaining",
        "Error budget remaining",
        Unit.RATIO,
        Direction.HIGHER,
        "1 - DT / ((1 - target) * AST of the whole period, its future included)",
    ),
    _service(
        "burn_rate",
        "Error budget burn rate",
        Unit.RATIO,
        Direction.LOWER,
        "(DT / (AST - U)) / (1 - target)",
    ),
)

PROJECT_KPIS = (
    _project(
        "budget_deviation",
        "Budget deviation",
        Unit.PERCENT,
        Direction.LOWER,
        "(cost - BAC) / BAC * 100; cost: AC once the project is finished, EAC while it runs",
    ),
    _project("schedule_variance", "Schedule variance", Unit.MONEY, Direction.HIGHER, "EV - PV"),
    _project(
        "schedule_variance_percent",
        "Schedule variance, percent",
        Unit.PERCENT,
        Direction.HIGHER,
        "(EV - PV) / PV * 100",
    ),
    _project(
        "schedule_variance_time",
        "Schedule variance, time",
        Unit.DAYS,
        Direction.HIGHER,
        "ES - AT in working days",
    ),
    _project(
        "finish_variance",
        "Finish variance",
        Unit.DAYS,
        Direction.LOWER,
        "actual finish, else forecast finish - baseline finish, in working days",
    ),
    _project("cost_variance", "Cost variance", Unit.MONEY, Direction.HIGHER, "EV - AC"),
    _project(
        "cost_variance_percent",
        "Cost variance, percent",
        Unit.PERCENT,
        Direction.HIGHER,
        "(EV - AC) / EV * 100",
    ),
    _project(
        "milestones_missed",
        "Milestones missed",
        Unit.PERCENT,
        Direction.LOWER,
        "(achieved later + not achieved) / all milestones whose baseline date is not after the status date * 100",
        share=True,
    ),
    _project(
        "budget_at_completion",
        "Budget at completion (BAC)",
        Unit.MONEY,
        Direction.LOWER,
        "sum of the baseline totals, without the management reserve",
    ),
    _project(
        "planned_value",
        "Planned value (PV)",
        Unit.MONEY,
        Direction.HIGHER,
        "sum of the value planned up to the status time",
    ),
    _project(
        "earned_value",
        "Earned value (EV)",
        Unit.MONEY,
        Direction.HIGHER,
        "sum of the baseline budgets times the fractions earned by the earning rules",
    ),
    _project(
        "actual_cost",
        "Actual cost (AC)",
        Unit.MONEY,
        Direction.LOWER,
        "signed sum of the actual costs up to the status time",
    ),
    _project("spi", "Schedule performance index", Unit.RATIO, Direction.HIGHER, "EV / PV"),
    _project("cpi", "Cost performance index", Unit.RATIO, Direction.HIGHER, "EV / AC"),
    _project(
        "eac",
        "Estimate at completion",
        Unit.MONEY,
        Direction.LOWER,
        "AC + (BAC - EV) / CPI, or by the method asked for",
    ),
    _project("etc", "Estimate to complete", Unit.MONEY, Direction.LOWER, "EAC - AC"),
    _project("vac", "Variance at completion", Unit.MONEY, Direction.HIGHER, "BAC - EAC"),
    _project(
        "tcpi",
        "To-complete performance index",
        Unit.RATIO,
        Direction.LOWER,
        "(BAC - EV) / (BAC - AC)",
    ),
    _project(
        "earned_schedule",
        "Earned schedule (ES)",
        Unit.DAYS,
        Direction.HIGHER,
        "working days from the baseline start to the instant at which PV reaches EV",
    ),
    _project(
        "actual_time",
        "Actual time (AT)",
        Unit.DAYS,
        Direction.LOWER,
        "working days from the baseline start to the status time, stopped when every task is complete",
    ),
    _project(
        "planned_duration",
        "Planned duration (PD)",
        Unit.DAYS,
        Direction.LOWER,
        "working days from the baseline start to the baseline finish",
    ),
    _project(
        "spi_time",
        "Schedule performance index, time",
        Unit.RATIO,
        Direction.HIGHER,
        "ES / AT",
    ),
    _project(
        "ieac_time",
        "Independent estimate of the duration",
        Unit.DAYS,
        Direction.LOWER,
        "PD / SPI(t) in working days",
    ),
)

CATALOGUE: Mapping[str, KpiDefinition] = {kpi.code: kpi for kpi in (*SERVICE_KPIS, *PROJECT_KPIS)}
"""Every KPI above by its code."""
