import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chassis.durations import Duration
from chassis.working_time import CONTINUOUS
from project_tracker.schedules.engine import compute_schedule
from project_tracker.schedules.plan import Link, Plan, PlannedTask

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = 86_400
INSTANCES = 50


def numbers(section: str) -> list[list[int]]:
    rows = [[int(number) for number in line.split()] for line in section.splitlines() if re.match(r"\s*\d", line)]
    return [row for row in rows if row]


def read(text: str) -> tuple[Plan, int]:
    """Read jobs and successors as tasks of so many elapsed days, and the length the file claims."""
    sections = re.split(r"\*{20,}", text)
    information, relations, requests = (
        next(section for section in sections if name in section)
        for name in ("MPM-Time", "#successors", "REQUESTS/DURATIONS")
    )
    claimed = numbers(information)[0][5]
    links = [Link(str(row[0]), str(after)) for row in numbers(relations) for after in row[3:]]
    tasks = [PlannedTask(str(row[0]), str(row[0]), Duration(row[2] * DAY)) for row in numbers(requests)]
    return Plan(START, tasks, links, CONTINUOUS), claimed


def test_the_critical_path_of_every_instance_is_as_long_as_its_file_says(copied_data: Path) -> None:
    files = sorted((copied_data / "psplib").glob("*.sm"))
    assert len(files) == INSTANCES
    for file in files:
        plan, claimed = read(file.read_text())
        schedule = compute_schedule(plan)
        assert schedule.project_finish - START == timedelta(days=claimed), file.name
        assert any(row.critical and row.finish == schedule.project_finish for row in schedule.tasks)
        assert all(row.total_float >= row.free_float >= 0 for row in schedule.tasks)
