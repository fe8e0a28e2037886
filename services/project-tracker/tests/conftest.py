import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from chassis.testkit.applications import settings_on
from chassis.testkit.clients import client_of
from chassis.testkit.databases import Addresses, Pools
from chassis.testkit.tokens import Signer
from project_tracker.main import create_app
from project_tracker.settings import Settings
from project_tracker.wiring import PACKAGE

sys.path.append(str(Path(__file__).parent))  # for the client beside the tests

from tracker_api import Tracker


@pytest.fixture(scope="module")
def addresses(new_database: Callable[[str], Addresses]) -> Addresses:
    return new_database(PACKAGE)


@pytest.fixture(scope="module")
async def pools(addresses: Addresses) -> AsyncIterator[Pools]:
    async with addresses.pools() as both:
        yield both


@pytest.fixture(scope="module")
async def client(addresses: Addresses, signer: Signer, jwks_file: Path) -> AsyncIterator[httpx.AsyncClient]:
    settings = settings_on(addresses, Settings, jwks_file=jwks_file, signer=signer)
    async with client_of(create_app(settings), as_documented=True) as client:
        yield client


@pytest.fixture
def tracker(client: httpx.AsyncClient, signer: Signer) -> Tracker:
    return Tracker(client, signer)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Data sets that may not be copied: beside the repository, or where TANDEM_DATA says."""
    folder = Path(os.environ.get("TANDEM_DATA", Path(__file__).parents[4] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no shared data in {folder}; set TANDEM_DATA")
    return folder
