import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from chassis.testkit.applications import settings_on
from chassis.testkit.clients import client_of
from chassis.testkit.databases import Addresses, Pools
from chassis.testkit.tokens import Signer
from service_catalog.main import create_app
from service_catalog.settings import Settings
from service_catalog.wiring import PACKAGE

sys.path.append(str(Path(__file__).parent))  # for the client beside the tests

from catalog_api import Catalog


@pytest.fixture(scope="module")
def addresses(new_database: Callable[[str], Addresses]) -> Addresses:
    return new_database(PACKAGE)


@pytest.fixture(scope="module")
async def pools(addresses: Addresses) -> AsyncIterator[Pools]:
    async with addresses.pools() as both:
        yield both


@pytest.fixture(scope="module")
def settings(addresses: Addresses, signer: Signer, jwks_file: Path) -> Settings:
    return settings_on(addresses, Settings, jwks_file=jwks_file, signer=signer)


@pytest.fixture(scope="module")
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(create_app(settings), as_documented=True) as client:
        yield client


@pytest.fixture
def catalog(client: httpx.AsyncClient, signer: Signer) -> Catalog:
    return Catalog(client, signer)
