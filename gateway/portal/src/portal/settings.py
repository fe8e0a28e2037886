"""What the portal is told by its environment (`TANDEM_…`)."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PositiveFloat
from pydantic_settings import BaseSettings, SettingsConfigDict


class PortalSettings(BaseSettings):
    """Where the services are, what signs the tokens, and who may ask for them."""

    model_config = SettingsConfigDict(env_prefix="TANDEM_", extra="ignore", frozen=True, env_ignore_empty=True)

    issuer: Annotated[str, Field(min_length=1)]
    signing_keys: Path
    """A folder with `signing.pem` and further keys that are only published."""
    clients_file: Path | None = None
    services: dict[str, str]
    """Name and address of each service, as JSON; the name is its prefix at the gateway."""
    document_seconds: PositiveFloat = 15
    """How long a fetched API document is used before it is fetched again."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @classmethod
    def load(cls) -> Self:
        """Read the environment; nothing is told by the caller."""
        told: dict[str, Any] = {}
        return cls(**told)
