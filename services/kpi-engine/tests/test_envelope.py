from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_engine.definitions.envelope import Figure, Status, Unit, rounded, written, written_or_none


def test_units_decide_on_the_places() -> None:
    value = Fraction(2, 3)
    assert written(value, Unit.MONEY) == "0.6667"
    assert written(value, Unit.PERCENT) == "0.666667"
    assert written(value, Unit.RATIO) == "0.666667"
    assert written(value, Unit.COUNT) == "1"
    assert written(Fraction(132570), Unit.MONEY) == "132570.0000"


@pytest.mark.parametrize(
    ("exact", "text"),
    [
        (Fraction("99.9999996"), "99.999999"),
        (Fraction("99.9999994"), "99.999999"),
        (Fraction(100), "100.000000"),
        (Fraction("0.0000004"), "0.000001"),
        (Fraction(0), "0.000000"),
    ],
)
def test_rounding_a_share_never_makes_it_whole_or_nothing(exact: Fraction, text: str) -> None:
    assert written(exact, Unit.PERCENT, share=True) == text


def test_other_values_are_rounded_to_the_nearest() -> None:
    assert written(Fraction("99.9999996"), Unit.PERCENT) == "100.000000"
    assert written(Fraction("-0.00000005"), Unit.MONEY) == "0.0000"
    assert written(Fraction("-32.50005"), Unit.MONEY) == "-32.5001"
    assert written_or_none(None, Unit.MONEY) is None


@given(st.fractions(max_denominator=10**12), st.integers(0, 12))
def test_rounding_is_off_by_half_a_unit_at_most(value: Fraction, places: int) -> None:
    assert abs(Fraction(rounded(value, places)) - value) <= Fraction(1, 2 * 10**places)


def test_digits_beyond_the_usual_precision_survive() -> None:
    value = Fraction(10**40 + 1, 10**4)
    assert written(value, Unit.MONEY) == f"{10**36}.0001"


def test_unknown_is_never_a_number() -> None:
    assert Figure.missing("no_baseline").value is None
    with pytest.raises(ValueError, match="no_data"):
        Figure(Fraction(0), Status.NO_DATA, "no_baseline")
    with pytest.raises(ValueError, match="ok"):
        Figure(None)
    with pytest.raises(ValueError, match="partial"):
        Figure(Fraction(1), Status.PARTIAL)
