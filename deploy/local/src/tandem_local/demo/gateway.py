"""The demonstration's client: everything goes through the gateway, as any client's requests do."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx

BATCH_MAX = 1000


class RefusedError(Exception):
    """The platform answered a request of the demonstration with a refusal."""


class Gateway:
    """Sends requests, tells progress, and remembers the last event each service answered with."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._last_events: dict[str, str] = {}

    @classmethod
    @contextmanager
    def at(cls, address: str, token: str) -> Iterator["Gateway"]:
        """Open a client of the gateway at an address."""
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=address, headers=headers, timeout=120) as client:
            yield cls(client)

    def get(self, path: str, **query: str) -> Any:
        """Return the answer to a GET."""
        return self._answered(self._client.get(path, params=query))

    def get_current(self, path: str, **query: str) -> Any:
        """Return the answer to a GET of a sibling that has read everything written here so far."""
        awaited = ", ".join(f"{service}/{event}" for service, event in self._last_events.items())
        headers = {"After-Event": awaited, "Prefer": "wait=30"} if awaited else {}
        return self._answered(self._client.get(path, params=query, headers=headers))

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Return the answer to a POST."""
        response = self._client.post(path, json=body)
        event = response.headers.get("Event-Id")
        if event is not None:
            self._last_events[path.split("/")[1]] = event
        return self._answered(response)

    def batch(self, path: str, items: Sequence[dict[str, Any]], what: str) -> list[Any]:
        """Write items in batches, telling how far it is; return what became of them."""
        results: list[Any] = []
        for start in range(0, len(items), BATCH_MAX):
            part = items[start : start + BATCH_MAX]
            results += self.post(path, {"mode": "atomic", "items": list(part)})["items"]
        new = sum(result["status"] == httpx.codes.CREATED for result in results)
        tell(f"  {what}: {len(results)} sent, {new} new")
        return results

    def _answered(self, response: httpx.Response) -> Any:
        if response.is_error:
            request = response.request
            raise RefusedError(f"{request.method} {request.url.path}: {response.status_code} {response.text}")
        return response.json()


def tell(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)  # noqa: T201  (a command line speaks)
