"""Algebra of half-open intervals between UTC instants, on whole microseconds.

A *set* of spans is sorted, disjoint and without gaps of length zero: what `union` returns and every
other function expects and returns. Each runs in linear time, `union` in the time of a sort.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]
"""Start and end in microseconds since 1970-01-01T00:00Z; the end is not part of it."""

SECOND = 1_000_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(instant: datetime) -> int:
    """Microseconds since the epoch; the instant must be aware."""
    return (instant - _EPOCH) // _MICROSECOND


def instant(micros_since_epoch: int) -> datetime:
    """Give the UTC instant, the inverse of `micros`."""
    return _EPOCH + timedelta(microseconds=micros_since_epoch)


def span(start: datetime, end: datetime) -> Span:
    """Give the span between two instants."""
    return micros(start), micros(end)


def union(spans: Iterable[Span]) -> list[Span]:
    """Merge spans, in any order, into a set; empty and reversed ones cover nothing."""
    merged: list[Span] = []
    last_start = last_end = None
    for start, end in sorted(spans):
        if end <= start:
            continue
        if last_start is None or last_end is None:
            last_start, last_end = start, end
        elif start > last_end:
            merged.append((last_start, last_end))
            last_start, last_end = start, end
        elif end > last_end:
            last_end = end
    if last_start is not None and last_end is not None:
        merged.append((last_start, last_end))
    return merged


def clip(spans: Sequence[Span], start: int, end: int) -> list[Span]:
    """Cut out the part of a set within one span, found by bisection."""
    if end <= start:
        return []
    first = bisect_right(spans, (start,))
    if first > 0 and spans[first - 1][1] > start:
        first -= 1
    last = bisect_left(spans, (end,))
    inside = list(spans[first:last])
    if inside:
        inside[0] = (max(inside[0][0], start), inside[0][1])
        inside[-1] = (inside[-1][0], min(inside[-1][1], end))
    return inside


def intersection(left: Sequence[Span], right: Sequence[Span]) -> list[Span]:
    """Give what both sets cover."""
    if not left or not right:
        return []
    left = clip(left, right[0][0], right[-1][1])
    if not left:
        return []
    right = clip(right, left[0][0], left[-1][1])
    shared: list[Span] = []
    i = j = 0
    while i < len(left) and j < len(right):
        start = max(left[i][0], right[j][0])
        end = min(left[i][1], right[j][1])
        if start < end:
            shared.append((start, end))
        if left[i][1] <= right[j][1]:
            i += 1
        else:
            j += 1
    return shared


def subtraction(left: Sequence[Span], right: Sequence[Span]) -> list[Span]:
    """Give what the left set covers and the right does not."""
    rest: list[Span] = []
    j = 0
    for start, end in left:
        cursor = start
        while j < len(right) and right[j][1] <= cursor:
            j += 1
        k = j
        while k < len(right) and right[k][0] < end:
            if right[k][0] > cursor:
                rest.append((cursor, right[k][0]))
            cursor = right[k][1]
            k += 1
        j = max(j, k - 1)
        if cursor < end:
            rest.append((cursor, end))
    return rest


def length(spans: Iterable[Span]) -> int:
    """Microseconds that a set covers."""
    return sum(end - start for start, end in spans)


def heaviest(weighted: Mapping[Fraction, Iterable[Span]]) -> list[tuple[Fraction, list[Span]]]:
    """Find the largest weight at each instant, as disjoint sets from the heaviest weight down.

    The integral of the largest weight is then the sum of weight times length over the sets.
    """
    layers: list[tuple[Fraction, list[Span]]] = []
    covered: list[Span] = []
    for weight in sorted(weighted, reverse=True):
        reached = union(weighted[weight])
        layers.append((weight, subtraction(reached, covered)))
        covered = union(covered + reached)
    return layers
