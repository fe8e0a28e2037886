from collections.abc import AsyncIterator, Callable

import pytest

from chassis.testkit.databases import Addresses, Pools
from chassis.testkit.eventing import EventService, service_on

SAMPLE = "chassis.testkit.sample"


@pytest.fixture
def addresses(new_database: Callable[[str], Addresses]) -> Addresses:
    return new_database(SAMPLE)


@pytest.fixture
async def pools(addresses: Addresses) -> AsyncIterator[Pools]:
    async with addresses.pools() as both:
        yield both


@pytest.fixture
async def service(addresses: Addresses) -> AsyncIterator[EventService]:
    async with service_on(addresses) as one:
        yield one


@pytest.fixture
async def producer(new_database: Callable[[str], Addresses]) -> AsyncIterator[EventService]:
    async with service_on(new_database(SAMPLE)) as one:
        yield one
