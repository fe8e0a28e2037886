import itertools
from typing import Any, ClassVar

from chassis.testkit.applications import OrganisationClient

_numbers = itertools.count(1)


class Tracker(OrganisationClient):
    """One organisation's client of project-tracker."""

    AUDIENCE: ClassVar[str] = "project-tracker"
    EVERYTHING: ClassVar[tuple[str, ...]] = (
        "projects:read",
        "projects:write",
        "projects:approve",
        "projects:import",
        "events:read",
    )

    async def project(self, **given: Any) -> Any:
        blank = {
            "key": f"p{next(_numbers)}",
            "name": "A project",
            "currency": "EUR",
            "start_at": "2026-03-02T08:00:00Z",
        }
        return await self.post("projects", blank | given)

    async def plan(self, project: Any, *tasks: Any, links: tuple[str, ...] = ()) -> str:
        """Fill a project's plan; a link is written `1>2` or `1>2:SS+1d`. Returns the project's path."""
        own = f"projects/{project['id']}"
        if tasks:
            await self.batch(f"{own}/tasks", list(tasks))
        if links:
            await self.batch(f"{own}/dependencies", [a_link(link) for link in links])
        return own


def a_task(wbs: str, **given: Any) -> dict[str, Any]:
    return {"wbs": wbs, "name": f"Task {wbs}", "duration": "1d"} | given


def a_link(written: str) -> dict[str, Any]:
    ends, _, kind = written.partition(":")
    before, _, after = ends.partition(">")
    return {
        "predecessor_wbs": before,
        "successor_wbs": after,
        "type": kind[:2] or "FS",
        "lag": kind[2:].removeprefix("+") or "0d",
    }


def euros(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}
