"""The public keys tokens are signed with: fetched, cached, and kept while their source is away."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import structlog
from jwt import PyJWK, PyJWTError

from chassis.rejection import Rejection

LOG = structlog.get_logger()
ALGORITHMS = frozenset({"ES256", "RS256", "EdDSA"})
KEPT_SECONDS = 300.0
RETRY_SECONDS = 5.0
FETCH_SECONDS = 5.0
DOCUMENT_BYTES_MAX = 256 * 1024
RSA_BITS_MIN = 2048


class KeySource:
    """A JSON Web Key Set at an address: `http(s)://…` or `file:///…`.

    Keys are kept for five minutes and then renewed in the background. An unknown key id asks the source again, but
    not more often than every five seconds. While the source is away, the keys it last gave stay good.
    """

    def __init__(self, url: str, client: httpx.AsyncClient | None = None) -> None:
        self._url = url
        self._client = client
        self._keys: dict[str | None, PyJWK] = {}
        self._asked_at = float("-inf")
        self._good_until = float("-inf")
        self._lock = asyncio.Lock()
        self._renewal: asyncio.Task[None] | None = None

    async def key(self, kid: str | None) -> PyJWK | None:
        """Return the key with this id, None if there is none; without an id, the only key there is."""
        now = time.monotonic()
        if self._keys and now >= self._good_until and (self._renewal is None or self._renewal.done()):
            self._renewal = asyncio.create_task(self._renew())
        found = self._find(kid)
        if found is None:
            await self._renew()
            found = self._find(kid)
            if not self._keys:
                raise Rejection(
                    "unavailable", "keys-unavailable", "Tokens cannot be verified now.", retry_after_seconds=5
                )
        return found

    async def close(self) -> None:
        """Stop asking."""
        if self._renewal is not None:
            self._renewal.cancel()
        if self._client is not None:
            await self._client.aclose()

    def _find(self, kid: str | None) -> PyJWK | None:
        if kid is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(kid)

    async def _renew(self) -> None:
        async with self._lock:
            if time.monotonic() - self._asked_at < RETRY_SECONDS:
                return
            try:
                keys = usable_keys(json.loads(await self._fetch()))
            except (httpx.HTTPError, OSError, ValueError) as error:
                LOG.warning("keys_not_fetched", url=self._url, error=type(error).__name__)
            else:
                self._keys = keys
                self._good_until = time.monotonic() + KEPT_SECONDS
            finally:
                self._asked_at = time.monotonic()

    async def _fetch(self) -> bytes:
        parts = urlsplit(self._url)
        if parts.scheme == "file":
            return await asyncio.to_thread(Path(unquote(parts.path)).read_bytes)
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=FETCH_SECONDS, trust_env=False)
        answer = await self._client.get(self._url)
        answer.raise_for_status()
        if len(answer.content) > DOCUMENT_BYTES_MAX:
            raise ValueError("the key set is too large")
        return answer.content


def usable_keys(document: Any) -> dict[str | None, PyJWK]:
    """Return the keys of a set that may verify a signature: public, of an allowed algorithm, by their id."""
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("not a JSON Web Key Set")  # noqa: TRY004  (bad content, not a bug of ours)
    keys: dict[str | None, PyJWK] = {}
    for jwk in listed:
        if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig" or "d" in jwk or "k" in jwk:
            continue
        try:
            key = PyJWK(jwk)
        except PyJWTError:
            continue
        if key.algorithm_name in ALGORITHMS and getattr(key.key, "key_size", RSA_BITS_MIN) >= _bits_min(key):
            keys[jwk.get("kid")] = key
    return keys


def _bits_min(key: PyJWK) -> int:
    return RSA_BITS_MIN if key.algorithm_name == "RS256" else 0
