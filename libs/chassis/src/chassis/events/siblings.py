"""The services whose logs a service reads, as its settings name them."""

from collections.abc import Mapping

import httpx

from chassis.events.service_token import ServiceToken
from chassis.events.sibling import Sibling
from chassis.settings import ServiceSettings, SettingsError


class Siblings:
    """Every sibling by its name, over one client and one token of this service's own."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._client = httpx.AsyncClient(trust_env=False)
        self.by_name: Mapping[str, Sibling] = {}
        if not settings.feeds:
            return
        if settings.token_url is None or settings.client_id is None or settings.client_secret is None:
            needed = ("TOKEN_URL", "CLIENT_ID", "CLIENT_SECRET")
            raise SettingsError([f"TANDEM_{name}: needed to read TANDEM_FEEDS" for name in needed])
        token = ServiceToken(
            self._client,
            url=settings.token_url,
            client_id=settings.client_id,
            client_secret=settings.client_secret.get_secret_value(),
        )
        self.by_name = {
            name: Sibling(name, url, client=self._client, token=token) for name, url in settings.feeds.items()
        }

    async def close(self) -> None:
        """Close the client's connections."""
        await self._client.aclose()
