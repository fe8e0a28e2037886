from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.durations import Duration, PercentLag
from chassis.working_time import CONTINUOUS, STANDARD, WorkingCalendar
from project_tracker.schedules.engine import compute_schedule
from project_tracker.schedules.plan import Link, LinkType, Plan, PlannedTask

START = datetime(2026, 3, 27, 9, tzinfo=UTC)
HOUR = 3600
BERLIN = WorkingCalendar("Europe/Berlin", STANDARD.weekly)
NIGHTS = [["00:00", "06:00"], ["22:00", "24:00"]]
SHIFTS = WorkingCalendar.from_document(
    {
        "timezone": "America/New_York",
        "weekly": [
            {"weekday": day, "intervals": [["00:00", "06:00"], ["22:00", "24:00"]]} for day in ("monday", "sunday")
        ],
    }
)
CALENDARS = [None, BERLIN, SHIFTS, CONTINUOUS]


@st.composite
def plans(draw: st.DrawFn, *, mixed: bool, lags: bool = True) -> Plan:
    size = draw(st.integers(1, 8))
    durations = st.integers(0 if mixed else 1, 30).map(lambda hours: hours * HOUR)
    tasks = [
        PlannedTask(
            str(node),
            str(node),
            Duration(draw(durations), mixed and draw(st.booleans())),
            calendar=draw(st.sampled_from(CALENDARS)) if mixed else None,
        )
        for node in range(size)
    ]
    links = []
    for after in range(1, size):
        for before in draw(st.sets(st.integers(0, after - 1), max_size=3)):
            amount = draw(st.integers(-20, 40)) if lags else 0
            lag = PercentLag(Decimal(amount)) if mixed and draw(st.booleans()) else Duration(amount * HOUR)
            links.append(Link(str(before), str(after), draw(st.sampled_from(LinkType)), lag))
    return Plan(START, tasks, links, STANDARD if mixed else CONTINUOUS)


def longest_paths(plan: Plan) -> dict[str, tuple[int, int]]:
    """Starts and finishes by relaxing every link until nothing moves: slow and plain."""
    length = {task.id: task.duration.seconds for task in plan.tasks}
    start = dict.fromkeys(length, 0)
    moved = True
    while moved:
        moved = False
        for link in plan.links:
            assert isinstance(link.lag, Duration)
            leaving = start[link.predecessor_id] + (length[link.predecessor_id] if link.type in {"FS", "FF"} else 0)
            back = length[link.successor_id] if link.type in {"FF", "SF"} else 0
            bound = leaving + link.lag.seconds - back
            if bound > start[link.successor_id]:
                start[link.successor_id], moved = bound, True
    return {str(key): (begin, begin + length[key]) for key, begin in start.items()}


@settings(max_examples=80, deadline=None)
@given(plans(mixed=False))
def test_early_dates_are_longest_paths(plan: Plan) -> None:
    expected = {
        name: (START + timedelta(seconds=start), START + timedelta(seconds=finish))
        for name, (start, finish) in longest_paths(plan).items()
    }
    assert {str(row.task_id): (row.early_start, row.early_finish) for row in compute_schedule(plan).tasks} == expected


@settings(max_examples=80, deadline=None)
@given(plans(mixed=False))
def test_slipping_by_the_total_float_keeps_the_project_and_one_hour_more_does_not(plan: Plan) -> None:
    schedule = compute_schedule(plan)
    row = max(schedule.tasks, key=lambda row: row.total_float)
    for late, keeps in ((0, True), (HOUR, False)):
        shift = row.total_float * 60 + late
        held = PlannedTask("held", "held", Duration(int((row.early_start - START).total_seconds()) + shift))
        link = Link("held", row.task_id)
        slipped = compute_schedule(Plan(START, [*plan.tasks, held], [*plan.links, link], plan.calendar))
        assert (slipped.project_finish <= schedule.project_finish) == keeps


@settings(max_examples=120, deadline=None)
@given(plans(mixed=True))
def test_dates_hold_whatever_calendars_meet(plan: Plan) -> None:
    schedule = compute_schedule(plan)
    rows = {row.task_id: row for row in schedule.tasks}
    assert schedule.project_finish == max(row.early_finish for row in schedule.tasks)
    assert any(row.critical for row in schedule.tasks)
    for task in plan.tasks:
        row = rows[task.id]
        calendar = CONTINUOUS if task.duration.elapsed and task.duration.seconds else (task.calendar or plan.calendar)
        assert START <= row.early_start <= row.early_finish <= schedule.project_finish
        for start, finish in ((row.early_start, row.early_finish), (row.late_start, row.late_finish)):
            assert calendar.working_seconds(start, finish) == task.duration.seconds
        assert 0 <= row.free_float <= row.total_float
        assert calendar.working_seconds(row.early_finish, row.late_finish) >= 0
    assert not [warning for warning in schedule.warnings if warning.code != "dangling_task"]


@settings(max_examples=80, deadline=None)
@given(plans(mixed=True, lags=False))
def test_links_without_lag_hold_in_real_time(plan: Plan) -> None:
    rows = {row.task_id: row for row in compute_schedule(plan).tasks}
    for link in plan.links:
        if isinstance(link.lag, PercentLag) or link.lag.seconds:
            continue
        before, after = rows[link.predecessor_id], rows[link.successor_id]
        task = next(task for task in plan.tasks if task.id == link.successor_id)
        calendar = CONTINUOUS if task.duration.elapsed and task.duration.seconds else (task.calendar or plan.calendar)
        leaving = before.early_finish if link.type in {"FS", "FF"} else before.early_start
        arriving = after.early_finish if link.type in {"FF", "SF"} else after.early_start
        assert calendar.working_seconds(leaving, arriving) >= 0
        if link.type == "FS":
            assert leaving <= arriving


@settings(max_examples=50, deadline=None)
@given(plans(mixed=True), st.randoms(use_true_random=False))
def test_the_order_of_tasks_and_links_changes_no_date(plan: Plan, random: object) -> None:
    tasks, links = list(plan.tasks), list(plan.links)
    getattr(random, "shuffle")(tasks)  # noqa: B009 - the strategy's type is private
    getattr(random, "shuffle")(links)  # noqa: B009
    found = {row.task_id: row[:10] for row in compute_schedule(Plan(START, tasks, links, plan.calendar)).tasks}
    assert found == {row.task_id: row[:10] for row in compute_schedule(plan).tasks}


def test_a_long_chain_is_no_matter_of_depth() -> None:
    tasks = [PlannedTask(str(node), str(node), Duration(HOUR)) for node in range(3000)]
    links = [Link(before.id, after.id) for before, after in pairwise(tasks)]
    schedule = compute_schedule(Plan(START, tasks, links, CONTINUOUS))
    assert schedule.project_finish == START + timedelta(hours=3000)
    assert all(row.critical for row in schedule.tasks)
