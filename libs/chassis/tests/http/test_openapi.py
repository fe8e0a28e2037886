import json
from typing import Any

import httpx
import pytest
from openapi_spec_validator import validate

from chassis.http.app import Api, create_api
from chassis.http.openapi import dump
from chassis.http.routes import Router
from chassis.settings import ServiceSettings


@pytest.fixture
def document(api: Api) -> dict[str, Any]:
    return api.openapi()


def test_it_is_valid_and_stable(document: dict[str, Any], api: Api) -> None:
    validate(document)
    assert dump(document) == dump(api.openapi())


async def test_it_is_served(client: httpx.AsyncClient, document: dict[str, Any]) -> None:
    response = await client.get("/openapi.json")
    assert response.headers["content-type"] == "application/json"
    assert response.json() == document


def test_operations_are_called_after_their_functions(document: dict[str, Any]) -> None:
    names = {operation["operationId"] for path in document["paths"].values() for operation in path.values()}
    assert {"create_thing", "list_things", "get_thing", "change_thing", "put_thing"} <= names


def test_two_operations_of_one_name_are_refused(settings: ServiceSettings) -> None:
    def routes(prefix: str) -> Router:
        router = Router(prefix)

        @router.get("")
        async def same() -> None: ...

        return router

    with pytest.raises(ValueError, match="same"):
        create_api(settings, title="Twice", routers=[routes("/a"), routes("/b")])


def test_nothing_is_made_up(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    expected = {"Thing", "ThingCreate", "ThingPatch", "ThingPage", "Money", "Part", "PartInput", "Problem"}
    assert expected == schemas.keys()
    for schema in (*schemas.values(), *schemas["Thing"]["properties"].values()):
        assert "title" not in schema
    assert "HTTPValidationError" not in json.dumps(document)


def test_what_is_shown_is_always_there(document: dict[str, Any]) -> None:
    thing = document["components"]["schemas"]["Thing"]
    assert set(thing["required"]) == thing["properties"].keys()
    assert set(document["components"]["schemas"]["ThingPage"]["required"]) == {"items", "next"}


def test_null_is_a_type_among_others(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["Thing"]["properties"]["external_id"] == {"type": ["string", "null"]}
    assert schemas["Thing"]["properties"]["color"] == {"type": ["string", "null"], "enum": ["red", "blue", None]}
    assert schemas["ThingPatch"]["properties"]["name"]["type"] == "string"
    assert "required" not in schemas["ThingPatch"]


def test_query_parameters_are_never_null(document: dict[str, Any]) -> None:
    parameters = document["paths"]["/v1/things"]["get"]["parameters"]
    assert {parameter["name"] for parameter in parameters} == {
        *("limit", "after", "sort", "updated_since", "empty", "q", "fields", "count", "color", "state")
    }
    assert "null" not in json.dumps(parameters)


def test_scopes_and_headers_are_documented(document: dict[str, Any]) -> None:
    paths = document["paths"]
    create, change = paths["/v1/things"]["post"], paths["/v1/things/{thing_id}"]["patch"]
    assert create["security"] == [{"bearer": ["things:write"]}]
    assert paths["/v1/answers/{token}"]["get"]["security"] == []
    assert [parameter["name"] for parameter in create["parameters"]] == ["Idempotency-Key"]
    assert {parameter["name"]: parameter["required"] for parameter in change["parameters"]} == {
        "thing_id": True,
        "If-Match": True,
    }
    assert create["responses"]["201"]["headers"].keys() == {
        "ETag",
        "Event-Id",
        "Idempotency-Replayed",
        "Location",
        "X-Request-Id",
    }


def test_what_nobody_wrote_down_is_said(document: dict[str, Any]) -> None:
    one = document["paths"]["/v1/things/{thing_id}"]["get"]
    assert one["parameters"][0]["description"] == "The id of the thing."
    created = document["paths"]["/v1/things"]["post"]
    assert (created["summary"], created["responses"]["201"]["description"]) == ("Create a thing", "What was created.")
    listed = {parameter["name"]: parameter for parameter in document["paths"]["/v1/things"]["get"]["parameters"]}
    assert listed["color"]["description"] == "Only those with this `color`."
    assert listed["state"]["description"] == "Only those with one of these as `state`."


def test_one_resource_may_be_the_version_a_client_has(document: dict[str, Any]) -> None:
    one = document["paths"]["/v1/things/{thing_id}"]["get"]
    assert [parameter["name"] for parameter in one["parameters"]] == ["thing_id", "If-None-Match"]
    assert one["responses"]["304"]["headers"].keys() == {"ETag", "X-Request-Id"}
    assert "400" not in one["responses"]
    assert "304" not in document["paths"]["/v1/things"]["get"]["responses"]


def test_a_put_that_may_create_says_so(document: dict[str, Any]) -> None:
    put = document["paths"]["/v1/things/by-key/{key}"]["put"]["responses"]
    assert put["200"]["content"] == put["201"]["content"]
    assert "Location" in put["201"]["headers"]
    assert "Location" not in put["200"]["headers"]


def test_what_is_sent_is_closed_and_what_is_shown_is_open(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["ThingCreate"]["additionalProperties"] is False
    assert schemas["PartInput"].keys() >= {"additionalProperties"}
    assert schemas["PartInput"]["required"] == ["name"]
    assert "additionalProperties" not in schemas["Part"]
    assert schemas["Part"]["required"] == ["name", "note"]


def test_refusals_are_documented(document: dict[str, Any]) -> None:
    paths = document["paths"]
    change = paths["/v1/things/{thing_id}"]["patch"]["responses"]
    refusals = {"400", "401", "403", "404", "412", "413", "415", "422", "428", "429", "500", "503"}
    assert change.keys() == {"200", *refusals}
    for status in refusals:
        assert change[status] == {"$ref": f"#/components/responses/Problem{status}"}
        content = document["components"]["responses"][f"Problem{status}"]["content"]
        assert content.keys() == {"application/problem+json"}
    assert "409" in paths["/v1/things"]["post"]["responses"]
    assert "401" not in paths["/v1/answers/{token}"]["get"]["responses"]
