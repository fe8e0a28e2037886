"""One project with a real plan, and made-up budgets, progress and costs."""

import json
from importlib.resources import files
from typing import Any

from tandem_local.demo.gateway import Gateway, tell

SOURCE = "demo"
KEY = "new-product"


def load(gateway: Gateway) -> str:
    """Load the plan, freeze it, report progress and costs; return the project's id."""
    tell("A project with a plan of 25 tasks and ten weeks of progress:")
    plan = plan_data()
    project = {
        "external_source": SOURCE,
        "external_id": KEY,
        "key": KEY,
        "name": "New product development",
        "goal": "Decide whether the new product goes into development.",
        "kind": "other",
        "currency": "EUR",
        "calendar_id": _calendar(gateway, plan["calendar"]),
        "start_at": plan["start_at"],
    }
    (written,) = gateway.batch("/project-tracker/v1/projects:batch", [project], "project")
    own = f"/project-tracker/v1/projects/{written['id']}"
    gateway.batch(f"{own}/tasks:batch", plan["tasks"], "tasks")
    gateway.batch(f"{own}/dependencies:batch", plan["dependencies"], "dependencies")
    if not gateway.get(f"{own}/baselines")["items"]:
        gateway.post(f"{own}/baselines", {"name": "as planned"})
        tell("  baseline: frozen from the schedule")
    gateway.batch(f"{own}/progress-reports:batch", plan["progress_reports"], "progress reports")
    costs = [cost | {"external_source": SOURCE, "external_id": f"{KEY}-{n}"} for n, cost in enumerate(plan["costs"])]
    gateway.batch(f"{own}/costs:batch", costs, "costs")
    project_id: str = written["id"]
    return project_id


def figures(gateway: Gateway, project_id: str) -> dict[str, Any]:
    """Return the earned-value figures at the last status time."""
    status_at = plan_data()["status_at"]
    answer = gateway.get_current(f"/kpi-engine/v1/projects/{project_id}/earned-value", status_at=status_at)
    found: dict[str, Any] = answer["figures"]
    return found


def plan_data() -> dict[str, Any]:
    """Return the plan as the repository keeps it, in the shapes of the API."""
    content = files("tandem_local.demo").joinpath("data", "new-product-plan.json").read_text()
    plan: dict[str, Any] = json.loads(content)
    return plan


def _calendar(gateway: Gateway, calendar: dict[str, Any]) -> str:
    path, named = "/project-tracker/v1/calendars", {"external_source": SOURCE, "external_id": KEY}
    known = gateway.get(path, **named)["items"]
    found: str = known[0]["id"] if known else gateway.post(path, calendar | named)["id"]
    return found
