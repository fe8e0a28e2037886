"""What a service is told by its environment; every fault is listed at once."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PositiveInt, SecretStr, ValidationError
from pydantic_core import from_json
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from chassis.addresses import DatabaseAddress

PREFIX = "TANDEM_"
MEBIBYTE = 1024 * 1024
Role = Literal["runtime", "worker", "owner"]


class SettingsError(Exception):
    """What is missing or wrong, one line a fault."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def _parts(value: str) -> SplitResult | None:
    """Return the parts of an address, None if it is none."""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:  # its words have the value in them, which is not told
        return None
    return None if port == 0 else parts


def _is_on_the_web(parts: SplitResult) -> bool:
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _is_a_file(parts: SplitResult) -> bool:
    return parts.scheme == "file" and not parts.netloc and Path(parts.path).is_absolute()


def _address_of_keys(value: str) -> str:
    parts = _parts(value)
    if parts is None or not (_is_on_the_web(parts) or _is_a_file(parts)):
        raise ValueError("an http://, https:// or file:/// address is needed")
    return value


def _web_address(value: str) -> str:
    parts = _parts(value)
    if parts is None or not _is_on_the_web(parts):
        raise ValueError("an http:// or https:// address is needed")
    return value.rstrip("/")


def _json(value: object) -> object:
    return from_json(value) if isinstance(value, str) else value


WebAddress = Annotated[str, AfterValidator(_web_address)]
WebAddresses = Annotated[dict[str, WebAddress], NoDecode, BeforeValidator(_json)]
"""Names and addresses, as JSON."""


class ServerSettings(BaseSettings):
    """The settings of whatever answers requests, from `TANDEM_…` variables."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    service_name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 0
    """Where `/metrics` is served; 0 serves none."""
    drain_seconds: Annotated[float, Field(ge=0, le=600, allow_inf_nan=False)] = 8
    """How long a stopping server goes on answering, saying that it stops."""
    graceful_seconds: Annotated[float, Field(gt=0, le=600, allow_inf_nan=False)] = 15
    """How long requests may take to end after that."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"

    @classmethod
    def load(cls) -> Self:
        """Read the environment; raise `SettingsError` with every fault."""
        from_environment: dict[str, Any] = {}
        try:
            return cls(**from_environment)
        except ValidationError as error:
            faults = error.errors(include_url=False, include_input=False)
            lines = [f"{PREFIX}{'.'.join(map(str, fault['loc'])).upper()}: {fault['msg']}" for fault in faults]
            raise SettingsError(lines) from None


class ServiceSettings(ServerSettings):
    """The settings all services have; passwords only as far as a command needs them."""

    database_host: str
    """A host name, or the folder of a Unix socket."""
    database_port: Annotated[int, Field(ge=1, le=65_535)] = 5432
    database_name: str
    database_roles: str | None = None
    """What the names of the three roles begin with; by default the database's name."""
    runtime_password: SecretStr | None = None
    worker_password: SecretStr | None = None
    owner_password: SecretStr | None = None
    runtime_pool_size: PositiveInt = 16
    worker_pool_size: PositiveInt = 6

    jwks_url: Annotated[str, AfterValidator(_address_of_keys)]
    issuer: Annotated[str, Field(min_length=1)]
    cursor_secret: SecretStr
    """What list cursors are sealed with; all copies of a service share it."""

    feeds: WebAddresses = {}
    """The services whose events this one reads."""
    token_url: WebAddress | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None

    requests_per_second: Annotated[int, Field(ge=0)] = 200
    """How often a client of an organisation may ask this process, ten seconds' worth at once; 0 sets no limit."""
    body_bytes_max: PositiveInt = MEBIBYTE
    bulk_body_bytes_max: PositiveInt = 16 * MEBIBYTE

    def address(self, role: Role) -> DatabaseAddress:
        """Return how to enter the service's database in one of its three roles."""
        passwords = {
            "runtime": self.runtime_password,
            "worker": self.worker_password,
            "owner": self.owner_password,
        }
        password = passwords[role]
        if password is None:
            raise SettingsError([f"{PREFIX}{role.upper()}_PASSWORD: this command needs it"])
        return DatabaseAddress(
            host=self.database_host,
            port=self.database_port,
            name=self.database_name,
            role=f"{self.database_roles or self.database_name}_{role}",
            password=password.get_secret_value(),
        )
