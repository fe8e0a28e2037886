"""Pytest fixtures: one event loop for the session, a signing key and its published half.

The databases' fixtures (`new_database`, `templates`) come from the workspace's `conftest.py`, because only there is
it known what starts PostgreSQL.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis.testkit.tokens import Signer


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
async def one_loop(anyio_backend: str) -> AsyncIterator[None]:  # noqa: ARG001  (asks for the loop)
    """Keep one event loop for the whole session, so that pools may live as long as a module's tests."""
    yield  # noqa: PT022  (while it waits here, the loop is kept)


@pytest.fixture(scope="session")
def signer() -> Signer:
    """Give the key that signs this run's tokens: `signer.token("catalog:read", org="acme")`."""
    return Signer()


@pytest.fixture(scope="session")
def jwks_file(signer: Signer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the file with the public key, for a service's settings."""
    return signer.write_jwks(tmp_path_factory.mktemp("jwks"))
