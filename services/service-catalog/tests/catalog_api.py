import itertools
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx

from chassis import clock, ids
from chassis.testkit.tokens import Signer

AUDIENCE = "service-catalog"
EVERYTHING = ("catalog:read", "catalog:write", "catalog:approve", "catalog:import", "events:read")
ANY_VERSION = {"If-Match": "*"}
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Catalog:
    """One organisation's client of the service: every call answers JSON and checks the status it expects."""

    client: httpx.AsyncClient
    signer: Signer
    org: str = field(default_factory=lambda: f"org-{ids.new_id()}")
    scopes: tuple[str, ...] = EVERYTHING

    def limited_to(self, *scopes: str) -> "Catalog":
        return replace(self, scopes=scopes)

    def of_another_organisation(self) -> "Catalog":
        return replace(self, org=f"org-{ids.new_id()}")

    async def send(self, method: str, path: str, *, headers: dict[str, str] | None = None, **given: Any) -> Any:
        token = self.signer.token(*self.scopes, org=self.org, aud=AUDIENCE)
        sent = {"Authorization": f"Bearer {token}", **(headers or {})}
        return await self.client.request(method, f"/v1/{path}", headers=sent, timeout=60, **given)

    async def get(self, path: str, *, status: int = 200, **params: Any) -> Any:
        return _checked(await self.send("GET", path, params=params), status)

    async def post(self, path: str, body: Any, *, status: int = 201, key: str | None = None) -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        return _checked(await self.send("POST", path, json=body, headers=headers), status)

    async def patch(self, path: str, body: Any, *, status: int = 200) -> Any:
        return _checked(await self.send("PATCH", path, json=body, headers=ANY_VERSION), status)

    async def delete(self, path: str, *, status: int = 200) -> Any:
        return _checked(await self.send("DELETE", path, headers=ANY_VERSION), status)

    async def batch(self, path: str, items: list[Any], *, mode: str = "atomic", status: int = 200) -> Any:
        answered = await self.post(f"{path}:batch", {"mode": mode, "items": items}, status=status)
        return answered["items"] if status == 200 else answered

    async def move(self, path: str, to: str, *, status: int = 200, **given: Any) -> Any:
        return await self.post(f"{path}/transitions", {"to": to, **given}, status=status)

    async def service(self, **given: Any) -> Any:
        return await self.post("services", {"key": f"s{next(_numbers)}", "name": "A service"} | given)

    async def incident(self, service: Any = None, **given: Any) -> Any:
        service = service or await self.service()
        return await self.post("incidents", {"service_id": service["id"], "title": "It does not answer"} | given)

    async def outage(self, service: Any = None, **given: Any) -> Any:
        service = service or await self.service()
        blank = {"service_id": service["id"], "severity": "major", "started_at": "2026-01-05T10:00:00Z"}
        return await self.post("outages", blank | given)

    async def window(self, service: Any = None, **given: Any) -> Any:
        service = service or await self.service()
        blank = {
            "service_ids": [service["id"]],
            "planned_start": "2026-01-05T22:00:00Z",
            "planned_end": "2026-01-06T02:00:00Z",
        }
        return await self.post("maintenance-windows", blank | given)


def ready_service(**given: Any) -> dict[str, Any]:
    """Return what a service needs that is to pass every guard there is."""
    ready = {
        "owner": "ada",
        "criticality": "tier1",
        "support_team": "desk",
        "boundaries": {
            "inputs": [{"name": "in"}],
            "outputs": [{"name": "out"}],
            "outcomes": [{"name": "better", "measure": "seconds"}],
        },
        "direct_delivery_reason": "It has been there for long.",
        "retire_on": "2030-01-01",
        "retirement_reason": "Nobody asks for it.",
    }
    return ready | given


def ago(**given: float) -> str:
    return (clock.now() - timedelta(**given)).isoformat()


def codes(answer: Any) -> list[str]:
    return [guard["code"] for guard in answer["unmet_guards"]]


def pointers(answer: Any) -> list[tuple[str, str]]:
    return [(error["pointer"], error["code"]) for error in answer["errors"]]


def _checked(response: httpx.Response, status: int) -> Any:
    assert response.status_code == status, f"{response.status_code}: {response.text[:2000]}"
    return response.json()
