"""The states of a project, as far as its parts ask about them."""

from collections.abc import Mapping
from typing import Any

from chassis.rejection import Rejection

INITIAL = "proposed"
FINAL = frozenset({"closed", "cancelled"})
BEFORE_EXECUTION = frozenset({"proposed", "initiating", "planning"})


def refuse_final(project: Mapping[str, Any]) -> None:
    """Refuse a change of the plan, of progress or of costs once a project is closed or cancelled."""
    if project["state"] in FINAL:
        raise Rejection(
            "conflict",
            "project-closed",
            f"The project is {project['state']}: its plan, progress and costs stay as they are.",
            extra={"state": project["state"]},
        )


def refuse_begun(project: Mapping[str, Any]) -> None:
    """Refuse to delete a project that has left its first state."""
    if project["state"] != INITIAL:
        raise Rejection("conflict", "project-begun", "A project that was begun is cancelled or closed, not deleted.")
