"""What the portal is told by its environment (`TANDEM_…`)."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, PositiveFloat

from chassis.settings import ServerSettings, WebAddresses


class PortalSettings(ServerSettings):
    """Where the services are, what signs the tokens, and who may ask for them."""

    service_name: str = "portal"
    issuer: Annotated[str, Field(min_length=1)]
    signing_keys: Path
    """A folder with `signing.pem` and further keys that are only published."""
    clients_file: Path | None = None
    services: WebAddresses
    """Name and address of each service; the name is its prefix at the gateway."""
    document_seconds: PositiveFloat = 15
    """How long a fetched API document is used before it is fetched again."""
