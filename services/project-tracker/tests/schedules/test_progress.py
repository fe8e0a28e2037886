from decimal import Decimal

import pytest
from builders import at, codes, dates, links, rows, schedule, task

from project_tracker.schedules.schedule import DriverKind


def test_actual_dates_are_the_dates_and_drive_what_follows() -> None:
    done = task("a", "1d", actual_start_at="06 09:00", actual_finish_at="08 12:00", percent_complete=Decimal(100))
    found = schedule(done, task("b"), of=links("a b"))
    assert dates(found) == {"a": "06 09:00 – 08 12:00", "b": "08 13:00 – 09 12:00"}
    row = rows(found)["a"]
    assert (row.early_start, row.late_finish, row.total_float) == (row.start, row.finish, 0)
    assert not row.critical
    assert row.driven_by.kind is DriverKind.ACTUAL
    assert rows(found)["b"].critical


def test_dates_off_work_are_kept_as_they_were() -> None:
    done = task("a", "1d", actual_start_at="10 20:00", actual_finish_at="11 03:30")
    assert dates(schedule(done, task("b"), of=links("a b"))) == {"a": "10 20:00 – 11 03:30", "b": "12 08:00 – 12 17:00"}


def test_an_actual_start_moves_the_rest_without_a_status_time() -> None:
    found = schedule(
        task("a", "2d", actual_start_at="07 08:00", percent_complete=Decimal(25)), task("b"), of=links("a b")
    )
    assert dates(found) == {"a": "07 08:00 – 08 17:00", "b": "09 08:00 – 09 17:00"}
    assert rows(found)["a"].critical


def test_without_a_status_time_nothing_is_moved() -> None:
    assert dates(schedule(task("a"), task("b")))["b"] == "05 08:00 – 05 17:00"


def test_remaining_work_starts_no_earlier_than_the_status_time() -> None:
    begun = task("a", "4d", actual_start_at="05 08:00", percent_complete=Decimal(50))
    found = schedule(begun, task("b"), task("c"), of=links("a b"), status="12 13:00")
    assert dates(found) == {"a": "05 08:00 – 14 12:00", "b": "14 13:00 – 15 12:00", "c": "12 13:00 – 13 12:00"}
    assert rows(found)["c"].driven_by.kind is DriverKind.STATUS_TIME
    assert rows(found)["a"].driven_by.kind is DriverKind.ACTUAL


def test_done_work_is_not_moved_by_the_status_time() -> None:
    done = task("a", "2d", actual_start_at="05 08:00", percent_complete=Decimal(100))
    found = schedule(done, task("m", "0d", actual_start_at="06 17:00"), task("b"), of=links("a b"), status="09 08:00")
    assert dates(found) == {"a": "05 08:00 – 06 17:00", "m": "06 17:00 – 06 17:00", "b": "09 08:00 – 09 17:00"}


def test_a_finish_without_a_start_reaches_back_over_the_duration() -> None:
    assert dates(schedule(task("a", "2d", actual_finish_at="08 17:00")))["a"] == "07 08:00 – 08 17:00"
    assert dates(schedule(task("m", "0d", actual_finish_at="08 17:00")))["m"] == "08 17:00 – 08 17:00"


def test_progress_without_dates_keeps_the_forecast_start() -> None:
    alone = schedule(task("b", "2d", percent_complete=Decimal(50)), status="07 08:00")
    assert dates(alone)["b"] == "05 08:00 – 07 17:00"
    behind = schedule(task("a"), task("b", "2d", percent_complete=Decimal(50)), of=links("a b"), status="07 08:00")
    assert dates(behind)["b"] == "08 08:00 – 08 17:00"


def test_a_started_task_with_float_finishes_late_but_started_when_it_did() -> None:
    begun = task("a", "2d", actual_start_at="05 08:00", percent_complete=Decimal(10))
    row = rows(schedule(begun, task("z", "5d")))["a"]
    assert (row.late_start, row.late_finish) == (at("05 08:00"), at("09 17:00"))
    assert (row.total_float, row.free_float, row.critical) == (3 * 480, 3 * 480, False)


@pytest.mark.parametrize("status", ["", "06 08:00"])
def test_work_begun_before_its_predecessor_ends_is_told(status: str) -> None:
    begun = task("b", "3d", actual_start_at="05 13:00", percent_complete=Decimal(10))
    found = schedule(task("a", "2d"), begun, of=links("a b"), status=status)
    assert dates(found)["b"].startswith("05 13:00")
    assert ("out_of_sequence", "b") in codes(found)


def test_work_in_sequence_is_not_told() -> None:
    done = task("a", "1d", actual_start_at="05 08:00", actual_finish_at="05 17:00")
    begun = task("b", "3d", actual_start_at="06 08:00", percent_complete=Decimal(10))
    assert codes(schedule(done, begun, of=links("a b"))) == []


def test_a_finish_link_still_holds_a_task_that_has_begun() -> None:
    begun = task("b", "1d", actual_start_at="05 08:00", percent_complete=Decimal(10))
    found = schedule(task("a", "3d"), begun, of=links("a b FF"))
    assert dates(found)["b"] == "05 08:00 – 07 17:00"
    assert codes(found) == []


def test_what_has_happened_holds_no_predecessor_back() -> None:
    done = task("b", "1d", actual_start_at="05 08:00", actual_finish_at="05 17:00")
    found = rows(schedule(task("a", "1d"), done, task("z", "5d"), of=links("a b")))
    assert found["a"].total_float == 4 * 480


def test_a_summary_of_done_leaves_is_not_critical() -> None:
    done = task("a", "1d", actual_start_at="05 08:00", actual_finish_at="05 17:00", parent="s")
    begun = task("c", "1d", actual_start_at="05 08:00", percent_complete=Decimal(50), parent="t")
    found = rows(schedule(task("s"), done, task("t"), begun, task("z", "5d")))
    assert not found["s"].critical
    assert not found["t"].critical
    assert found["t"].total_float == 4 * 480
