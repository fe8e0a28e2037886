import pytest
from builders import at, dates, links, plan, rows, schedule, task

from chassis.working_time import CONTINUOUS, STANDARD, WorkingCalendar
from project_tracker.schedules.engine import compute_schedule
from project_tracker.schedules.plan import PlannedTask, PlanRefusedError
from project_tracker.schedules.schedule import Driver, DriverKind

SATURDAYS = WorkingCalendar.from_document(
    {"timezone": "UTC", "weekly": [{"weekday": "saturday", "intervals": [["10:00", "14:00"]]}]}
)


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("a b FS", "07 08:00 – 07 17:00"),
        ("a b FS 1d", "08 08:00 – 08 17:00"),
        ("a b FS -4h", "06 13:00 – 07 12:00"),
        ("a b FS -50%", "06 08:00 – 06 17:00"),
        ("a b FS 25%", "07 13:00 – 08 12:00"),
        ("a b FS 1ed", "08 08:00 – 08 17:00"),
        ("a b FS 3ed", "12 08:00 – 12 17:00"),
        ("a b SS", "05 08:00 – 05 17:00"),
        ("a b SS 4h", "05 13:00 – 06 12:00"),
        ("a b SS 50%", "06 08:00 – 06 17:00"),
        ("a b FF", "06 08:00 – 06 17:00"),
        ("a b FF 1w", "13 08:00 – 13 17:00"),
        ("a b SF", "05 08:00 – 05 17:00"),
        ("a b SF 2d", "06 08:00 – 06 17:00"),
        ("a b SF -1w", "05 08:00 – 05 17:00"),
    ],
)
def test_each_link_type_and_lag_places_the_successor(link: str, expected: str) -> None:
    found = schedule(task("a", "2d"), task("b"), of=links(link))
    assert dates(found) == {"a": "05 08:00 – 06 17:00", "b": expected}


def test_the_latest_demand_drives_and_is_named() -> None:
    found = schedule(task("a", "2d"), task("b", "3d"), task("c"), of=links("a c", "b c FF 1d"))
    assert dates(found)["c"] == "08 08:00 – 08 17:00"
    assert rows(found)["c"].driven_by == Driver(DriverKind.LINK, "b", "b", links("b c FF 1d")[0].type)
    assert rows(found)["a"].driven_by == Driver(DriverKind.PROJECT_START)


def test_floats_are_working_minutes() -> None:
    found = rows(schedule(task("a"), task("b", "3d"), task("c", "1d"), task("d"), of=links("a d", "b d", "a c", "c d")))
    assert {name: (row.total_float, row.free_float, row.critical) for name, row in found.items()} == {
        "a": (480, 0, False),
        "b": (0, 0, True),
        "c": (480, 480, False),
        "d": (0, 0, True),
    }
    assert found["c"].late_start == at("07 08:00")
    assert found["a"].late_finish == at("06 17:00")


def test_a_lag_counts_on_the_successors_calendar() -> None:
    found = schedule(task("a"), task("b", "1h", calendar=SATURDAYS), of=links("a b FS 6h"))
    assert dates(found)["b"] == "17 12:00 – 17 13:00"
    back = schedule(task("a", "1h", calendar=SATURDAYS), task("b"), of=links("a b FS 1h"))
    assert dates(back)["b"] == "12 09:00 – 13 09:00"
    assert rows(back)["a"].total_float == 180


def test_each_task_counts_on_its_own_calendar() -> None:
    found = rows(schedule(task("a", "5h", calendar=SATURDAYS), task("b", "4h"), task("c"), of=links("a c", "b c")))
    assert found["a"].finish == at("17 11:00")
    assert found["c"].start == at("19 08:00")
    assert found["a"].total_float == 180
    assert found["b"].total_float == 9 * 480 + 240


def test_elapsed_durations_run_through_nights_and_weekends() -> None:
    found = schedule(task("a", "5d"), task("cure", "3ed"), task("b"), of=links("a cure", "cure b"))
    assert dates(found) == {"a": "05 08:00 – 09 17:00", "cure": "09 17:00 – 12 17:00", "b": "13 08:00 – 13 17:00"}
    assert all(row.critical for row in found.tasks)


def test_float_of_an_elapsed_duration_is_working_time_too() -> None:
    found = rows(schedule(task("cure", "1ed"), task("a", "5d"), task("b"), of=links("cure b", "a b")))
    assert found["cure"].late_finish == at("12 08:00")
    assert found["cure"].total_float == 4 * 480


def test_a_percentage_of_an_elapsed_duration_is_elapsed() -> None:
    found = schedule(task("cure", "2ed"), task("b"), of=links("cure b FS 50%"))
    assert dates(found)["b"] == "08 08:00 – 08 17:00"


def test_a_calendar_that_never_works_is_a_fault_not_an_endless_search() -> None:
    idle = WorkingCalendar.from_document({"timezone": "UTC", "weekly": []})
    with pytest.raises(PlanRefusedError, match="no working time"):
        schedule(task("a", calendar=idle))


def test_a_plan_beyond_the_calendar_is_a_fault() -> None:
    with pytest.raises(PlanRefusedError, match="not that much working time") as refused:
        schedule(task("a", "9999w"))
    assert [fault.code for fault in refused.value.faults] == ["time_out_of_range"]


def test_an_empty_plan_finishes_when_it_starts() -> None:
    found = compute_schedule(plan())
    assert found.project_start == found.project_finish == at("05 08:00")
    assert not found.tasks
    assert not found.warnings


def test_a_start_off_work_moves_to_the_next_working_time() -> None:
    assert dates(schedule(task("a"), start=at("03 10:00")))["a"] == "05 08:00 – 05 17:00"


@pytest.mark.parametrize(
    ("tasks", "texts", "code", "concerned"),
    [
        (["a", "b", "c"], ["a b", "b c", "c b"], "cycle", {"b", "c"}),
        (["a"], ["a a"], "link_to_itself", {"a"}),
        (["a"], ["a x"], "unknown_task", {"a", "x"}),
    ],
)
def test_links_that_cannot_be_are_refused(tasks: list[str], texts: list[str], code: str, concerned: set[str]) -> None:
    with pytest.raises(PlanRefusedError) as refused:
        schedule(*[task(name) for name in tasks], of=links(*texts))
    assert [fault.code for fault in refused.value.faults] == [code]
    assert set(refused.value.faults[0].task_ids) == concerned


def test_a_cycle_is_listed_in_the_order_of_its_links() -> None:
    with pytest.raises(PlanRefusedError, match="cycle") as refused:
        schedule(task("a"), task("b"), task("c"), task("d"), of=links("a b", "b c SS", "c d", "d b FF"))
    cycle = refused.value.faults[0].task_ids
    turned = cycle[cycle.index("b") :] + cycle[: cycle.index("b")]
    assert turned == ("b", "c", "d")


def test_all_faults_come_at_once() -> None:
    with pytest.raises(PlanRefusedError) as refused:
        schedule(task("a"), of=links("a a", "a x", "y a"))
    assert [fault.code for fault in refused.value.faults] == ["link_to_itself", "unknown_task", "unknown_task"]


def test_ids_need_not_be_the_wbs() -> None:
    found = compute_schedule(plan(PlannedTask("7", "1.1"), calendar=CONTINUOUS))
    assert (found.tasks[0].task_id, found.tasks[0].wbs) == ("7", "1.1")
    assert compute_schedule(plan(PlannedTask("7", "1.1"), calendar=STANDARD)).tasks[0].total_float == 0
