"""The largest resources there may be are told in events of at most 64 KiB; what would be larger is refused."""

from datetime import date, timedelta
from itertools import count
from typing import Any

import pytest
from pydantic import BaseModel
from tracker_api import Tracker, a_task

import project_tracker
from chassis.calendars.schemas import NewCalendar
from chassis.calendars.tables import ROOM as CALENDAR_ROOM
from chassis.events.sizes import ROOM
from chassis.resource import Resource
from chassis.testkit.applications import pointers
from chassis.testkit.databases import Pools
from chassis.testkit.largest import LONG, STEP, Filling, largest
from chassis.testkit.slices import modules_of
from chassis.testkit.telling import sizes_told
from project_tracker.baselines.schemas import NewBaseline
from project_tracker.budget_lines.schemas import NewBudgetLine
from project_tracker.costs.schemas import NewCost
from project_tracker.plans.links.schemas import NewDependency
from project_tracker.plans.tasks.schemas import NewTask
from project_tracker.progress.schemas import NewProgressReport
from project_tracker.projects.schemas import NewProject

AS_THEY_ARE = frozenset(
    {
        *("external_source", "external_id", "timezone", "holiday_subdivision", "target_service"),
        *("duration", "estimate", "lag", "remaining_duration", "tasks"),
    }
)
RESOURCES: dict[str, type[BaseModel]] = {
    "calendars": NewCalendar,
    "projects": NewProject,
    "tasks": NewTask,
    "dependencies": NewDependency,
    "baselines": NewBaseline,
    "progress-reports": NewProgressReport,
    "costs": NewCost,
    "budget-lines": NewBudgetLine,
}
TABLES = {
    one.collection: one
    for module in modules_of(project_tracker, "tables")
    for one in vars(module).values()
    if isinstance(one, Resource)
}
_numbers = count(1)


def test_no_resource_is_left_out() -> None:
    assert TABLES.keys() - RESOURCES.keys() == {"baseline-tasks"}, "name it in RESOURCES"
    assert RESOURCES.keys() <= TABLES.keys()


async def body_of(tracker: Tracker, collection: str, bytes_of_text: int) -> tuple[str, dict[str, Any]]:
    """Return a path and what to send there, with about so many bytes of text."""
    model = RESOURCES[collection]
    extra: Any = model.model_config["json_schema_extra"]
    body = dict(extra["example"]) | dict(Filling(model, bytes_of_text, as_they_are=AS_THEY_ARE).fields())
    if "key" in body:
        body["key"] = f"k{next(_numbers)}"
    if "project_id" in body:
        body["project_id"] = (await tracker.project())["id"]
    if TABLES[collection].under is None:
        return collection, body
    calendar_id = (await a_long_calendar(tracker))["id"] if collection == "baselines" else None
    tasks = [a_task("1.1.1")] if collection == "tasks" else [a_task("1.1.1"), a_task("1.1.2")]
    own = await tracker.plan(await tracker.project(calendar_id=calendar_id), *tasks)
    return f"{own}/{collection}", body


async def a_long_calendar(tracker: Tracker) -> Any:
    """Add a calendar that takes about a third of the room there is; a baseline freezes that of its project."""
    days = [(date(2027, 1, 1) + timedelta(days=number)).isoformat() for number in range(300)]
    weekly = [{"weekday": "monday", "intervals": [["08:00", "12:00"]]}]
    exceptions = [{"date": day, "intervals": [["08:00", "12:00"]]} for day in days]
    new = {"name": "Office", "timezone": "Europe/Berlin", "weekly": weekly, "exceptions": exceptions}
    return await tracker.post("calendars", new)


@pytest.mark.parametrize("collection", RESOURCES)
async def test_the_largest_of_each_resource_fits_into_its_event(
    tracker: Tracker, pools: Pools, collection: str
) -> None:
    made, _ = await largest(tracker, lambda bytes_of_text: body_of(tracker, collection, bytes_of_text))
    (size,) = await sizes_told(pools, tracker, f"{collection}/{made['id']}")
    room = CALENDAR_ROOM if collection == "calendars" else ROOM
    assert room - 4 * STEP < size <= room


async def test_a_batch_refuses_the_item_that_is_too_large(tracker: Tracker) -> None:
    wide = {f"{number}": LONG[:256] for number in range(50)}
    items: list[dict[str, Any]] = [
        {"key": "a", "name": "A", "currency": "EUR"},
        {"key": "b", "name": "B", "currency": "EUR", "goal": LONG, "labels": wide},
    ]
    refused = await tracker.batch("projects", items, status=422)
    assert pointers(refused) == [("/items/1/labels", "too-large")]
    answered = await tracker.batch("projects", items, mode="independent")
    assert [one["status"] for one in answered] == [201, 422]
