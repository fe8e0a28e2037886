"""What a test of a service's HTTP stands on: its settings on a cloned database, and one organisation's client."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

import httpx

from chassis import ids
from chassis.settings import ServiceSettings
from chassis.testkit.databases import Addresses
from chassis.testkit.tokens import Signer

ANY_VERSION = {"If-Match": "*"}
SettingsT = TypeVar("SettingsT", bound=ServiceSettings)


def settings_on(addresses: Addresses, settings_class: type[SettingsT], *, jwks_file: Path, signer: Signer) -> SettingsT:
    """Return a service's settings for a cloned database, whose roles are those of its template."""
    given: dict[str, Any] = {
        "database_host": addresses.runtime.host,
        "database_port": addresses.runtime.port,
        "database_name": addresses.runtime.name,
        "database_roles": addresses.runtime.role.removesuffix("_runtime"),
        "runtime_password": addresses.runtime.password,
        "worker_password": addresses.worker.password,
        "owner_password": addresses.owner.password,
        "jwks_url": jwks_file.as_uri(),
        "issuer": signer.issuer,
        "requests_per_second": 0,
        "cursor_secret": "of-this-run",
    }
    return settings_class(**given)


@dataclass(frozen=True)
class OrganisationClient:
    """One organisation's client of a service: every call answers JSON and checks the status it expects.

    Subclasses name the audience and its scopes, and add the builders of their resources.
    """

    AUDIENCE: ClassVar[str]
    EVERYTHING: ClassVar[tuple[str, ...]]

    client: httpx.AsyncClient
    signer: Signer
    org: str = field(default_factory=lambda: f"org-{ids.new_id()}")
    scopes: tuple[str, ...] | None = None
    subject: str = "tester"

    def limited_to(self, *scopes: str) -> Self:
        """Return the same organisation's client with these scopes only."""
        return replace(self, scopes=scopes)

    def by(self, subject: str) -> Self:
        """Return the same organisation's client of somebody else."""
        return replace(self, subject=subject)

    def of_another_organisation(self) -> Self:
        """Return a client of an organisation that nobody else uses."""
        return replace(self, org=f"org-{ids.new_id()}")

    async def send(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **given: Any
    ) -> httpx.Response:
        """Send a request to a path below `/v1` and return the response, whatever it is."""
        scopes = self.EVERYTHING if self.scopes is None else self.scopes
        token = self.signer.token(*scopes, org=self.org, aud=self.AUDIENCE, sub=self.subject)
        sent = {"Authorization": f"Bearer {token}", **(headers or {})}
        return await self.client.request(method, f"/v1/{path}", headers=sent, timeout=60, **given)

    async def get(self, path: str, *, status: int = 200, **params: Any) -> Any:
        """Return the answer to a GET."""
        return checked(await self.send("GET", path, params=params), status)

    async def post(self, path: str, body: Any, *, status: int = 201, key: str | None = None) -> Any:
        """Return the answer to a POST, perhaps with an idempotency key."""
        headers = {"Idempotency-Key": key} if key else {}
        return checked(await self.send("POST", path, json=body, headers=headers), status)

    async def patch(self, path: str, body: Any, *, status: int = 200) -> Any:
        """Return the answer to a PATCH of whichever version is current."""
        return checked(await self.send("PATCH", path, json=body, headers=ANY_VERSION), status)

    async def delete(self, path: str, *, status: int = 200) -> Any:
        """Return the answer to a DELETE of whichever version is current."""
        return checked(await self.send("DELETE", path, headers=ANY_VERSION), status)

    async def batch(self, path: str, items: list[Any], *, mode: str = "atomic", status: int = 200) -> Any:
        """Return the items that a batch is answered with, or the refusal of all."""
        answered = await self.post(f"{path}:batch", {"mode": mode, "items": items}, status=status)
        return answered["items"] if status == httpx.codes.OK else answered

    async def every(self, path: str, **params: Any) -> list[Any]:
        """Return all items of a list, page by page."""
        found: list[Any] = []
        while True:
            page = await self.get(path, limit=200, **params)
            found += page["items"]
            if page["next"] is None:
                return found
            params["after"] = page["next"]


def checked(response: httpx.Response, status: int) -> Any:
    """Return the JSON of an answer that has the status expected."""
    if response.status_code != status:
        raise AssertionError(f"{response.status_code}, not {status}: {response.text[:2000]}")
    return response.json()


def pointers(refused: Any) -> list[tuple[str, str]]:
    """Return where a refusal finds fault, each place with the code of what is wrong there."""
    return [(error["pointer"], error["code"]) for error in refused["errors"]]
