from collections.abc import Callable, Iterator

import httpx
import pytest
from whole_platform import Platform, running_platform


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Run the platform until the last journey is over."""
    with running_platform(tmp_path_factory.mktemp("platform")) as started:
        yield started


@pytest.fixture(scope="session")
def client(platform: Platform) -> Iterator[httpx.Client]:
    """Give a client with every scope of the organisation `default`."""
    with platform.client() as opened:
        yield opened


@pytest.fixture
def client_of(platform: Platform) -> Iterator[Callable[..., httpx.Client]]:
    """Give clients of other organisations or with fewer scopes; they are closed after the test."""
    opened: list[httpx.Client] = []

    def open_one(org: str = "default", scope: str = "") -> httpx.Client:
        opened.append(platform.client(org, scope))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()
