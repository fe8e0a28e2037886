"""Who may ask for tokens with a secret of its own: a TOML file, read again when it changes.

[clients.kpi-engine]
secret_hashes = ["$argon2id$…"]      # two while a secret is being changed
org = "*"
scopes = ["events:read"]
audiences = ["service-catalog", "project-tracker"]
token_seconds = 3600
"""

import hashlib
import hmac
import logging
import os
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

# Secrets are random and long, so the cost only has to slow down whoever steals the file.
HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
NOBODY = HASHER.hash(secrets.token_urlsafe(32))
State = tuple[int, int]
GONE: State = (0, 0)

log = logging.getLogger(__name__)


class WrongClientsError(Exception):
    """The file of clients cannot be read, or does not hold what it has to; one line a fault, no hashes in them."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def _hashes(texts: tuple[str, ...]) -> tuple[str, ...]:
    try:
        for text in texts:
            extract_parameters(text)
    except InvalidHashError:
        raise PydanticCustomError("hash", "This is no hash; `portal hash` makes one.") from None
    return texts


class Client(BaseModel):
    """A client and the most it may ask for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    secret_hashes: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(_hashes)]
    org: Annotated[str, Field(pattern=r"^(\*|[a-z0-9][a-z0-9-]{0,63})$")]
    scopes: Annotated[tuple[str, ...], Field(min_length=1)]
    audiences: Annotated[tuple[str, ...], Field(min_length=1)]
    token_seconds: Annotated[int, Field(ge=60, le=43_200)] = 3_600


class ClientFile(BaseModel):
    """The file's content."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    clients: dict[str, Client]


@dataclass(frozen=True, slots=True)
class _Known:
    """The clients of the file as it was read, and the keyed digests of the secrets that were proven of them."""

    clients: Mapping[str, Client]
    proven: dict[str, bytes] = field(default_factory=dict)


class Clients:
    """The clients of a file; without a file there are none.

    A file that is wrong at the start is an error; one that goes wrong later is told of, and the former clients stay.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._read_at = self._told_of = GONE
        self._known = _Known({})
        self._salt = os.urandom(32)
        if path is not None:
            self._read(path, _state(path))

    def authenticate(self, client_id: str, secret: str) -> Client | None:
        """Return the client if the secret is its own; it takes as long if there is no such client.

        A secret that has been proven is remembered as a keyed digest, so that only the first request pays.
        """
        proven = self.proven(client_id, secret)
        if proven is not None:
            return proven
        known = self._known  # what is proven of this file is not taken for proven of one that is read meanwhile
        client = known.clients.get(client_id)
        verdicts = [_verifies(stored, secret) for stored in (client.secret_hashes if client else (NOBODY,))]
        if client is None or not any(verdicts):
            return None
        known.proven[client_id] = self._digest(secret)
        return client

    def proven(self, client_id: str, secret: str) -> Client | None:
        """Return the client if this secret was proven to be its own before: this takes no time."""
        self._refresh()
        known = self._known
        client, digest = known.clients.get(client_id), known.proven.get(client_id, b"")
        return client if client is not None and hmac.compare_digest(digest, self._digest(secret)) else None

    def _digest(self, secret: str) -> bytes:
        return hmac.digest(self._salt, secret.encode(), hashlib.sha256)

    def _refresh(self) -> None:
        if self._path is None:
            return
        state = _state(self._path)
        if state == self._read_at:
            return
        try:
            self._read(self._path, state)
        except WrongClientsError as error:
            if state != self._told_of:
                log.error("clients not read", extra={"file": str(self._path), "reason": str(error)})  # noqa: TRY400 - its words say it all
            self._told_of = state

    def _read(self, path: Path, state: State) -> None:
        self._known = _Known(_clients(path))
        self._read_at = self._told_of = state


def _state(path: Path) -> State:
    """Return what is another one after each change of the file."""
    try:
        status = path.stat()
    except OSError:
        return GONE
    return status.st_mtime_ns, status.st_ino


def _clients(path: Path) -> Mapping[str, Client]:
    try:
        return ClientFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).clients
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        raise WrongClientsError([f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults]) from None
    except OSError as error:
        raise WrongClientsError([error.strerror or type(error).__name__]) from error
    except ValueError as error:  # neither TOML nor UTF-8
        raise WrongClientsError([str(error)]) from error


def _verifies(stored: str, secret: str) -> bool:
    try:
        return HASHER.verify(stored, secret)
    except VerificationError:
        return False
