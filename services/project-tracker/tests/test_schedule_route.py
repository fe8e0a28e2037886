import pytest
from tracker_api import Tracker, a_task

from project_tracker.schedules.schemas import Schedule

MONDAY = "2026-03-02"


async def test_an_empty_plan_ends_when_it_begins(tracker: Tracker) -> None:
    project = await tracker.project()
    schedule = await tracker.get(f"projects/{project['id']}/schedule")
    assert (schedule["project_finish"], schedule["tasks"]) == (f"{MONDAY}T08:00:00Z", [])


async def test_a_schedule_is_shown_as_its_schema_says(tracker: Tracker) -> None:
    project = await tracker.project(deadline_at="2026-03-06T17:00:00Z")
    tasks = [a_task("1"), a_task("1.1", duration="2d"), a_task("1.2", duration="4h"), a_task("2", duration="1d")]
    own = await tracker.plan(project, *tasks, links=("1.1>2:FS+1d",))
    response = await tracker.send("GET", f"{own}/schedule")
    schedule = Schedule.model_validate(response.json(), extra="forbid")
    assert "etag" not in response.headers
    rows = {row["wbs"]: row for row in response.json()["tasks"]}
    assert (rows["2"]["early_start"], rows["2"]["finish"]) == ("2026-03-05T08:00:00Z", "2026-03-05T17:00:00Z")
    assert rows["2"]["driven_by"] == {
        "kind": "link",
        "predecessor_id": rows["1.1"]["task_id"],
        "predecessor_wbs": "1.1",
        "type": "FS",
    }
    assert [rows[wbs]["critical"] for wbs in ("1.1", "1.2", "2")] == [True, False, True]
    assert rows["1.2"]["total_float"] == 4 * 480 - 240
    assert rows["1"]["kind"] == "summary"
    assert schedule.model_dump(mode="json")["project_finish"] == "2026-03-05T17:00:00Z"
    assert [found["code"] for found in response.json()["warnings"]] == ["dangling_task"]


async def test_durations_count_on_the_calendar_of_the_task(tracker: Tracker) -> None:
    weekly = [{"weekday": day, "intervals": [["08:00", "12:00"]]} for day in ("monday", "tuesday", "wednesday")]
    half = await tracker.post("calendars", {"name": "half", "timezone": "Europe/Berlin", "weekly": weekly})
    project = await tracker.project()
    own = await tracker.plan(project, a_task("1", duration="2d", calendar_id=half["id"]), a_task("2", duration="2d"))
    rows = {row["wbs"]: row for row in (await tracker.get(f"{own}/schedule"))["tasks"]}
    assert rows["1"]["finish"] == "2026-03-04T08:00:00Z"  # 09:00 in Berlin
    assert rows["2"]["finish"] == "2026-03-03T17:00:00Z"
    assert (await tracker.delete(f"calendars/{half['id']}", status=409))["code"] == "calendar-in-use"


async def test_a_schedule_follows_its_calendar_and_a_baseline_does_not(tracker: Tracker) -> None:
    weekly = [{"weekday": day, "intervals": [["08:00", "16:00"]]} for day in ("monday", "tuesday")]
    office = await tracker.post("calendars", {"name": "office", "timezone": "UTC", "weekly": weekly})
    own = await tracker.plan(await tracker.project(calendar_id=office["id"]), a_task("1", duration="12h"))
    before = await tracker.get(f"{own}/schedule")
    assert before["project_finish"] == "2026-03-03T12:00:00Z"
    baseline = await tracker.post(f"{own}/baselines", {})
    (task,) = await tracker.every(f"{own}/tasks")
    shorter = [{"weekday": "monday", "intervals": [["08:00", "12:00"]]}]
    assert (await tracker.patch(f"calendars/{office['id']}", {"weekly": shorter}))["version"] == 2
    assert (await tracker.get(f"{own}/schedule"))["project_finish"] == "2026-03-16T12:00:00Z"
    assert await tracker.get(f"{own}/baselines/{baseline['id']}") == baseline
    assert await tracker.every(f"{own}/tasks") == [task]  # recomputing raises no version


@pytest.mark.parametrize("status_at", ["2026-03-03T24:00:00Z", "tomorrow", "2026-13-01"])
async def test_a_status_time_is_an_instant_or_a_date(tracker: Tracker, status_at: str) -> None:
    project = await tracker.project()
    problem = await tracker.get(f"projects/{project['id']}/schedule", status_at=status_at, status=422)
    assert {error["pointer"] for error in problem["errors"]} == {"status_at"}


async def test_remaining_work_starts_no_earlier_than_the_status_time(tracker: Tracker) -> None:
    own = await tracker.plan(await tracker.project(), a_task("1", duration="2d"), a_task("2"), links=("1>2",))
    report = {"wbs": "1", "status_at": f"{MONDAY}T17:00:00Z", "percent_complete": "50"}
    await tracker.batch(f"{own}/progress-reports", [report])
    now = await tracker.get(f"{own}/schedule")
    later = await tracker.get(f"{own}/schedule", status_at=f"{MONDAY}T17:00:00Z")
    behind = await tracker.get(f"{own}/schedule", status_at="2026-03-04")
    assert now["project_finish"] == "2026-03-04T17:00:00Z"
    assert later["project_finish"] == "2026-03-04T17:00:00Z"
    assert behind["status_at"] == "2026-03-05T00:00:00Z"
    assert behind["project_finish"] == "2026-03-06T17:00:00Z"


async def test_the_policy_decides_between_logic_and_constraint(tracker: Tracker) -> None:
    constraint = {"type": "MSO", "at": f"{MONDAY}T08:00:00Z"}
    project = await tracker.project()
    own = await tracker.plan(project, a_task("1"), a_task("2", constraint=constraint), links=("1>2",))
    logic = await tracker.get(f"{own}/schedule")
    await tracker.patch(own, {"constraint_policy": "constraint"})
    bound = await tracker.get(f"{own}/schedule")
    assert logic["tasks"][1]["start"] == "2026-03-03T08:00:00Z"
    assert bound["tasks"][1]["start"] == "2026-03-02T08:00:00Z"
    assert "constraint_broken" in {found["code"] for found in logic["warnings"]}


async def test_computing_a_schedule_raises_no_version(tracker: Tracker) -> None:
    own = await tracker.plan(await tracker.project(), a_task("1"))
    await tracker.get(f"{own}/schedule")
    assert (await tracker.get(f"{own}/tasks"))["items"][0]["version"] == 1
