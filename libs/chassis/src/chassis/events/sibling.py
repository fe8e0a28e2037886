"""Another service's log, read over HTTP."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import httpx
from pydantic import ValidationError

from chassis.events.envelope import Event, read_batch
from chassis.events.position import Position
from chassis.events.service_token import TokenUnavailableError
from chassis.tracing import CURRENT

ANSWER_SECONDS = 15.0
CONFLICT, GONE, NOT_FOUND, UNAUTHORIZED = 409, 410, 404, 401


class FeedAwayError(Exception):
    """The sibling cannot be read now; asking again later may help."""


class EpochChangedError(Exception):
    """The sibling's log is in another epoch; `head` is where it stands now."""

    def __init__(self, head: Position) -> None:
        super().__init__(f"the log is now at {head}")
        self.head = head


class NotKeptError(Exception):
    """What was asked for is older than the sibling keeps."""


class UnknownEventError(Exception):
    """The sibling has no such event."""


class TokenSource(Protocol):
    """What gives a service its access token."""

    async def get(self) -> str:
        """Return a token."""

    def refuse(self, token: str) -> None:
        """Take note that a token was not accepted."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A page of a sibling's log; `next` is where to go on from."""

    events: list[Event]
    next: Position
    head: Position


class Sibling:
    """A service whose log this one reads: its name (`service-catalog`) and its address."""

    def __init__(self, name: str, url: str, *, client: httpx.AsyncClient, token: TokenSource) -> None:
        self.name = name
        self._url = f"{url.rstrip('/')}/v1/events"
        self._client = client
        self._token = token

    async def head(self) -> Position:
        """Return how far the log goes."""
        return (await self._page({"limit": 1}, 0)).head

    async def read(
        self, after: Position, *, types: Collection[str] = (), limit: int = 500, wait_seconds: float = 0
    ) -> Batch:
        """Return the events after a position, waiting for the first one for some seconds."""
        parameters: dict[str, Any] = {"after": str(after), "limit": limit}
        if types:
            parameters["types"] = ",".join(sorted(types))
        return await self._page(parameters, wait_seconds)

    async def whereabouts(self, event_id: UUID, org: str) -> Position | None:
        """Return where an event of an organisation stands, None while it waits for its position."""
        response = await self._get(f"{self._url}/{event_id}", {}, 0)
        if response.status_code == NOT_FOUND:
            raise UnknownEventError(str(event_id))
        if response.status_code == GONE:
            raise NotKeptError(str(event_id))
        try:
            found = _checked(response).json()
            if found.get("orgid", org) != org:  # a release ago it was not told
                raise UnknownEventError(str(event_id))
            return None if found["position"] is None else Position(int(found["epoch"]), int(found["position"]))
        except (KeyError, TypeError, ValueError) as error:
            raise FeedAwayError(f"{self.name} answers what is not understood") from error

    async def _page(self, parameters: dict[str, Any], wait_seconds: float) -> Batch:
        response = await self._get(self._url, parameters, wait_seconds)
        if response.status_code == CONFLICT:
            raise EpochChangedError(_head_of(response))
        if response.status_code == GONE:
            raise NotKeptError(str(parameters.get("after")))
        _checked(response)
        try:
            following = httpx.URL(response.links["next"]["url"]).params["after"]
            return Batch(
                events=read_batch(response.content),
                next=Position.parse(following),
                head=Position.parse(response.headers["Events-Head"]),
            )
        except (KeyError, ValidationError, ValueError) as error:
            raise FeedAwayError(f"{self.name} answers what is no batch of events: {error}") from error

    async def _get(self, url: str, parameters: dict[str, Any], wait_seconds: float) -> httpx.Response:
        try:
            token = await self._token.get()
            headers = {"Authorization": f"Bearer {token}"}
            if (trace := CURRENT.get()) is not None:
                headers["traceparent"] = trace.traceparent
            if wait_seconds > 0:
                headers["Prefer"] = f"wait={wait_seconds:.0f}"
            response = await self._client.get(
                url, params=parameters, headers=headers, timeout=ANSWER_SECONDS + wait_seconds
            )
        except (httpx.HTTPError, TokenUnavailableError) as error:
            raise FeedAwayError(f"{self.name} cannot be read: {type(error).__name__}: {error}") from error
        if response.status_code == UNAUTHORIZED:
            self._token.refuse(token)
        return response


def _checked(response: httpx.Response) -> httpx.Response:
    if not response.is_success:
        raise FeedAwayError(f"{response.url.host} answers {response.status_code}")
    return response


def _head_of(response: httpx.Response) -> Position:
    try:
        return Position.parse(response.json()["head"])
    except (KeyError, TypeError, ValueError) as error:
        raise FeedAwayError("a conflict without a head") from error
