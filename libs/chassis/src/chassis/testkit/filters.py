"""The filters that an API document tells of, and a list asked for each of them."""

from collections.abc import Mapping
from typing import Any

from chassis.testkit.applications import OrganisationClient

EXTERNAL_ID = frozenset({"external_source", "external_id"})
_OF_EVERY_LIST = frozenset({"limit", "after", "sort", "updated_since", "empty", "q", "fields", "count"})
_OF_FORMAT = {"uuid": "01890a5d-ac96-774b-bcce-b302099a8057", "date-time": "2026-03-01T00:00:00Z", "date": "2026-03-01"}
_OF_TYPE = {"string": "x", "boolean": "true", "integer": "1"}


def lists_of(document: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return the path of each list of resources, with its filters and a value for each."""
    return {
        path: {
            one["name"]: _value_of(one["schema"])
            for one in ways["get"]["parameters"]
            if one["in"] == "query" and one["name"] not in _OF_EVERY_LIST
        }
        for path, ways in document["paths"].items()
        if "updated_since" in str(ways.get("get"))
    }


async def find_nothing(client: OrganisationClient, path: str, filters: Mapping[str, str]) -> None:
    """Ask a list below `/v1` by each filter and by all; raises AssertionError where one is not taken or finds some."""
    for name, value in filters.items():
        params: dict[str, Any] = {name: value}
        if (await client.get(path, **params))["items"]:
            raise AssertionError(f"{path} finds some whose {name} is {value}")
    every: dict[str, Any] = {**filters, "count": "true"}
    if (await client.get(path, **every))["count"]:
        raise AssertionError(f"{path} counts some by all its filters")


def _value_of(schema: Mapping[str, Any]) -> str:
    one = schema.get("items", schema)
    said: str = one["enum"][0] if "enum" in one else _OF_FORMAT.get(one.get("format"), _OF_TYPE[one["type"]])
    return said
