from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kpi_engine.availability.intervals import (
    Span,
    clip,
    heaviest,
    instant,
    intersection,
    length,
    micros,
    subtraction,
    union,
)

HORIZON = 40

spans = st.lists(st.tuples(st.integers(0, HORIZON), st.integers(0, HORIZON)), max_size=12)


def points(of: list[Span]) -> set[int]:
    return {point for start, end in of for point in range(start, end)}


def is_set(of: list[Span]) -> bool:
    return all(start < end for start, end in of) and all(left[1] < right[0] for left, right in pairwise(of))


@given(spans)
def test_union_covers_what_any_span_covers(raw: list[Span]) -> None:
    merged = union(raw)
    assert is_set(merged)
    assert points(merged) == points(raw)
    assert length(merged) == len(points(raw))


@given(spans, spans)
def test_intersection_and_subtraction_split_the_left_set(a: list[Span], b: list[Span]) -> None:
    left, right = union(a), union(b)
    shared, rest = intersection(left, right), subtraction(left, right)
    assert points(shared) == points(left) & points(right)
    assert points(rest) == points(left) - points(right)
    assert is_set(rest)
    assert length(shared) + length(rest) == length(left)


@given(spans, st.integers(0, HORIZON), st.integers(0, HORIZON))
def test_clip_keeps_what_lies_within(raw: list[Span], start: int, end: int) -> None:
    assert points(clip(union(raw), start, end)) == points(raw) & set(range(start, end))


@given(st.dictionaries(st.integers(1, 4).map(Fraction), spans))
def test_the_heaviest_span_wins_at_each_instant(weighted: dict[Fraction, list[Span]]) -> None:
    layers = heaviest(weighted)
    for point in range(HORIZON):
        expected = max((w for w, of in weighted.items() if any(s <= point < e for s, e in of)), default=Fraction(0))
        assert sum(w for w, of in layers if any(s <= point < e for s, e in of)) == expected


def test_spans_that_touch_become_one() -> None:
    assert union([(3, 5), (1, 3), (5, 5), (9, 7)]) == [(1, 5)]


def test_instants_are_compared_in_utc() -> None:
    berlin = datetime(2026, 3, 1, 1, tzinfo=timezone(timedelta(hours=1)))
    assert instant(micros(berlin)) == datetime(2026, 3, 1, tzinfo=UTC)
    assert micros(datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC)) == 1_000_005
