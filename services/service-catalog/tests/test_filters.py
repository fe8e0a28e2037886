"""Every list takes every filter that its document has."""

import json
from pathlib import Path
from typing import Any

import pytest
from catalog_api import Catalog

DOCUMENT = Path(__file__).parents[3] / "docs" / "openapi" / "service-catalog.json"
PATHS = json.loads(DOCUMENT.read_text(encoding="utf-8"))["paths"]
LISTS = [path for path, ways in PATHS.items() if "{" not in path and "updated_since" in str(ways.get("get"))]
OF_FORMAT = {"uuid": "01890a5d-ac96-774b-bcce-b302099a8057", "date-time": "2026-03-01T00:00:00Z", "date": "2026-03-01"}
OF_TYPE = {"string": "x", "boolean": "true", "integer": "1"}


def value_of(schema: Any) -> str:
    one = schema.get("items", schema)
    said: str = one["enum"][0] if "enum" in one else OF_FORMAT.get(one.get("format"), OF_TYPE[one["type"]])
    return said


@pytest.mark.parametrize("path", LISTS)
async def test_a_list_takes_the_filters_it_documents(catalog: Catalog, path: str) -> None:
    own = {"limit", "after", "sort", "updated_since", "empty", "q", "fields", "count"}
    asked: dict[str, Any] = {
        one["name"]: value_of(one["schema"])
        for one in PATHS[path]["get"]["parameters"]
        if one["in"] == "query" and one["name"] not in own
    }
    assert {"external_source", "external_id"} <= asked.keys() or path == "/v1/handovers", (
        "every list can be filtered by its external id"
    )
    for name, value in asked.items():
        assert (await catalog.get(path.removeprefix("/v1/"), **dict[str, Any]({name: value})))["items"] == []
    assert (await catalog.get(path.removeprefix("/v1/"), **asked, count="true"))["count"] == 0


@pytest.mark.parametrize("score", [-1, 0, 6, 3_000_000_000, 10**20])
async def test_nobody_has_given_a_score_that_there_is_not(catalog: Catalog, score: int) -> None:
    service = await catalog.service()
    for given in (1, 5):
        await catalog.post("survey-responses", {"service_id": service["id"], "score": given})
    assert (await catalog.get("survey-responses", score=[score]))["items"] == []
    assert [one["score"] for one in (await catalog.get("survey-responses", score=[score, 5]))["items"]] == [5]
