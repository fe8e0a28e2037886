import copy

import pytest
from manifests.objects import Object
from manifests.rendering import kubectl, overlay


@pytest.fixture(scope="session")
def renderer() -> None:
    """Skip what renders where there is nothing to render with."""
    if kubectl() is None:
        pytest.skip("no kubectl: `make` installs one on Linux x86-64 only")


@pytest.fixture
def objects(renderer: None) -> list[Object]:  # noqa: ARG001 - it skips
    """Give a copy of the production overlay's objects, to be broken at will."""
    return copy.deepcopy(list(overlay("production")))
