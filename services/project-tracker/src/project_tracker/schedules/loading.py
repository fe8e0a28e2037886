"""A stored plan as what a schedule is computed from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from chassis.durations import Duration, parse_duration, parse_lag
from chassis.working_time import WorkingCalendar
from project_tracker.schedules.plan import (
    Constraint,
    ConstraintPolicy,
    ConstraintType,
    Link,
    LinkType,
    Plan,
    PlanFault,
    PlannedTask,
    PlanRefusedError,
)


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """The rows of a plan; `progress` goes over what the tasks themselves say."""

    project: Mapping[str, Any]
    tasks: Sequence[Mapping[str, Any]]
    links: Sequence[Mapping[str, Any]]
    calendars: Mapping[UUID | None, WorkingCalendar]
    progress: Mapping[UUID, Decimal]

    @property
    def calendar(self) -> WorkingCalendar:
        """The project's calendar."""
        return self.calendars[self.project["calendar_id"]]

    def plan(self) -> Plan:
        """Return the plan; PlanRefusedError where a duration cannot be counted."""
        own = {task["id"]: self._calendar(task) for task in self.tasks}
        try:
            return Plan(
                start_at=self.project["start_at"],
                tasks=[self._task(task, own[task["id"]]) for task in self.tasks],
                links=[_link(link, own[link["successor_id"]]) for link in self.links],
                calendar=self.calendar,
                constraint_policy=ConstraintPolicy(self.project["constraint_policy"]),
            )
        except ValueError as error:
            raise PlanRefusedError([PlanFault("duration_invalid", str(error))]) from error

    def _calendar(self, task: Mapping[str, Any]) -> WorkingCalendar:
        return self.calendar if task["calendar_id"] is None else self.calendars[task["calendar_id"]]

    def _task(self, task: Mapping[str, Any], calendar: WorkingCalendar) -> PlannedTask:
        kind = task["constraint_type"]
        return PlannedTask(
            id=task["id"],
            wbs=task["wbs"],
            duration=_duration(task["duration"], calendar),
            parent_id=task["parent_id"],
            is_summary=task["kind"] == "summary",
            calendar=None if calendar is self.calendar else calendar,
            constraint=None if kind is None else Constraint(ConstraintType(kind), task["constraint_at"]),
            deadline_at=task["deadline_at"],
            actual_start_at=task["actual_start_at"],
            actual_finish_at=task["actual_finish_at"],
            percent_complete=self.progress.get(task["id"], task["percent_complete"]),
        )


def _duration(text: str | None, calendar: WorkingCalendar) -> Duration:
    if text is None:
        return Duration(0)
    return parse_duration(text, hours_per_day=calendar.hours_per_day, hours_per_week=calendar.hours_per_week)


def _link(link: Mapping[str, Any], calendar: WorkingCalendar) -> Link:
    lag = parse_lag(link["lag"], hours_per_day=calendar.hours_per_day, hours_per_week=calendar.hours_per_week)
    return Link(link["predecessor_id"], link["successor_id"], LinkType(link["type"]), lag)
