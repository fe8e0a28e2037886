import itertools
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from chassis import ids
from chassis.testkit.tokens import Signer

AUDIENCE = "project-tracker"
EVERYTHING = ("projects:read", "projects:write", "projects:approve", "projects:import", "events:read")
ANY_VERSION = {"If-Match": "*"}
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Tracker:
    """One organisation's client of the service: every call answers JSON and checks the status it expects."""

    client: httpx.AsyncClient
    signer: Signer
    org: str = field(default_factory=lambda: f"org-{ids.new_id()}")
    scopes: tuple[str, ...] = EVERYTHING

    def limited_to(self, *scopes: str) -> "Tracker":
        return replace(self, scopes=scopes)

    def of_another_organisation(self) -> "Tracker":
        return replace(self, org=f"org-{ids.new_id()}")

    async def send(self, method: str, path: str, *, headers: dict[str, str] | None = None, **given: Any) -> Any:
        token = self.signer.token(*self.scopes, org=self.org, aud=AUDIENCE)
        sent = {"Authorization": f"Bearer {token}", **(headers or {})}
        return await self.client.request(method, f"/v1/{path}", headers=sent, timeout=60, **given)

    async def get(self, path: str, *, status: int = 200, **params: Any) -> Any:
        return _checked(await self.send("GET", path, params=params), status)

    async def post(self, path: str, body: Any, *, status: int = 201) -> Any:
        return _checked(await self.send("POST", path, json=body), status)

    async def patch(self, path: str, body: Any, *, status: int = 200) -> Any:
        return _checked(await self.send("PATCH", path, json=body, headers=ANY_VERSION), status)

    async def delete(self, path: str, *, status: int = 200) -> Any:
        return _checked(await self.send("DELETE", path, headers=ANY_VERSION), status)

    async def batch(self, path: str, items: list[Any], *, mode: str = "atomic", status: int = 200) -> Any:
        answered = await self.post(f"{path}:batch", {"mode": mode, "items": items}, status=status)
        return answered["items"] if status == 200 else answered

    async def every(self, path: str, **params: Any) -> list[Any]:
        found: list[Any] = []
        while True:
            page = await self.get(path, limit=200, **params)
            found += page["items"]
            if page["next"] is None:
                return found
            params["after"] = page["next"]

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


def _checked(response: httpx.Response, status: int) -> Any:
    assert response.status_code == status, f"{response.status_code}: {response.text[:2000]}"
    return response.json()
