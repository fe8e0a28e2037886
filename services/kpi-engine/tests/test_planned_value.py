from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.working_time import CONTINUOUS, STANDARD, WorkingCalendar, to_second
from kpi_engine.earned_value.earned_schedule import earned_schedule
from kpi_engine.earned_value.earning import ProgressRecord, earned_fraction, earned_value
from kpi_engine.earned_value.facts import (
    Baseline,
    BaselineTask,
    BudgetLine,
    EarningRule,
    FixedAccrual,
    ProgressReport,
    TaskKind,
)
from kpi_engine.earned_value.planned_value import PlannedValue, task_total

FRIDAY = datetime(2026, 6, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
NEVER = WorkingCalendar("UTC", ((),) * 7)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 6, day, hour, minute, tzinfo=UTC)


def task(
    name: str,
    start: datetime,
    finish: datetime,
    budget: str = "100",
    fixed: str = "0",
    accrual: FixedAccrual = FixedAccrual.START,
    rule: EarningRule = EarningRule.PERCENT_COMPLETE,
    weights: tuple[str, ...] = (),
) -> BaselineTask:
    return BaselineTask(
        name,
        name,
        start,
        finish,
        Decimal(budget),
        Decimal(fixed),
        accrual,
        rule,
        milestone_weights=tuple(map(Decimal, weights)),
    )


def plan(*tasks: BaselineTask, lines: tuple[BudgetLine, ...] = ()) -> PlannedValue:
    return PlannedValue(Baseline("b", STANDARD, tasks, lines))


def planned(of: PlannedValue, when: datetime) -> Fraction:
    return of.at(to_second(when))


def test_the_variable_part_accrues_over_working_time() -> None:
    curve = plan(task("a", at(5, 8), at(8, 17)))
    assert planned(curve, at(5, 8)) == 0
    assert planned(curve, at(5, 12)) == planned(curve, at(5, 13)) == 25
    assert planned(curve, at(5, 17)) == planned(curve, at(7, 12)) == planned(curve, at(8, 8)) == 50
    assert planned(curve, at(8, 17)) == planned(curve, at(30, 0)) == 100
    assert planned(curve, at(1, 0)) == 0


@pytest.mark.parametrize(
    ("accrual", "expected"),
    [
        (FixedAccrual.START, ("0", "60", "60", "60", "60")),
        (FixedAccrual.PRORATED, ("0", "60/28800", "30", "60", "60")),
        (FixedAccrual.END, ("0", "0", "0", "0", "60")),
    ],
)
def test_the_fixed_part(accrual: FixedAccrual, expected: tuple[str, ...]) -> None:
    curve = plan(task("a", at(5, 8), at(5, 17), "0", "60", accrual), task("b", at(5, 8), at(8, 17), "0"))
    ends = at(5, 17) if accrual is not FixedAccrual.END else at(5, 17) - SECOND
    times = (at(5, 8), at(5, 8) + SECOND, at(5, 12, 30), ends, at(8, 8))
    assert [planned(curve, when) for when in times] == [Fraction(e) for e in expected]
    assert planned(curve, at(5, 17)) == 60


def test_a_span_without_working_time_accrues_over_the_clock() -> None:
    curve = plan(task("weekend", at(5, 18), at(8, 6), "60"), task("a", at(8, 8), at(8, 17), "0"))
    assert planned(curve, at(5, 19)) == 1
    assert planned(curve, at(7, 0)) == 30
    assert planned(curve, at(8, 6)) == 60


@pytest.mark.parametrize("accrual", FixedAccrual)
def test_a_task_without_duration_counts_at_its_instant(accrual: FixedAccrual) -> None:
    curve = plan(task("a", at(5, 8), at(5, 8), "30", "12", accrual))
    assert planned(curve, at(5, 8) - SECOND) == 0
    assert planned(curve, at(5, 8)) == 42


def test_budget_lines_replace_both_parts_of_their_task() -> None:
    lines = (
        BudgetLine("a", at(8, 8), at(8, 17), Decimal(30)),
        BudgetLine("a", at(9, 8), at(9, 17), Decimal(90)),
    )
    curve = plan(task("a", at(5, 8), at(9, 17), "100", "20"), task("b", at(5, 8), at(5, 17), "8"), lines=lines)
    assert planned(curve, at(5, 17)) == 8
    assert planned(curve, at(8, 12)) == 8 + 15
    assert planned(curve, at(9, 17)) == 8 + 120
    assert curve.of_task("a", to_second(at(8, 17))) == 30
    assert curve.budget_at_completion == 128


def test_lines_without_a_task_plan_all_tasks_that_have_none_of_their_own() -> None:
    lines = (
        BudgetLine(None, at(5, 8), at(5, 17), Decimal(100)),
        BudgetLine("b", at(8, 8), at(8, 8), Decimal(7)),
    )
    curve = plan(task("a", at(5, 8), at(9, 17)), task("b", at(5, 8), at(5, 17), "7"), lines=lines)
    assert planned(curve, at(5, 12)) == 50
    assert planned(curve, at(8, 8)) == 107


def test_a_calendar_that_never_opens_still_plans() -> None:
    curve = PlannedValue(Baseline("b", NEVER, (task("a", at(5, 8), at(5, 18)),)))
    assert planned(curve, at(5, 13)) == 50
    found = earned_schedule(curve, ProgressRecord([]), Fraction(50), at(5, 13))
    assert (found.earned, found.earned_at) == (Fraction(0), at(5, 8))


def test_a_plan_needs_a_task_that_runs_forward() -> None:
    with pytest.raises(ValueError, match="finishes before"):
        task("a", at(6, 8), at(5, 8))
    with pytest.raises(ValueError, match="ends before"):
        BudgetLine("a", at(6, 8), at(5, 8), Decimal(1))
    summary = BaselineTask("s", "1", at(5, 8), at(5, 17), kind=TaskKind.SUMMARY)
    with pytest.raises(ValueError, match="no summary"):
        plan(summary)


@pytest.mark.parametrize(
    ("rule", "fractions"),
    [
        (EarningRule.PERCENT_COMPLETE, ("0", "0.01", "0.5", "1")),
        (EarningRule.ZERO_HUNDRED, ("0", "0", "0", "1")),
        (EarningRule.FIFTY_FIFTY, ("0", "0.5", "0.5", "1")),
        (EarningRule.TWENTY_EIGHTY, ("0", "0.2", "0.2", "1")),
        (EarningRule.WEIGHTED_MILESTONES, ("0", "0.01", "0.5", "1")),
    ],
)
def test_earning_rules(rule: EarningRule, fractions: tuple[str, ...]) -> None:
    one = task("a", at(5, 8), at(5, 17), rule=rule)
    reported = map(Fraction, ("0", "0.01", "0.5", "1"))
    assert [earned_fraction(one, done) for done in reported] == [Fraction(f) for f in fractions]


def test_weighted_milestones_earn_a_step_when_it_is_complete() -> None:
    one = task("a", at(5, 8), at(5, 17), rule=EarningRule.WEIGHTED_MILESTONES, weights=("1", "2", "1"))
    steps = {"0.24": "0", "0.25": "0.25", "0.74": "0.25", "0.75": "0.75", "1": "1"}
    for done, expected in steps.items():
        assert earned_fraction(one, Fraction(done)) == Fraction(expected)


@pytest.mark.parametrize(
    ("accrual", "earned"),
    [
        (FixedAccrual.START, ("0", "81", "160")),
        (FixedAccrual.PRORATED, ("0", "33.6", "160")),
        (FixedAccrual.END, ("0", "21", "160")),
    ],
)
def test_the_fixed_part_is_earned_as_it_accrues(accrual: FixedAccrual, earned: tuple[str, ...]) -> None:
    one = task("a", at(5, 8), at(5, 17), "100", "60", accrual)
    found = [earned_value(one, Fraction(done), Fraction(0)) for done in ("0", "0.21", "1")]
    assert found == [Fraction(e) for e in earned]


def progress(*reports: tuple[str, datetime, str], **finishes: datetime) -> ProgressRecord:
    return ProgressRecord([ProgressReport(n, when, Decimal(p)) for n, when, p in reports], finishes)


def test_earned_schedule_is_nearest_the_status_time_where_the_curve_is_flat() -> None:
    curve = plan(task("a", at(5, 8), at(5, 17)), task("b", at(10, 8), at(10, 17)))
    none = progress()
    for status, hours, instant in (
        (at(5, 12), 8, at(5, 17)),
        (at(8, 17), 16, at(8, 17)),
        (at(9, 8), 16, at(8, 17)),
        (at(12, 17), 24, at(9, 17)),
    ):
        found = earned_schedule(curve, none, Fraction(100), status)
        assert found.earned == hours * 3600
        assert found.earned_at == instant


def test_the_flat_end_stops_at_the_planned_finish_and_the_flat_start_at_the_start() -> None:
    curve = plan(
        task("a", at(8, 8), at(8, 17), "0"), task("b", at(9, 8), at(9, 17)), task("c", at(10, 8), at(10, 17), "0")
    )
    none = progress()
    assert earned_schedule(curve, none, Fraction(100), at(30, 17)).earned_at == at(10, 17)
    assert earned_schedule(curve, none, Fraction(100), at(9, 17)).earned_at == at(9, 17)
    assert earned_schedule(curve, none, Fraction(0), at(8, 10)).earned == 2 * 3600
    before = earned_schedule(curve, none, Fraction(0), at(1, 8))
    assert (before.earned_at, before.earned, before.actual) == (at(8, 8), Fraction(0), Fraction(0))


def test_a_value_reached_off_work_is_written_as_the_end_of_the_work_before() -> None:
    curve = plan(task("weekend", at(6, 12), at(7, 12), "10"), task("a", at(5, 8), at(8, 17), "20"))
    found = earned_schedule(curve, progress(), Fraction(15), at(30, 17))
    assert (found.earned, found.earned_at) == (Fraction(8 * 3600), at(5, 17))


def test_a_jump_is_reached_where_it_happens() -> None:
    curve = plan(task("a", at(8, 8), at(8, 17), "0"), task("b", at(9, 8), at(9, 17), "0", "50"))
    found = earned_schedule(curve, progress(), Fraction(20), at(30, 17))
    assert (found.earned, found.earned_at) == (Fraction(8 * 3600), at(8, 17))


def test_earned_schedule_as_an_instant_is_written_to_the_second() -> None:
    curve = plan(task("a", at(8, 8), at(8, 17), "3"))
    found = earned_schedule(curve, progress(), Fraction(1, 7), at(8, 17))
    assert found.earned == Fraction(28_800, 21)
    assert found.earned_at == at(8, 8) + timedelta(seconds=1371)


def test_actual_time_stops_when_every_task_is_complete() -> None:
    curve = plan(task("a", at(8, 8), at(8, 17)), task("b", at(9, 8), at(9, 17)))
    halfway = progress(("a", at(8, 17), "100"))
    assert earned_schedule(curve, halfway, Fraction(100), at(15, 17)).actual == 48 * 3600
    reported = progress(("a", at(8, 17), "100"), ("b", at(10, 17), "100"), ("b", at(11, 17), "100"))
    assert earned_schedule(curve, reported, Fraction(200), at(15, 17)).actual == 24 * 3600
    known = progress(("a", at(8, 17), "100"), ("b", at(10, 17), "100"), b=at(9, 12), a=at(8, 12))
    assert earned_schedule(curve, known, Fraction(200), at(15, 17)).actual == 12 * 3600
    reopened = progress(("a", at(8, 17), "100"), ("b", at(8, 17), "100"), ("b", at(9, 17), "90"))
    assert earned_schedule(curve, reopened, Fraction(190), at(10, 17)).actual == 24 * 3600


def test_a_level_of_effort_is_complete_when_its_time_is_over() -> None:
    effort = task("b", at(8, 8), at(9, 17), rule=EarningRule.LEVEL_OF_EFFORT)
    curve = plan(task("a", at(8, 8), at(8, 17)), effort)
    done = progress(("a", at(8, 17), "100"))
    assert earned_schedule(curve, done, Fraction(200), at(15, 17)).actual == 16 * 3600


STEP = 15
minutes = st.integers(0, 5 * 24 * 60 // STEP).map(lambda steps: steps * STEP)
tasks = st.lists(
    st.builds(
        lambda span, budget, fixed, accrual: (sorted(span), budget, fixed, accrual),
        st.tuples(minutes, minutes),
        st.integers(0, 9),
        st.integers(0, 9),
        st.sampled_from(FixedAccrual),
    ),
    min_size=1,
    max_size=6,
)
TaskDraw = tuple[list[int], int, int, FixedAccrual]


def drawn(draws: list[TaskDraw], calendar: WorkingCalendar) -> PlannedValue:
    made = (
        BaselineTask(
            str(index),
            str(index),
            FRIDAY + span[0] * MINUTE,
            FRIDAY + span[1] * MINUTE,
            Decimal(budget),
            Decimal(fixed),
            accrual,
        )
        for index, (span, budget, fixed, accrual) in enumerate(draws)
    )
    return PlannedValue(Baseline("b", calendar, tuple(made)))


def counted(one: BaselineTask, when: datetime, calendar: WorkingCalendar) -> Fraction:
    """Planned value by counting minutes, one after the other."""
    if one.start == one.finish:
        return task_total(one) if when >= one.start else Fraction(0)
    span = [one.start + m * MINUTE for m in range((one.finish - one.start) // MINUTE)]
    working = [m for m in span if calendar.working_seconds(m, m + MINUTE) == 60] or span
    even = Fraction(sum(m < when for m in working), len(working))
    fixed = {
        FixedAccrual.START: Fraction(int(when > one.start)),
        FixedAccrual.PRORATED: even,
        FixedAccrual.END: Fraction(int(when >= one.finish)),
    }
    return Fraction(one.budget) * even + Fraction(one.fixed_budget) * fixed[one.fixed_accrual]


@settings(deadline=None)
@given(tasks, minutes, st.sampled_from([STANDARD, CONTINUOUS]))
def test_planned_value_equals_a_count_of_minutes(draws: list[TaskDraw], status: int, calendar: WorkingCalendar) -> None:
    curve, when = drawn(draws, calendar), FRIDAY + status * MINUTE
    for one in curve.tasks:
        assert curve.of_task(one.task_id, to_second(when)) == counted(one, when, calendar)
    assert planned(curve, when) == sum(curve.of_task(one.task_id, to_second(when)) for one in curve.tasks)


@given(tasks, minutes, minutes)
def test_planned_value_never_falls_and_ends_at_the_budget(draws: list[TaskDraw], a: int, b: int) -> None:
    curve = drawn(draws, STANDARD)
    first, last = sorted((a, b))
    earlier, later = (planned(curve, FRIDAY + m * MINUTE) for m in (first, last))
    assert 0 <= earlier <= later <= curve.budget_at_completion
    assert curve.at(curve.finish + 1) == curve.budget_at_completion


@settings(deadline=None)
@given(tasks, st.fractions(0, 1, max_denominator=50), minutes, st.sampled_from([STANDARD, CONTINUOUS]))
def test_earned_schedule_is_where_the_curve_stands_at_the_earned_value(
    draws: list[TaskDraw], share: Fraction, status: int, calendar: WorkingCalendar
) -> None:
    curve, when = drawn(draws, calendar), FRIDAY + status * MINUTE
    ev = curve.budget_at_completion * share
    found = earned_schedule(curve, progress(), ev, when)
    origin = calendar.position(curve.start)
    position = origin + found.earned
    assert 0 <= found.earned <= found.planned

    seconds = range(curve.start - STEP * 60, curve.finish + STEP * 60 + 1, STEP * 60)
    below = [s for s in seconds if curve.at(s) < ev]
    above = [s for s in seconds if curve.at(s) > ev]
    assert all(calendar.position(s) <= position for s in below if s <= curve.finish)
    assert all(calendar.position(s) >= position for s in above)
    level = [Fraction(calendar.position(s)) for s in seconds if curve.at(s) == ev and s >= curve.start]
    if level:
        nearest = Fraction(calendar.position(to_second(when)))
        distance = abs(position - nearest)
        assert all(distance <= abs(min(p, origin + found.planned) - nearest) for p in level)
    if ev > 0 and found.earned_at > FRIDAY + (curve.start - to_second(FRIDAY)) * SECOND:
        assert abs(calendar.position(to_second(found.earned_at)) - position) <= Fraction(1, 2)
