"""A service's own access token, by client credentials (RFC 6749, 4.4)."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated

import httpx
from pydantic import BaseModel, Field, ValidationError

from chassis import clock

RENEWED_BEFORE = timedelta(seconds=30)
USUAL_SECONDS = 300


class TokenUnavailableError(Exception):
    """The token endpoint is away or refuses; asking again later may help."""


class _Granted(BaseModel):
    access_token: Annotated[str, Field(min_length=1)]
    expires_in: Annotated[float, Field(gt=0)] = USUAL_SECONDS


class ServiceToken:
    """Fetches a token when it is first needed and again shortly before it expires."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        url: str,
        client_id: str,
        client_secret: str,
        scope: str = "events:read",
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._client = client
        self._url = url
        self._credentials = httpx.BasicAuth(client_id, client_secret)
        self._scope = scope
        self._now = now
        self._token = ""
        self._good_until: datetime | None = None
        self._one_at_a_time = asyncio.Lock()

    async def get(self) -> str:
        """Return a token that is good for a while."""
        async with self._one_at_a_time:
            if self._good_until is None or self._now() >= self._good_until:
                await self._fetch()
            return self._token

    def refuse(self, token: str) -> None:
        """Forget a token that somebody would not take, so that the next one is new."""
        if token == self._token:
            self._good_until = None

    async def _fetch(self) -> None:
        form = {"grant_type": "client_credentials", "scope": self._scope}
        asked_at = self._now()
        try:
            response = await self._client.post(self._url, data=form, auth=self._credentials)
        except httpx.HTTPError as error:
            raise TokenUnavailableError(f"the token endpoint cannot be reached: {error}") from error
        if response.is_error:
            raise TokenUnavailableError(f"the token endpoint answers {response.status_code}")
        try:
            granted = _Granted.model_validate_json(response.content)
        except ValidationError as error:
            raise TokenUnavailableError("the token endpoint's answer is not understood") from error
        lifetime = timedelta(seconds=granted.expires_in)
        self._token = granted.access_token
        self._good_until = asked_at + max(lifetime - RENEWED_BEFORE, lifetime / 2)
