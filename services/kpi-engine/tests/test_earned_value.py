from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from chassis.working_time import CONTINUOUS, STANDARD
from kpi_engine.definitions.envelope import Figure, Status, Unit, written
from kpi_engine.earned_value.earning import ProgressRecord
from kpi_engine.earned_value.facts import (
    Against,
    Baseline,
    BaselineTask,
    BudgetLine,
    Cost,
    EarningRule,
    ProgressReport,
    TaskKind,
    end_of_day,
    select_baseline,
)
from kpi_engine.earned_value.figures import UNITS, EacMethod, EarnedValue, assess, series
from kpi_engine.earned_value.measures import CostLedger
from kpi_engine.earned_value.planned_value import PlannedValue

MONDAY = datetime(2026, 6, 1, 8, tzinfo=UTC)
WEEK = timedelta(days=7)
FRIDAY_EVENING = MONDAY + timedelta(days=4, hours=9)

PV = ("5", "10", "25", "55", "85", "120", "130", "140", "150", "150", "150")
EV = tuple(map(Fraction, ("10/3", "20/3", "10", "45/2", "70", "165/2", "90", "120", "130", "140", "150")))
AC = ("10", "20", "30", "75", "120", "155", "170", "195", "200", "200", "210")
ES = (".6667", "1.3333", "2", "2.8333", "4.5", "4.9167", "5.1429", "6", "7", "8", "9")


def at(day: int, hour: int = 17) -> datetime:
    return datetime(2026, 6, day, hour, tzinfo=UTC)


def task(name: str, first: int, last: int, budget: str = "100", fixed: str = "0", **changes: object) -> BaselineTask:
    made = BaselineTask(name, name, at(first, 8), at(last), Decimal(budget), Decimal(fixed))
    for field, value in changes.items():
        object.__setattr__(made, field, value)
    return made


def report(name: str, when: datetime, percent: str) -> ProgressReport:
    return ProgressReport(name, when, Decimal(percent))


def cost(name: str | None, when: datetime, amount: str) -> Cost:
    return Cost(name, when, Decimal(amount))


def result(
    tasks: tuple[BaselineTask, ...],
    status_at: datetime,
    reports: tuple[ProgressReport, ...] = (),
    costs: tuple[Cost, ...] = (),
    method: EacMethod = EacMethod.TYPICAL,
) -> EarnedValue:
    plan = PlannedValue(Baseline("b1", STANDARD, tasks))
    return assess(plan, ProgressRecord(reports), CostLedger(costs), status_at, method, with_tasks=True)


def exact(found: EarnedValue, code: str) -> Fraction:
    value = found.figures[code].value
    assert value is not None, code
    return value


def values(found: EarnedValue, *codes: str) -> tuple[Fraction | int, ...]:
    return tuple(exact(found, code) for code in codes)


def reasons(found: EarnedValue, *codes: str) -> set[str | None]:
    assert all(found.figures[code].value is None for code in codes)
    return {found.figures[code].reason for code in codes}


def worked_example(method: EacMethod = EacMethod.TYPICAL) -> list[EarnedValue]:
    """Nine planned weeks of 40 hours whose planned value is given by budget lines, a week each."""
    cumulative = [Decimal(0), *map(Decimal, PV)]
    weeks = [(MONDAY + week * WEEK, FRIDAY_EVENING + week * WEEK) for week in range(11)]
    lines = tuple(BudgetLine("t", *weeks[week], cumulative[week + 1] - cumulative[week]) for week in range(9))
    only = BaselineTask("t", "1", weeks[0][0], weeks[8][1], Decimal(150))
    spent = [Decimal(0), *map(Decimal, AC)]
    reports = [
        ProgressReport("t", end, Decimal(ev.numerator) * 100 / ev.denominator / 150)
        for ev, (_, end) in zip(EV, weeks, strict=True)
    ]
    costs = [Cost("t", weeks[week][1], spent[week + 1] - spent[week]) for week in range(11)]
    baseline = Baseline("b1", STANDARD, (only,), lines, approved_at=MONDAY)
    times = [end for _, end in weeks]
    return list(series([baseline], ProgressRecord(reports), CostLedger(costs), times, eac_method=method))


@pytest.mark.parametrize("week", range(1, 12))
def test_the_worked_example_week_by_week(week: int) -> None:
    found = worked_example()[week - 1]
    assert exact(found, "bac") == 150
    assert exact(found, "pv") == Decimal(PV[week - 1])
    assert written(exact(found, "ev"), Unit.MONEY) == written(EV[week - 1], Unit.MONEY)
    assert exact(found, "ac") == Decimal(AC[week - 1])
    weeks = exact(found, "earned_schedule") / (40 * 60)
    assert abs(weeks - Fraction(ES[week - 1])) < Fraction(6, 10**5)
    assert exact(found, "planned_duration") == 9 * 40 * 60
    assert exact(found, "actual_time") == week * 40 * 60


def test_the_worked_example_in_week_four() -> None:
    documents = worked_example()[3].documents()
    expected = {"sv": "-32.5000", "cv": "-52.5000", "spi": "0.409091", "cpi": "0.300000"}
    expected |= {"eac": "500.0000", "tcpi": "1.700000", "spi_time": "0.708333", "sv_time": "-2800.000000"}
    expected |= {"sv_percent": "-59.090909", "cv_percent": "-233.333333", "vac": "-350.0000"}
    expected |= {"etc": "425.0000", "earned_schedule_at": "2026-06-19T09:20:00Z"}
    assert {code: documents[code]["value"] for code in expected} == expected


def test_the_worked_example_when_it_is_finished() -> None:
    found = worked_example()[10]
    assert exact(found, "spi") == 1
    assert written(exact(found, "spi_time"), Unit.RATIO) == "0.818182"
    assert exact(found, "eac") == 210
    assert exact(found, "etc") == 0
    tcpi = found.figures["tcpi"]
    assert (tcpi.value, tcpi.status, tcpi.reason) == (None, Status.NOT_APPLICABLE, "complete")


@pytest.mark.parametrize(
    ("method", "eac"),
    [
        (EacMethod.TYPICAL, Fraction(500)),
        (EacMethod.ATYPICAL, 75 + Fraction(255, 2)),
        (EacMethod.COMBINED, 75 + Fraction(255, 2) / (Fraction(3, 10) * Fraction(9, 22))),
        (EacMethod.TIME_DRIVEN, 75 + Fraction(255, 2) / Fraction(17, 24)),
        (EacMethod.WEIGHTED, 75 + Fraction(255, 2) / (Fraction(24, 100) + Fraction(2, 10) * Fraction(9, 22))),
    ],
)
def test_the_five_estimates(method: EacMethod, eac: Fraction) -> None:
    assert written(exact(worked_example(method)[3], "eac"), Unit.MONEY) == written(eac, Unit.MONEY)


def test_without_a_baseline_only_the_actual_cost_is_known() -> None:
    ledger = CostLedger([cost("a", at(1), "70"), cost(None, at(2), "-20"), cost("a", at(9), "5")])
    found = assess(None, ProgressRecord([]), ledger, at(3))
    assert exact(found, "ac") == 50
    assert set(found.figures) == set(UNITS)
    assert reasons(found, *(set(UNITS) - {"ac"})) == {"no_baseline"}
    assert found.documents()["earned_schedule_at"] == {
        "value": None,
        "status": "no_data",
        "reason": "no_baseline",
    }


def test_a_budget_of_zero_has_no_indices() -> None:
    found = result((task("a", 1, 5, "0"),), at(3), costs=(cost("a", at(2), "10"),))
    assert reasons(found, "spi", "cpi", "tcpi", "sv_percent", "cv_percent", "spi_time", "eac") == {"zero_budget"}
    assert values(found, "bac", "cv", "sv") == (0, -10, 0)
    assert found.earned_schedule_at is None


def test_before_the_start_nothing_is_planned() -> None:
    found = result((task("a", 8, 12),), at(5))
    assert exact(found, "pv") == 0
    assert reasons(found, "spi", "sv_percent", "spi_time", "ieac_time") == {"before_start"}
    assert exact(found, "actual_time") == 0


def test_after_the_start_nothing_may_be_planned_either() -> None:
    found = result((task("a", 1, 5, "0"), task("b", 8, 12)), at(3))
    assert reasons(found, "spi", "sv_percent") == {"no_planned_value"}


def test_spending_without_earning() -> None:
    found = result((task("a", 1, 5),), at(3), costs=(cost("a", at(2), "10"),))
    assert values(found, "spi", "cpi") == (0, 0)
    assert reasons(found, "eac", "etc", "vac", "cv_percent") == {"no_earned_value"}
    assert reasons(found, "ieac_time") == {"no_earned_schedule"}


def test_earning_without_spending() -> None:
    reports = (report("a", at(3), "40"),)
    assert reasons(result((task("a", 1, 5),), at(3), reports), "cpi", "eac", "etc", "vac") == {"no_actual_cost"}
    atypical = result((task("a", 1, 5),), at(3), reports, method=EacMethod.ATYPICAL)
    assert exact(atypical, "eac") == 60


def test_an_exhausted_budget_has_no_performance_that_would_save_it() -> None:
    reports = (report("a", at(3), "40"),)
    found = result((task("a", 1, 5),), at(3), reports, (cost("a", at(3), "100"),))
    assert reasons(found, "tcpi") == {"budget_exhausted"}


def test_past_the_planned_finish_and_unfinished() -> None:
    reports = (report("a", at(3), "99"),)
    found = result((task("a", 1, 5),), at(26), reports, (cost("a", at(3), "100"),))
    assert exact(found, "pv") == exact(found, "bac")
    assert exact(found, "spi") == Fraction(99, 100)
    assert exact(found, "spi_time") == Fraction(99, 400)
    assert exact(found, "ieac_time") == Fraction(5 * 480 * 400, 99)


def test_work_outside_the_baseline_costs_but_neither_plans_nor_earns() -> None:
    reports = (report("a", at(3), "50"), report("x", at(3), "100"))
    costs = (cost("a", at(3), "30"), cost("x", at(3), "15"), cost(None, at(3), "5"))
    found = result((task("a", 1, 5),), at(3), reports, costs)
    assert values(found, "pv", "ev", "ac") == (60, 50, 50)
    assert exact(found, "ac_outside_baseline") == 20
    assert exact(found, "ac_outside_baseline_percent") == 40
    outside = found.tasks[-1]
    assert (outside.task_id, outside.wbs) == ("x", None)
    assert outside.pv == outside.ev == 0
    assert outside.ac == 15


def test_summaries_carry_no_budget_of_their_own() -> None:
    summary = task("s", 1, 12, "500", kind=TaskKind.SUMMARY)
    reports = (report("s", at(3), "100"), report("a", at(3), "50"))
    found = result((summary, task("a", 1, 5)), at(3), reports, (cost("s", at(3), "7"),))
    assert values(found, "bac", "pv", "ev") == (100, 60, 50)
    assert values(found, "planned_duration", "ac_outside_baseline") == (5 * 480, 0)


def test_costs_and_reports_after_the_status_time_are_not_yet_known() -> None:
    reports = (report("a", at(3), "50"), report("a", at(4), "80"), report("a", at(2), "10"))
    costs = (cost("a", at(3), "30"), cost("a", at(3) + timedelta(seconds=1), "99"))
    found = result((task("a", 1, 5),), at(3), reports, costs)
    assert values(found, "ev", "ac") == (50, 30)


def test_a_level_of_effort_earns_what_is_planned() -> None:
    found = result((task("a", 1, 5, fixed="10", earning_rule=EarningRule.LEVEL_OF_EFFORT),), at(3))
    assert values(found, "pv", "ev", "sv") == (70, 70, 0)


def test_the_baseline_in_force_at_the_status_time() -> None:
    tasks = (task("a", 1, 5),)
    first = Baseline("first", STANDARD, tasks, approved_at=at(1))
    second = Baseline("second", STANDARD, tasks, approved_at=at(10))
    draft = Baseline("draft", STANDARD, tasks)
    everything = (second, draft, first)

    def chosen(when: datetime, against: Against = Against.CURRENT) -> str:
        baseline = select_baseline(everything, when, against)
        assert baseline is not None
        return baseline.id

    assert chosen(at(10) - timedelta(seconds=1)) == "first"
    assert chosen(at(10)) == "second"
    assert chosen(at(20), Against.ORIGINAL) == "first"
    assert chosen(datetime(2020, 1, 1, tzinfo=UTC)) == "first"
    assert select_baseline((draft,), at(20)) is None


def test_a_series_changes_baselines_where_the_project_did() -> None:
    first = Baseline("first", STANDARD, (task("a", 1, 5),), approved_at=at(1, 8))
    second = Baseline("second", STANDARD, (task("a", 8, 12, "200"),), approved_at=at(4))
    times = [at(3), at(4), at(12)]
    empty = ProgressRecord([]), CostLedger([])
    found = list(series([first, second], *empty, times))
    assert [one.baseline_id for one in found] == ["first", "second", "second"]
    assert [exact(one, "pv") for one in found] == [60, 0, 200]
    original = list(series([first, second], *empty, times, against=Against.ORIGINAL))
    assert [exact(one, "pv") for one in original] == [60, 80, 100]
    assert [one.baseline_id for one in series([], *empty, times)] == [None] * 3


def test_a_date_means_its_end_in_the_zone_of_the_project() -> None:
    assert end_of_day(date(2026, 3, 29), "Europe/Berlin") == datetime(2026, 3, 29, 22, tzinfo=UTC)
    assert end_of_day(date(2026, 10, 25), "Europe/Berlin") == datetime(2026, 10, 25, 23, tzinfo=UTC)


def test_the_reserve_is_in_no_figure() -> None:
    baseline = Baseline("b1", CONTINUOUS, (task("a", 1, 5),), management_reserve=Decimal(1000))
    found = assess(PlannedValue(baseline), ProgressRecord([]), CostLedger([]), at(30))
    assert exact(found, "bac") == exact(found, "pv") == 100


def test_figures_are_written_with_the_places_of_their_unit() -> None:
    assert Figure.of(Fraction(2, 3)).document(Unit.MONEY) == {
        "value": "0.6667",
        "status": "ok",
        "reason": None,
    }
