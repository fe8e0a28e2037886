"""The planned value of a baseline as a curve over time, kept in exact integers.

Between two *knots* (instants at which some task starts or ends) the curve rises evenly, either over
working time or, for spans without any, over clock time. At a knot it may jump, partly at that very
instant and partly just after it.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from fractions import Fraction
from operator import attrgetter

from chassis.working_time import WorkingCalendar, to_second
from kpi_engine.earned_value.facts import Baseline, BaselineTask, BudgetLine, FixedAccrual


class _Manner(Enum):
    AT = auto()
    JUST_AFTER = auto()
    WORKING = auto()
    CLOCK = auto()


@dataclass(frozen=True, slots=True)
class Accrual:
    """An amount that becomes planned in one manner; `span` is the length it spreads over, in seconds."""

    amount: Fraction
    manner: _Manner
    start: int
    end: int
    span: int

    def at(self, second: int, calendar: WorkingCalendar) -> Fraction:
        """Give the part of the amount that is planned up to and including a second."""
        if self.manner is _Manner.AT:
            return self.amount if second >= self.start else Fraction(0)
        if self.manner is _Manner.JUST_AFTER:
            return self.amount if second > self.start else Fraction(0)
        if self.manner is _Manner.WORKING:
            passed = calendar.position(max(second, self.start)) - calendar.position(self.start)
        else:
            passed = max(second - self.start, 0)
        return self.amount * min(passed, self.span) / self.span


@dataclass(slots=True)
class _Knot:
    second: int
    position: int = 0
    jump_at: int = 0
    jump_after: int = 0
    working_slope: int = 0
    clock_slope: int = 0
    before: int = 0
    at: int = 0
    after: int = 0


class PlannedValue:
    """The planned values of one baseline: of each task, in total, and where the total reaches a value.

    Instants are whole seconds since 1970, positions working seconds on the calendar's own axis.
    """

    def __init__(self, baseline: Baseline) -> None:
        if not baseline.leaves:
            raise ValueError("A baseline has at least one task that is no summary.")
        self.baseline = baseline
        self.calendar = baseline.calendar
        self.tasks = baseline.leaves
        self.start = to_second(min(task.start for task in self.tasks))
        self.finish = to_second(max(task.finish for task in self.tasks))
        self.budget_at_completion = sum((task_total(task) for task in self.tasks), start=Fraction(0))
        lines: dict[str | None, list[BudgetLine]] = defaultdict(list)
        for line in baseline.lines:
            lines[line.task_id].append(line)
        self._of_task = {task.task_id: tuple(self._task_accruals(task, lines)) for task in self.tasks}
        accruals = [accrual for of_task in self._of_task.values() for accrual in of_task]
        accruals.extend(self._line_accruals(lines.get(None, ())))
        self._scale, self._knots = self._curve(accruals)
        self._seconds = [knot.second for knot in self._knots]

    @property
    def duration(self) -> int:
        """Working seconds from the baseline start to the planned finish."""
        return self.calendar.position(self.finish) - self.calendar.position(self.start)

    def of_task(self, task_id: str, second: int) -> Fraction:
        """Give the planned value of one task at a second; it is zero for a task outside the baseline."""
        return sum(
            (accrual.at(second, self.calendar) for accrual in self._of_task.get(task_id, ())),
            start=Fraction(0),
        )

    def at(self, second: int) -> Fraction:
        """Give the planned value of the whole baseline at a second."""
        index = bisect_right(self._seconds, second) - 1
        if index < 0:
            return Fraction(0)
        knot = self._knots[index]
        if knot.second == second:
            return Fraction(knot.at, self._scale)
        return Fraction(self._rise(knot, second, self.calendar.position(second)), self._scale)

    def reached(self, value: Fraction) -> tuple[Fraction, Fraction]:
        """Give the first and the last position at which the curve stands at a value.

        They differ where the curve is flat. A value that it jumps over is reached at the jump. Neither
        lies before the baseline start, and the flat end of the curve stops at the planned finish.
        """
        lowest = Fraction(self.calendar.position(self.start))
        highest = Fraction(self.calendar.position(self.finish))
        target = value * self._scale
        first = lowest if target <= 0 else self._first(target, highest)
        last = self._last(target, highest)
        first = max(first, lowest)
        return first, max(first, last)

    def _first(self, target: Fraction, highest: Fraction) -> Fraction:
        index = bisect_left(self._knots, target, key=attrgetter("after"))
        if index == len(self._knots):
            return highest
        knot = self._knots[index]
        if index and knot.before >= target:
            return self._crossing(self._knots[index - 1], target)
        return Fraction(knot.position)

    def _last(self, target: Fraction, highest: Fraction) -> Fraction:
        index = bisect_right(self._knots, target, key=attrgetter("before")) - 1
        if index < 0:
            return Fraction(self._knots[0].position)
        knot = self._knots[index]
        if knot.after > target:
            return Fraction(knot.position)
        if index == len(self._knots) - 1:
            return highest
        return self._crossing(knot, target)

    @staticmethod
    def _crossing(knot: _Knot, target: Fraction) -> Fraction:
        if knot.clock_slope or not knot.working_slope:  # no working time passes after this knot
            return Fraction(knot.position)
        return knot.position + (target - knot.after) / knot.working_slope

    @staticmethod
    def _rise(knot: _Knot, second: int, position: int) -> int:
        worked, passed = position - knot.position, second - knot.second
        return knot.after + knot.working_slope * worked + knot.clock_slope * passed

    def _task_accruals(self, task: BaselineTask, lines: dict[str | None, list[BudgetLine]]) -> Iterator[Accrual]:
        own = lines.get(task.task_id)
        if own is not None or None in lines:
            yield from self._line_accruals(own or ())
            return
        start, finish = to_second(task.start), to_second(task.finish)
        variable, fixed = Fraction(task.budget), Fraction(task.fixed_budget)
        accrual = task.fixed_accrual
        if accrual is FixedAccrual.PRORATED or start == finish:
            yield self._even(variable + fixed, start, finish)
            return
        yield self._even(variable, start, finish)
        if accrual is FixedAccrual.START:
            yield Accrual(fixed, _Manner.JUST_AFTER, start, start, 0)
        else:
            yield Accrual(fixed, _Manner.AT, finish, finish, 0)

    def _line_accruals(self, lines: Iterable[BudgetLine]) -> Iterator[Accrual]:
        for line in lines:
            yield self._even(Fraction(line.amount), to_second(line.start), to_second(line.end))

    def _even(self, amount: Fraction, start: int, end: int) -> Accrual:
        if start == end:
            return Accrual(amount, _Manner.AT, start, end, 0)
        worked = self.calendar.position(end) - self.calendar.position(start)
        if worked > 0:
            return Accrual(amount, _Manner.WORKING, start, end, worked)
        return Accrual(amount, _Manner.CLOCK, start, end, end - start)

    def _curve(self, accruals: Iterable[Accrual]) -> tuple[int, list[_Knot]]:
        """Lay out the knots; amounts are integers over one common denominator, the scale."""
        given = [accrual for accrual in accruals if accrual.amount]
        spans = math.lcm(*(accrual.span for accrual in given if accrual.span))
        scale = spans * math.lcm(*(accrual.amount.denominator for accrual in given))
        knots = {second: _Knot(second) for second in (self.start, self.finish)}
        for accrual in given:
            amount = int(accrual.amount * scale)
            opening = knots.setdefault(accrual.start, _Knot(accrual.start))
            closing = knots.setdefault(accrual.end, _Knot(accrual.end))
            match accrual.manner:
                case _Manner.AT:
                    opening.jump_at += amount
                case _Manner.JUST_AFTER:
                    opening.jump_after += amount
                case _Manner.WORKING:
                    opening.working_slope += amount // accrual.span
                    closing.working_slope -= amount // accrual.span
                case _Manner.CLOCK:
                    opening.clock_slope += amount // accrual.span
                    closing.clock_slope -= amount // accrual.span
        ordered = sorted(knots.values(), key=attrgetter("second"))
        self._sum_up(ordered)
        return scale, ordered

    def _sum_up(self, knots: list[_Knot]) -> None:
        previous: _Knot | None = None
        for knot in knots:
            knot.position = self.calendar.position(knot.second)
            if previous is not None:
                knot.before = self._rise(previous, knot.second, knot.position)
                knot.working_slope += previous.working_slope
                knot.clock_slope += previous.clock_slope
            knot.at = knot.before + knot.jump_at
            knot.after = knot.at + knot.jump_after
            previous = knot


def task_total(task: BaselineTask) -> Fraction:
    """Give the whole budget of a task, variable and fixed."""
    return Fraction(task.budget) + Fraction(task.fixed_budget)
