"""A reader of Microsoft Project XML for tests: the plan, and the dates the file claims."""

import gzip
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from chassis.durations import Duration, PercentLag
from chassis.working_time import WEEKDAYS, WorkingCalendar
from project_tracker.schedules.plan import Constraint, ConstraintType, Link, LinkType, Plan, PlannedTask

SPACE = {"m": "http://schemas.microsoft.com/project"}
LINK_TYPES = (LinkType.FF, LinkType.FS, LinkType.SF, LinkType.SS)
CONSTRAINTS = (
    ConstraintType.ASAP,
    ConstraintType.ALAP,
    ConstraintType.MSO,
    ConstraintType.MFO,
    ConstraintType.SNET,
    ConstraintType.SNLT,
    ConstraintType.FNET,
    ConstraintType.FNLT,
)
PERCENT_FORMATS = {19, 51}
ELAPSED_PERCENT_FORMATS = {20, 52}
ELAPSED_FORMATS = {4, 6, 8, 10, 12, 36, 38, 40, 42, 44}
PERIOD = re.compile(r"PT(\d+)H(\d+)M(\d+)S")


@dataclass(frozen=True)
class Claim:
    """What the file says of a task."""

    wbs: str
    name: str
    is_summary: bool
    start: datetime
    finish: datetime
    late_start: datetime | None
    late_finish: datetime | None
    total_slack_minutes: int | None
    is_critical: bool | None


@dataclass(frozen=True)
class MspdiPlan:
    plan: Plan
    claims: dict[str, Claim]


def read_mspdi(path: Path) -> MspdiPlan:
    with gzip.open(path) as file:
        root = ET.parse(file).getroot()  # noqa: S314 - test data
    calendars = read_calendars(root)
    default = text(root, "CalendarUID")
    tasks, links, claims = [], [], {}
    parents: list[str] = []
    for element in root.iterfind("m:Tasks/m:Task", SPACE):
        uid, level = need(element, "UID"), int(text(element, "OutlineLevel") or 0)
        if text(element, "IsNull") == "1" or level == 0:
            continue
        parents[level - 1 :] = [uid]
        tasks.append(read_task(element, parents[level - 2] if level > 1 else None, calendars))
        links += [read_link(link, uid) for link in element.iterfind("m:PredecessorLink", SPACE)]
        claims[uid] = read_claim(element)
    calendar = calendars[default or "1"]
    return MspdiPlan(Plan(instant(need(root, "StartDate")), tasks, links, calendar), claims)


def read_task(element: ET.Element, parent: str | None, calendars: dict[str, WorkingCalendar]) -> PlannedTask:
    kind = CONSTRAINTS[int(text(element, "ConstraintType") or 0)]
    at = text(element, "ConstraintDate")
    dated = kind not in {ConstraintType.ASAP, ConstraintType.ALAP}
    deadline, began, ended = (text(element, name) for name in ("Deadline", "ActualStart", "ActualFinish"))
    hours, minutes, seconds = map(int, PERIOD.fullmatch(need(element, "Duration")).groups())  # type: ignore[union-attr]
    return PlannedTask(
        id=need(element, "UID"),
        wbs=need(element, "WBS"),
        parent_id=parent,
        is_summary=text(element, "Summary") == "1",
        duration=Duration(
            hours * 3600 + minutes * 60 + seconds, int(text(element, "DurationFormat") or 7) in ELAPSED_FORMATS
        ),
        calendar=calendars.get(text(element, "CalendarUID") or ""),
        constraint=Constraint(kind, instant(at) if dated and at else None),
        deadline_at=instant(deadline) if deadline else None,
        actual_start_at=instant(began) if began else None,
        actual_finish_at=instant(ended) if ended else None,
        percent_complete=Decimal(text(element, "PercentComplete") or 0),
    )


def read_link(element: ET.Element, successor: str) -> Link:
    amount, form = int(text(element, "LinkLag") or 0), int(text(element, "LagFormat") or 7)
    kind = LINK_TYPES[int(text(element, "Type") or 1)]
    lag: Duration | PercentLag
    if form in PERCENT_FORMATS | ELAPSED_PERCENT_FORMATS:
        lag = PercentLag(Decimal(amount))
    else:
        lag = Duration(amount * 6, form in ELAPSED_FORMATS)
    return Link(need(element, "PredecessorUID"), successor, kind, lag)


def read_claim(element: ET.Element) -> Claim:
    late_start, late_finish = text(element, "LateStart"), text(element, "LateFinish")
    slack, critical = text(element, "TotalSlack"), text(element, "Critical")
    is_critical = None if critical is None else critical == "1"
    # A writer that leaves zeros out shows no slack for a critical task.
    slack_minutes = int(slack) // 10 if slack is not None else (0 if is_critical else None)
    return Claim(
        need(element, "WBS"),
        text(element, "Name") or "",
        text(element, "Summary") == "1",
        instant(need(element, "Start")),
        instant(need(element, "Finish")),
        instant(late_start) if late_start else None,
        instant(late_finish) if late_finish else None,
        slack_minutes,
        is_critical,
    )


def read_calendars(root: ET.Element) -> dict[str, WorkingCalendar]:
    elements = {need(element, "UID"): element for element in root.iterfind("m:Calendars/m:Calendar", SPACE)}
    return {uid: WorkingCalendar.from_document(document(uid, elements)) for uid in elements}


def document(uid: str, elements: dict[str, ET.Element]) -> dict[str, Any]:
    """The calendar as the API would carry it, what it leaves open taken from its base calendar."""
    element = elements[uid]
    base = text(element, "BaseCalendarUID")
    inherited = document(base, elements) if base in elements and base != uid else {"weekly": [], "exceptions": []}
    weekly = {entry["weekday"]: entry["intervals"] for entry in inherited["weekly"]}
    dated = {entry["date"]: entry["intervals"] for entry in inherited["exceptions"]}
    for day in element.iterfind("m:WeekDays/m:WeekDay", SPACE):
        kind = int(need(day, "DayType"))
        if kind == 0:
            dated |= exception(day)
        else:
            weekly[WEEKDAYS[(kind - 2) % 7]] = intervals(day)
    for entry in element.iterfind("m:Exceptions/m:Exception", SPACE):
        dated |= exception(entry)
    return {
        "timezone": "UTC",
        "weekly": [{"weekday": name, "intervals": spans} for name, spans in weekly.items()],
        "exceptions": [{"date": day, "intervals": spans} for day, spans in dated.items()],
    }


def exception(element: ET.Element) -> dict[str, list[list[str]]]:
    period = element.find("m:TimePeriod", SPACE)
    if period is None:
        return {}
    first = date.fromisoformat(need(period, "FromDate")[:10])
    last = date.fromisoformat(need(period, "ToDate")[:10])
    days = [(first + timedelta(days=offset)).isoformat() for offset in range((last - first).days + 1)]
    return dict.fromkeys(days, intervals(element))


def intervals(element: ET.Element) -> list[list[str]]:
    if text(element, "DayWorking") == "0":
        return []
    found = [
        (need(span, "FromTime")[:5], need(span, "ToTime")[:5])
        for span in element.iterfind("m:WorkingTimes/m:WorkingTime", SPACE)
    ]
    return [[start, "24:00" if time.fromisoformat(end) == time() else end] for start, end in found]


def instant(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


def text(element: ET.Element, name: str) -> str | None:
    return element.findtext(f"m:{name}", None, SPACE)


def need(element: ET.Element, name: str) -> str:
    found = text(element, name)
    if found is None:
        raise ValueError(f"No {name} in {element.tag}.")
    return found
