from collections.abc import Iterator

import pytest
from whole_platform import Platform, running_platform


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Run a platform that these tests may hurt."""
    with running_platform(tmp_path_factory.mktemp("platform")) as started:
        yield started
