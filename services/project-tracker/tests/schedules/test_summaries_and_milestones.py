import pytest
from builders import at, codes, dates, links, rows, schedule, task

from project_tracker.schedules.plan import PlanRefusedError
from project_tracker.schedules.schedule import DriverKind


def test_a_milestone_driven_by_a_finish_falls_where_its_predecessor_ends() -> None:
    found = schedule(task("a"), task("m", "0d"), task("b"), of=links("a m", "m b"))
    assert dates(found) == {"a": "05 08:00 – 05 17:00", "m": "05 17:00 – 05 17:00", "b": "06 08:00 – 06 17:00"}
    assert [row.total_float for row in found.tasks] == [0, 0, 0]


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("a m FS 1d", "06 17:00"),
        ("a m FF", "05 17:00"),
        ("a m FF 4h", "06 12:00"),
        ("a m SS", "05 08:00"),
        ("a m SS 1d", "06 08:00"),
        ("a m SF 1d", "06 08:00"),
        ("a m SS 4h", "05 13:00"),
        ("a m FS -4h", "05 12:00"),
    ],
)
def test_an_instant_ends_an_interval_after_a_finish_and_starts_one_after_a_start(link: str, expected: str) -> None:
    assert dates(schedule(task("a"), task("m", "0d"), of=links(link)))["m"] == f"{expected} – {expected}"


def test_an_instant_without_predecessor_starts_an_interval() -> None:
    found = schedule(task("m", "0d"), task("n", "0d"), of=links("m n"), start=at("02 17:00"))
    assert dates(found) == {"m": "05 08:00 – 05 08:00", "n": "05 08:00 – 05 08:00"}


def test_an_instant_after_elapsed_time_falls_where_that_ends() -> None:
    found = schedule(task("cure", "6ed"), task("m", "0d"), task("b"), of=links("cure m", "m b"))
    assert dates(found)["m"] == "11 08:00 – 11 08:00"
    assert dates(found)["b"] == "12 08:00 – 12 17:00"


def test_the_latest_demand_on_an_instant_wins_in_real_time() -> None:
    found = schedule(task("a"), task("b", "1d", "SNET 06 08:00"), task("m", "0d"), of=links("a m", "b m SS"))
    assert dates(found)["m"] == "06 08:00 – 06 08:00"


def test_a_summary_spans_its_leaves() -> None:
    found = schedule(
        task("s"), task("t", parent="s"), task("a", "2d", parent="t"), task("b", "1d", parent="s"), of=links("a b")
    )
    assert dates(found)["s"] == "05 08:00 – 07 17:00"
    assert dates(found)["t"] == "05 08:00 – 06 17:00"
    assert rows(found)["s"].driven_by.kind is DriverKind.CHILDREN
    assert rows(found)["s"].critical


def test_a_summary_precedes_by_its_earliest_start_or_latest_finish() -> None:
    tree = (task("s"), task("a", "1d", "SNET 06 08:00", parent="s"), task("b", "3d", "SNET 07 08:00", parent="s"))
    assert dates(schedule(*tree, task("x"), of=links("s x SS")))["x"] == "06 08:00 – 06 17:00"
    assert dates(schedule(*tree, task("x"), of=links("s x SF 2d")))["x"] == "07 08:00 – 07 17:00"
    assert dates(schedule(*tree, task("x"), of=links("s x FS")))["x"] == "12 08:00 – 12 17:00"
    assert dates(schedule(*tree, task("x"), of=links("s x FF")))["x"] == "09 08:00 – 09 17:00"
    assert dates(schedule(*tree, task("x"), of=links("s x FS 25%")))["x"] == "13 08:00 – 13 17:00"


@pytest.mark.parametrize("kind", ["FS", "SS"])
def test_a_summary_succeeds_with_each_of_its_leaves(kind: str) -> None:
    tree = (task("s"), task("a", parent="s"), task("t", parent="s"), task("b", "2d", parent="t"))
    found = dates(schedule(task("x", "1d", "SNET 06 08:00"), *tree, of=links(f"x s {kind}")))
    day = "07" if kind == "FS" else "06"
    assert found["a"].startswith(f"{day} 08:00")
    assert found["b"].startswith(f"{day} 08:00")
    assert found["s"].startswith(f"{day} 08:00")


def test_float_reaches_the_leaves_of_a_summary_that_precedes() -> None:
    found = rows(
        schedule(
            task("s"),
            task("a", parent="s"),
            task("b", "3d", parent="s"),
            task("x"),
            task("m", "0d", parent="s"),
            of=links("s x"),
        )
    )
    assert (found["a"].total_float, found["a"].free_float) == (960, 960)
    assert (found["b"].total_float, found["b"].critical) == (0, True)
    assert found["m"].late_finish == at("08 08:00")
    assert found["s"].critical


def test_the_leaf_that_starts_first_carries_what_waits_for_the_start_of_its_summary() -> None:
    found = rows(
        schedule(
            task("s"),
            task("a", parent="s"),
            task("b", "1d", "SNET 06 08:00", parent="s"),
            task("x", "5d"),
            of=links("s x SS"),
        )
    )
    assert found["a"].total_float == 0
    assert found["b"].total_float == 3 * 480


def test_a_summary_without_children_is_a_leaf() -> None:
    found = schedule(task("a"), task("s", "0d", is_summary=True), of=links("a s"))
    assert dates(found)["s"] == "05 17:00 – 05 17:00"


@pytest.mark.parametrize("kind", ["FF", "SF"])
def test_finishes_of_summaries_cannot_be_bound(kind: str) -> None:
    for tree in ((task("s"), task("a", parent="s")), (task("s", is_summary=True),)):
        with pytest.raises(PlanRefusedError) as refused:
            schedule(task("x"), *tree, of=links(f"x s {kind}"))
        assert [fault.code for fault in refused.value.faults] == ["link_onto_summary"]


@pytest.mark.parametrize("link", ["s a", "a s", "s b SS", "b s"])
def test_a_summary_and_its_descendants_are_never_linked(link: str) -> None:
    with pytest.raises(PlanRefusedError) as refused:
        schedule(task("s"), task("a", parent="s"), task("t", parent="s"), task("b", parent="t"), of=links(link))
    assert [fault.code for fault in refused.value.faults] == ["link_within_branch"]


def test_a_cycle_through_summaries_is_found() -> None:
    tree = (task("s"), task("a", parent="s"), task("t"), task("b", parent="t"))
    with pytest.raises(PlanRefusedError, match="cycle") as refused:
        schedule(*tree, of=links("s t", "b a"))
    assert {"a", "s", "b"} == set(refused.value.faults[0].task_ids)


@pytest.mark.parametrize(
    ("tasks", "code"),
    [
        ([task("a", parent="x")], "unknown_task"),
        ([task("a", parent="b"), task("b", parent="a")], "parent_cycle"),
        ([task("a"), task("a")], "task_twice"),
    ],
)
def test_trees_that_cannot_be_are_refused(tasks: list, code: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(PlanRefusedError) as refused:
        schedule(*tasks)
    assert [fault.code for fault in refused.value.faults] == [code]


def test_constraints_of_a_summary_bind_its_leaves_or_are_reported() -> None:
    tree = (task("a", "2d", parent="s"), task("b", parent="s"), task("x", "5d"))
    held = schedule(task("s", "0d", "SNET 06 08:00"), *tree)
    assert dates(held)["b"] == "06 08:00 – 06 17:00"
    capped = schedule(task("s", "0d", "FNLT 05 17:00"), *tree)
    assert [rows(capped)[name].total_float for name in "ab"] == [-480, 0]
    assert ("constraint_broken", "s") in codes(capped)
    assert ("constraint_ignored", "s") in codes(schedule(task("s", "0d", "MSO 06 08:00"), *tree))
