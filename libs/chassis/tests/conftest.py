from collections.abc import AsyncIterator, Callable

import pytest

from chassis.testkit.databases import Addresses, Pools


@pytest.fixture(scope="module")
def notes_addresses(new_database: Callable[[str], Addresses]) -> Addresses:
    return new_database("chassis.testkit.sample")


@pytest.fixture(scope="module")
async def notes_pools(notes_addresses: Addresses) -> AsyncIterator[Pools]:
    async with notes_addresses.pools() as both:
        yield both
