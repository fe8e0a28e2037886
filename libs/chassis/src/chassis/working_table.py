"""The working time of one calendar laid out as arrays of epoch seconds, grown as far as it is asked about."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import repeat
from operator import add
from typing import NamedTuple
from zoneinfo import ZoneInfo

DAY = 86_400
# A day more on either side than the years that are taken, 1900 to 2199: a table has room around what it is asked.
FIRST_SECOND = int(datetime(1899, 12, 31, tzinfo=UTC).timestamp())
LAST_SECOND = int(datetime(2200, 1, 2, tzinfo=UTC).timestamp())
_ORIGIN = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp())
_STEP = 4 * 366 * DAY
_MONDAY_OFFSET = 3  # 1970-01-01 was a Thursday

Spans = tuple[tuple[int, int], ...]


class DayRule(NamedTuple):
    """What is worked on a local day, in seconds after its midnight on the wall clock."""

    weekly: tuple[Spans, ...]
    dated: Mapping[int, Spans]

    def on(self, day: int) -> Spans:
        """Give the spans of a day, counted in days since 1970-01-01."""
        spans = self.dated.get(day)
        return self.weekly[(day + _MONDAY_OFFSET) % 7] if spans is None else spans


class Table(NamedTuple):
    """Merged working intervals inside `[low, high)`, with their prefix sums.

    `sums[i]` is the working time from a fixed origin to `starts[i]` (negative before it); one more entry
    closes the last interval. A position on that axis keeps its meaning however far the table grows. Added to a
    position in an interval, its shift gives the second.
    """

    low: int
    high: int
    starts: list[int]
    ends: list[int]
    sums: list[int]
    shifts: list[int]

    def position(self, second: int) -> int:
        """Count the working seconds between the origin and a second inside the table."""
        at = bisect_right(self.starts, second) - 1
        if at < 0:
            return self.sums[0]
        return self.sums[at] + min(second, self.ends[at]) - self.starts[at]

    def openings(self, positions: Sequence[int]) -> list[int]:
        """Find the second of each position as `opening` does; all lie inside the table."""
        return self._shifted(positions, bisect_right)

    def closings(self, positions: Sequence[int]) -> list[int]:
        """Find the second of each position as `closing` does; all lie inside the table."""
        return self._shifted(positions, bisect_left)

    def _shifted(self, positions: Sequence[int], search: Callable[[Sequence[int], int], int]) -> list[int]:
        """Add to each position the shift before the place that is found for it among the sums."""
        before = [0, *self.shifts]
        return list(map(add, positions, map(before.__getitem__, map(search, repeat(self.sums), positions))))

    def interval_end(self, second: int) -> int:
        """Find the end of the interval that holds a second; without one it is the second itself."""
        at = bisect_right(self.starts, second) - 1
        return second if at < 0 else max(second, self.ends[at])

    def opening(self, position: int) -> int | None:
        """Find the second from which work continues at a position; None where the table is too short."""
        at = bisect_right(self.sums, position) - 1
        if at < 0 or at >= len(self.starts):
            return None
        return position + self.shifts[at]

    def closing(self, position: int) -> int | None:
        """Find the second at which a position was reached; None where the table is too short."""
        at = bisect_left(self.sums, position) - 1
        if at < 0 or at >= len(self.starts):
            return None
        return position + self.shifts[at]


class GrowingTable:
    """A `Table` replaced by a longer one whenever a question reaches beyond it.

    Readers take `table` once and never see it half grown; threads that grow it agree on every position.
    """

    __slots__ = ("_is_endless", "_rule", "_zone", "table")

    def __init__(self, rule: DayRule, zone: ZoneInfo) -> None:
        self._rule = rule
        self._zone = zone
        self._is_endless = not rule.dated and all(spans == ((0, DAY),) for spans in rule.weekly)
        low, high = (FIRST_SECOND, LAST_SECOND) if self._is_endless else (_ORIGIN, _ORIGIN)
        starts, ends = ([low], [high]) if self._is_endless else ([], [])
        self.table = _summed(low, high, starts, ends)

    def covering(self, second: int) -> Table:
        """Give a table that holds a second with room on both sides."""
        table = self.table
        if table.low < second < table.high:
            return table
        if not FIRST_SECOND < second < LAST_SECOND:
            raise ValueError("Working time is known from 1900 to 2199 only.")
        if second >= table.high:
            return self._grown(table.low, max(second + DAY, table.high + _STEP))
        return self._grown(min(second - DAY, table.low - _STEP), table.high)

    def opening(self, position: int) -> int:
        """Find the second from which work continues at a position."""
        return self._reached(position, Table.opening)

    def closing(self, position: int) -> int:
        """Find the second at which a position was reached."""
        return self._reached(position, Table.closing)

    def _reached(self, position: int, look: Callable[[Table, int], int | None]) -> int:
        while True:
            table = self.table
            second = look(table, position)
            if second is not None:
                return second
            reach = max(_STEP, table.high - table.low)
            if position >= table.sums[-1] and table.high < LAST_SECOND:
                self._grown(table.low, table.high + max(reach, position - table.sums[-1]))
            elif position <= table.sums[0] and table.low > FIRST_SECOND:
                self._grown(table.low - max(reach, table.sums[0] - position), table.high)
            else:
                raise ValueError("The calendar has not that much working time between 1900 and 2199.")

    def _grown(self, low: int, high: int) -> Table:
        old = self.table
        low, high = max(low, FIRST_SECOND), min(high, LAST_SECOND)
        before = _joined(self._worked(low, old.low))
        after = _joined(self._worked(old.high, high))
        spans = _joined(iter([*before, *zip(old.starts, old.ends, strict=True), *after]))
        self.table = _summed(low, high, [start for start, _ in spans], [end for _, end in spans])
        return self.table

    def _worked(self, low: int, high: int) -> Iterator[tuple[int, int]]:
        for start, end, offset in _offsets(self._zone, low, high):
            for day in range((start + offset) // DAY, (end + offset - 1) // DAY + 1):
                midnight = day * DAY - offset
                for opens, closes in self._rule.on(day):
                    first, last = max(midnight + opens, start), min(midnight + closes, end)
                    if first < last:
                        yield first, last


def _summed(low: int, high: int, starts: list[int], ends: list[int]) -> Table:
    sums = [0]
    for start, end in zip(starts, ends, strict=True):
        sums.append(sums[-1] + end - start)
    at = bisect_right(starts, _ORIGIN) - 1
    zero = 0 if at < 0 else sums[at] + min(_ORIGIN, ends[at]) - starts[at]
    sums = [total - zero for total in sums]
    shifts = [start - total for start, total in zip(starts, sums[:-1], strict=True)]
    return Table(low, high, starts, ends, sums, shifts)


def _joined(spans: Iterator[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and merged[-1][1] == start:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


def _offsets(zone: ZoneInfo, low: int, high: int) -> Iterator[tuple[int, int, int]]:
    """Split a range into stretches `(start, end, utc offset)` between which the clocks are moved."""
    start, second, offset = low, low, _offset(zone, low)
    while second < high:
        following = min(second + DAY, high)
        if _offset(zone, following) != offset:
            moved = _moved_at(zone, second, following)
            yield start, moved, offset
            start, offset, following = moved, _offset(zone, moved), moved
        second = following
    if start < high:
        yield start, high, offset


def _moved_at(zone: ZoneInfo, low: int, high: int) -> int:
    """Find the first second after `low` at which the offset is no longer that of `low`."""
    before = _offset(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high


def _offset(zone: ZoneInfo, second: int) -> int:
    shift = datetime.fromtimestamp(second, zone).utcoffset()
    return 0 if shift is None else int(shift.total_seconds())
