import pytest
from builders import at, codes, dates, links, rows, schedule, task

from project_tracker.schedules.plan import Constraint, ConstraintPolicy, ConstraintType
from project_tracker.schedules.schedule import Driver, DriverKind


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ("ASAP", "05 08:00 – 06 17:00"),
        ("SNET 07 08:00", "07 08:00 – 08 17:00"),
        ("SNET 10 10:00", "12 08:00 – 13 17:00"),
        ("FNET 08 12:00", "06 13:00 – 08 12:00"),
        ("MSO 07 13:00", "07 13:00 – 09 12:00"),
        ("MFO 09 17:00", "08 08:00 – 09 17:00"),
        ("SNLT 07 08:00", "05 08:00 – 06 17:00"),
        ("FNLT 07 17:00", "05 08:00 – 06 17:00"),
        ("ALAP", "08 08:00 – 09 17:00"),
    ],
)
def test_each_constraint_places_a_free_task(wish: str, expected: str) -> None:
    found = schedule(task("a", "2d", wish), task("z", "5d"))
    assert dates(found)["a"] == expected
    assert not [code for code, _ in codes(found) if code == "constraint_broken"]


@pytest.mark.parametrize(
    ("wish", "total"),
    [("SNLT 05 12:00", 240), ("FNLT 07 17:00", 480), ("MSO 05 08:00", 0), ("MFO 06 17:00", 0), ("SNET 06 08:00", 960)],
)
def test_a_constraint_limits_the_float(wish: str, total: int) -> None:
    assert rows(schedule(task("a", "2d", wish), task("z", "5d")))["a"].total_float == total


def test_a_constraint_that_drives_is_the_reason() -> None:
    found = rows(schedule(task("a", "1d", "SNET 07 08:00"), task("b", "1d", "ALAP"), task("z", "9d")))
    assert found["a"].driven_by == Driver(DriverKind.CONSTRAINT, type=ConstraintType.SNET)
    assert found["b"].driven_by == Driver(DriverKind.CONSTRAINT, type=ConstraintType.ALAP)


@pytest.mark.parametrize("wish", ["MSO 06 08:00", "MFO 06 17:00", "SNLT 06 08:00", "FNLT 06 17:00"])
def test_by_default_logic_wins_and_the_conflict_is_reported(wish: str) -> None:
    found = schedule(task("a", "3d"), task("b", "1d", wish), of=links("a b"))
    assert dates(found)["b"] == "08 08:00 – 08 17:00"
    assert rows(found)["b"].total_float == rows(found)["a"].total_float == -960
    assert {("constraint_broken", "b"), ("negative_float", "a"), ("negative_float", "b")} <= set(codes(found))


@pytest.mark.parametrize("wish", ["MSO 06 08:00", "MFO 06 17:00", "SNLT 06 08:00", "FNLT 06 17:00"])
def test_the_policy_lets_the_constraint_win_and_reports_the_link(wish: str) -> None:
    found = schedule(
        task("a", "3d"), task("b", "1d", wish), of=links("a b"), constraint_policy=ConstraintPolicy.CONSTRAINT
    )
    assert dates(found)["b"] == "06 08:00 – 06 17:00"
    assert ("link_broken", "b") in codes(found)
    assert ("constraint_broken", "b") not in codes(found)
    assert rows(found)["a"].total_float == -960


def test_nothing_starts_before_the_project_under_either_policy() -> None:
    for policy in ConstraintPolicy:
        found = schedule(task("a", "1d", "MSO 2025-12-01T08:00"), constraint_policy=policy)
        assert dates(found)["a"] == "05 08:00 – 05 17:00"
        assert ("constraint_broken", "a") in codes(found)


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ("SNET 07 17:00", "07 17:00"),
        ("MFO 07 17:00", "07 17:00"),
        ("MSO 08 08:00", "08 08:00"),
        ("FNET 10 10:00", "12 08:00"),
    ],
)
def test_an_instant_lies_where_its_constraint_says(wish: str, expected: str) -> None:
    assert dates(schedule(task("m", "0d", wish), task("z", "9d")))["m"] == f"{expected} – {expected}"


def test_an_instant_may_break_its_constraint_or_be_held_by_it() -> None:
    tasks, of = (task("a", "3d"), task("m", "0d", "MSO 06 08:00")), links("a m")
    broken = schedule(*tasks, of=of)
    assert dates(broken)["m"] == "07 17:00 – 07 17:00"
    assert rows(broken)["m"].total_float == -960
    held = schedule(*tasks, of=of, constraint_policy=ConstraintPolicy.CONSTRAINT)
    assert dates(held)["m"] == "06 08:00 – 06 08:00"
    assert ("link_broken", "m") in codes(held)


def test_a_late_task_moves_neither_the_project_nor_its_successors_but_the_broken_link_is_told() -> None:
    found = schedule(task("a", "1d", "ALAP"), task("b"), task("z", "5d"), of=links("a b"))
    assert dates(found)["a"] == "08 08:00 – 08 17:00"
    assert dates(found)["b"] == "06 08:00 – 06 17:00"
    assert rows(found)["a"].early_start == at("05 08:00")
    assert ("link_broken", "b") in codes(found)
    both = schedule(task("a", "1d", "ALAP"), task("b", "1d", "ALAP"), task("z", "5d"), of=links("a b"))
    assert dates(both)["b"] == "09 08:00 – 09 17:00"
    assert "link_broken" not in dict(codes(both))


def test_a_late_leaf_moves_the_start_of_its_summary_not_the_early_one() -> None:
    found = rows(schedule(task("s"), task("a", "1d", "ALAP", parent="s"), task("z", "5d")))
    assert found["s"].start == at("09 08:00")
    assert found["s"].early_start == at("05 08:00")


def test_a_deadline_limits_the_float_and_is_told_when_missed() -> None:
    kept = schedule(task("a", deadline_at="06 17:00"), task("z", "5d"))
    assert rows(kept)["a"].total_float == 480
    assert "deadline_missed" not in dict(codes(kept))
    missed = schedule(task("a", "3d", deadline_at="06 17:00"), task("m", "0d", deadline_at="06 17:00"), of=links("a m"))
    assert rows(missed)["a"].total_float == rows(missed)["m"].total_float == -480
    assert {("deadline_missed", "a"), ("deadline_missed", "m"), ("negative_float", "a")} <= set(codes(missed))


def test_the_deadline_of_a_summary_reaches_its_leaves() -> None:
    found = schedule(task("s", deadline_at="06 17:00"), task("a", parent="s"), task("z", "5d"))
    assert rows(found)["a"].total_float == rows(found)["s"].total_float == 480


def test_tasks_that_lead_nowhere_are_told() -> None:
    found = schedule(task("a"), task("b"), task("c", "3d"), task("alone", "5d"), of=links("a b", "a c"))
    assert [wbs for code, wbs in codes(found) if code == "dangling_task"] == ["b", "c", "alone"]
    assert codes(schedule(task("a"), task("b"), of=links("a b"))) == []
    assert codes(schedule(task("a"))) == []


@pytest.mark.parametrize(("kind", "when"), [("SNET", None), ("ASAP", "05 08:00"), ("ALAP", "05 08:00")])
def test_an_instant_belongs_to_dated_constraints_only(kind: str, when: str | None) -> None:
    with pytest.raises(ValueError, match="instant"):
        Constraint(ConstraintType(kind), at(when) if when else None)
