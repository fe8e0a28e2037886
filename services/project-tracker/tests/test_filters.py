"""Every list takes every filter that its document has, that of a project's parts as well."""

import json
from pathlib import Path

import pytest
from tracker_api import Tracker, a_task

from chassis.testkit.filters import EXTERNAL_ID, find_nothing, lists_of

DOCUMENT = Path(__file__).parents[3] / "docs" / "openapi" / "project-tracker.json"
LISTS = lists_of(json.loads(DOCUMENT.read_text(encoding="utf-8")))
FROZEN = "/v1/projects/{project_id}/baselines/{baseline_id}/tasks"


async def ids_in(path: str, tracker: Tracker) -> dict[str, str]:
    """Make what a path names; return the ids."""
    if "{" not in path:
        return {}
    project = await tracker.project()
    if path != FROZEN:
        return {"project_id": project["id"]}
    own = await tracker.plan(project, a_task("1", kind="milestone"))
    return {"project_id": project["id"], "baseline_id": (await tracker.post(f"{own}/baselines", {}))["id"]}


@pytest.mark.parametrize("path", LISTS)
async def test_a_list_takes_the_filters_it_documents(tracker: Tracker, path: str) -> None:
    asked = LISTS[path]
    assert asked.keys() >= EXTERNAL_ID or path == FROZEN, "every list can be filtered by its external id"
    await find_nothing(tracker, path.removeprefix("/v1/").format(**await ids_in(path, tracker)), asked)
