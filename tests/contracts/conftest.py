import copy
from collections.abc import Callable
from typing import Any

import pytest
from api_documents import documents, whole_document


@pytest.fixture(scope="session")
def every_document() -> dict[str, dict[str, Any]]:
    return documents()


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return whole_document(tmp_path_factory.mktemp("portal") / "keys")


@pytest.fixture
def tracker(every_document: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Give a document that a test may break."""
    return copy.deepcopy(every_document["project-tracker"])


@pytest.fixture
def broken(tracker: dict[str, Any]) -> Callable[..., dict[str, Any]]:
    """Give the project tracker's document after something was done to a place of it."""

    def breaking(place: str, change: Callable[[Any], object]) -> dict[str, Any]:
        part: Any = tracker
        for piece in place.split(" "):
            part = part[int(piece) if isinstance(part, list) else piece]
        change(part)
        return tracker

    return breaking
