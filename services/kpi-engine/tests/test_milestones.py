from datetime import date
from fractions import Fraction

import pytest

from chassis.working_time import WorkingCalendar
from kpi_engine.definitions.envelope import Status
from kpi_engine.milestones.rules import Milestone, MilestoneReview, milestones_missed

STATUS = date(2026, 6, 30)
NEVER = WorkingCalendar("UTC", ((),) * 7)


def on(month: int, day: int) -> date:
    return date(2026, month, day)


def missed(review: MilestoneReview) -> list[str]:
    return [milestone.task_id for milestone in review.missed]


def test_two_of_four_are_missed_as_in_the_definition() -> None:
    review = milestones_missed(
        (
            Milestone("a", on(5, 1), on(5, 1)),
            Milestone("b", on(5, 15), on(5, 20)),
            Milestone("c", on(6, 20)),
            Milestone("d", on(6, 30), on(6, 30)),
            Milestone("e", on(7, 10), on(7, 25)),
            Milestone("f", None, on(6, 1)),
        ),
        STATUS,
    )
    assert review.figure.value == 50
    assert (review.figure.numerator, review.figure.denominator) == (Fraction(2), Fraction(4))
    assert missed(review) == ["b", "c"]
    assert [milestone.task_id for milestone in review.kept] == ["a", "d"]
    assert [milestone.task_id for milestone in review.unbaselined] == ["f"]


def test_none_due_is_not_applicable() -> None:
    review = milestones_missed((Milestone("e", on(7, 10)), Milestone("f", None)), STATUS)
    assert review.figure.status is Status.NOT_APPLICABLE
    assert (review.figure.value, review.figure.reason) == (None, "none_due")


def test_what_is_achieved_after_the_status_date_is_still_open() -> None:
    due_today = Milestone("a", STATUS, on(7, 1))
    assert missed(milestones_missed((due_today,), STATUS)) == ["a"]


@pytest.mark.parametrize(
    ("tolerance", "achieved", "is_missed"),
    [
        (0, on(6, 26), False),
        (0, on(6, 27), True),
        (1, on(6, 29), False),
        (1, on(6, 30), True),
        (2, on(6, 30), False),
        (1, None, True),
        (2, None, True),
        (3, None, False),
    ],
)
def test_the_tolerance_counts_working_days(tolerance: int, achieved: date | None, *, is_missed: bool) -> None:
    friday = Milestone("a", on(6, 26), achieved)
    review = milestones_missed((friday,), STATUS, tolerance_days=tolerance)
    assert missed(review) == (["a"] if is_missed else [])


def test_on_a_calendar_that_never_opens_the_tolerance_counts_plain_days() -> None:
    friday = Milestone("a", on(6, 26), on(6, 28))
    assert missed(milestones_missed((friday,), STATUS, tolerance_days=2, calendar=NEVER)) == []
    assert missed(milestones_missed((friday,), STATUS, tolerance_days=1, calendar=NEVER)) == ["a"]
