from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest

from chassis.working_time import STANDARD
from kpi_engine.availability.figures import availability_figures
from kpi_engine.availability.rules import Account
from kpi_engine.definitions.catalogue import CATALOGUE, PROJECT_KPIS, SERVICE_KPIS
from kpi_engine.definitions.envelope import Figure, SubjectType, Unit
from kpi_engine.earned_value.earning import ProgressRecord
from kpi_engine.earned_value.facts import Baseline, BaselineTask, Cost, ProgressReport
from kpi_engine.earned_value.figures import assess
from kpi_engine.earned_value.measures import CostLedger
from kpi_engine.earned_value.performance import project_kpis
from kpi_engine.earned_value.planned_value import PlannedValue


def at(day: int, hour: int = 17) -> datetime:
    return datetime(2026, 6, day, hour, tzinfo=UTC)


WEDNESDAY = at(3)


def kpis(
    percent: str = "40",
    spent: str = "80",
    status_at: datetime = WEDNESDAY,
    budget: str = "100",
    *,
    is_finished: bool = False,
    actual_finish: datetime | None = None,
    forecast_finish: datetime | None = None,
) -> dict[str, Figure]:
    """One task of ten working days, 1 to 12 June."""
    only = BaselineTask("a", "1", at(1, 8), at(12), Decimal(budget))
    plan = PlannedValue(Baseline("b", STANDARD, (only,)))
    progress = ProgressRecord([ProgressReport("a", status_at, Decimal(percent))])
    ledger = CostLedger([Cost("a", status_at, Decimal(spent))])
    return project_kpis(
        plan,
        assess(plan, progress, ledger, status_at),
        is_finished=is_finished,
        actual_finish=actual_finish,
        forecast_finish=forecast_finish,
    )


def test_the_catalogue_names_what_is_computed() -> None:
    computed = set(kpis()) | {"milestones_missed"}
    assert computed == {kpi.code for kpi in PROJECT_KPIS}
    assert set(availability_figures(Account())) == {kpi.code for kpi in SERVICE_KPIS}
    assert len(CATALOGUE) == len(PROJECT_KPIS) + len(SERVICE_KPIS)


def test_units_and_subjects_of_the_catalogue() -> None:
    assert CATALOGUE["availability"].formula_reference == "availability@1"
    assert CATALOGUE["availability"].share
    assert {kpi.subject_type for kpi in PROJECT_KPIS} == {SubjectType.PROJECT}
    assert Unit.MINUTES not in {kpi.unit for kpi in CATALOGUE.values()}


def test_budget_deviation_takes_the_estimate_while_the_project_runs() -> None:
    found = kpis()["budget_deviation"]
    assert (found.value, found.provisional) == (Fraction(100), True)
    assert (found.numerator, found.denominator) == (Fraction(100), Fraction(100))


def test_budget_deviation_takes_the_actual_cost_once_it_is_finished() -> None:
    terminated = kpis(is_finished=True)["budget_deviation"]
    assert (terminated.value, terminated.provisional) == (Fraction(-20), False)
    assert kpis(percent="100", spent="125")["budget_deviation"].value == 25


@pytest.mark.parametrize(
    ("percent", "spent", "budget", "reason"),
    [("0", "80", "100", "no_earned_value"), ("40", "0", "100", "no_actual_cost"), ("40", "80", "0", "zero_budget")],
)
def test_budget_deviation_without_an_estimate(percent: str, spent: str, budget: str, reason: str) -> None:
    assert kpis(percent, spent, budget=budget)["budget_deviation"].reason == reason


def test_times_are_in_working_days() -> None:
    found = kpis()
    assert found["schedule_variance_time"].value == 1
    assert found["earned_schedule"].value == 4
    assert found["planned_duration"].value == 10
    assert found["ieac_time"].value == Fraction(15, 2)


def test_finish_variance_by_what_is_known_best() -> None:
    by_earned_schedule = kpis()["finish_variance"]
    assert (by_earned_schedule.value, by_earned_schedule.provisional) == (Fraction(-5, 2), True)
    forecast = kpis(forecast_finish=at(16))["finish_variance"]
    assert (forecast.value, forecast.provisional) == (Fraction(2), True)
    actual = kpis(forecast_finish=at(16), actual_finish=at(11, 12))["finish_variance"]
    assert (actual.value, actual.provisional) == (Fraction(-3, 2), False)
    assert kpis(percent="0")["finish_variance"].reason == "no_forecast"


def test_a_forecast_beyond_all_calendars_is_none() -> None:
    assert kpis(percent="0.00000001", status_at=at(12))["finish_variance"].reason == "no_forecast"


def test_without_a_baseline_only_the_actual_cost_is_a_kpi() -> None:
    ledger = CostLedger([Cost(None, at(1), Decimal(7))])
    found = project_kpis(None, assess(None, ProgressRecord([]), ledger, at(3)))
    assert found.pop("actual_cost").value == 7
    assert {figure.reason for figure in found.values()} == {"no_baseline"}
    assert set(found) | {"actual_cost"} == set(kpis())
