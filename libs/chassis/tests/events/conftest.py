from collections.abc import AsyncIterator, Callable

import pytest

from chassis.testkit.databases import Addresses, Pools


@pytest.fixture
def addresses(new_database: Callable[[str], Addresses]) -> Addresses:
    return new_database("chassis.testkit.sample")


@pytest.fixture
async def pools(addresses: Addresses) -> AsyncIterator[Pools]:
    async with addresses.pools() as both:
        yield both
