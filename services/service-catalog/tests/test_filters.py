"""Every list takes every filter that its document has."""

import json
from pathlib import Path

import pytest
from catalog_api import Catalog

from chassis.testkit.filters import EXTERNAL_ID, find_nothing, lists_of

DOCUMENT = Path(__file__).parents[3] / "docs" / "openapi" / "service-catalog.json"
LISTS = lists_of(json.loads(DOCUMENT.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", [path for path in LISTS if "{" not in path])
async def test_a_list_takes_the_filters_it_documents(catalog: Catalog, path: str) -> None:
    asked = LISTS[path]
    assert asked.keys() >= EXTERNAL_ID or path == "/v1/handovers", "every list can be filtered by its external id"
    await find_nothing(catalog, path.removeprefix("/v1/"), asked)


@pytest.mark.parametrize("score", [-1, 0, 6, 3_000_000_000, 10**20])
async def test_nobody_has_given_a_score_that_there_is_not(catalog: Catalog, score: int) -> None:
    service = await catalog.service()
    for given in (1, 5):
        await catalog.post("survey-responses", {"service_id": service["id"], "score": given})
    assert (await catalog.get("survey-responses", score=[score]))["items"] == []
    assert [one["score"] for one in (await catalog.get("survey-responses", score=[score, 5]))["items"]] == [5]
