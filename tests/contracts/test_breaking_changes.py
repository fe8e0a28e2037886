import copy
import json
from pathlib import Path
from typing import Any

import pytest
from api_documents import SERVED
from breaking_changes import breaking_changes

from chassis.http.openapi import dump

Document = dict[str, Any]
DOCUMENTS = Path(__file__).parents[2] / "docs" / "openapi"
RELEASED = DOCUMENTS / "released"

BEFORE: Document = {
    "paths": {
        "/v1/things": {
            "get": {
                "operationId": "list_things",
                "security": [{"bearer": ["things:read"]}],
                "parameters": [
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 200}},
                    {"name": "color", "in": "query", "schema": {"type": "string", "enum": ["red", "blue"]}},
                ],
                "responses": {
                    "200": {
                        "headers": {"Link": {}},
                        "content": {
                            "application/json": {
                                "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}
                            }
                        },
                    },
                    "404": {"$ref": "#/components/responses/Problem404"},
                },
            },
            "post": {
                "operationId": "create_thing",
                "security": [{"bearer": ["things:write"]}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/NewThing"}}}},
                "responses": {"201": {"content": {"application/json": {"schema": {}}}}},
            },
        }
    },
    "components": {
        "responses": {"Problem404": {"content": {"application/problem+json": {}}}},
        "schemas": {
            "Thing": {
                "type": "object",
                "required": ["id", "color", "price"],
                "properties": {
                    "id": {"type": "string", "format": "uuid"},
                    "color": {"type": "string", "enum": ["red", "blue"]},
                    "price": {"type": ["string", "null"]},
                    "parent": {"anyOf": [{"$ref": "#/components/schemas/Thing"}, {"type": "null"}]},
                },
            },
            "NewThing": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "maxLength": 200},
                    "color": {"type": ["string", "null"], "enum": ["red", "blue", None]},
                    "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 5},
                    "due": {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]},
                },
            },
        },
    },
}
LIST = "paths /v1/things get"
CREATE = "paths /v1/things post"
THING = "components schemas Thing properties"
NEW = "components schemas NewThing properties"

BREAKING: list[tuple[str, Any, str]] = [
    ("paths /v1/things", None, "/v1/things is gone"),
    (LIST, None, "GET /v1/things is gone"),
    (f"{LIST} operationId", "all_things", "is called all_things and was list_things"),
    (f"{LIST} security", [{"bearer": ["things:read", "more"]}], "needs the scope more"),
    (f"{LIST} parameters 0", None, "the query parameter limit is gone"),
    (f"{LIST} parameters 0 required", True, "limit must be sent now"),
    (f"{LIST} parameters 2", {"name": "x", "in": "query", "required": True}, "parameter x must be sent"),
    (f"{LIST} parameters 0 schema maximum", 100, "limit has maximum 100 now"),
    (f"{LIST} parameters 0 schema type", "string", "limit takes only string now"),
    (f"{LIST} parameters 1 schema enum", ["red"], "color takes no blue any more"),
    (f"{LIST} responses 200", None, "does not answer 200 any more"),
    (f"{LIST} responses 202", {"content": {}}, "may answer 202 now"),
    (f"{LIST} responses 200 headers Link", None, "200 has no Link any more"),
    (f"{LIST} responses 200 content application/json", None, "application/json is gone"),
    (f"{CREATE} requestBody", None, "no body is taken any more"),
    (f"{CREATE} requestBody required", True, "a body must be sent now"),
    (f"{LIST} requestBody", {"required": True}, "a body must be sent now"),
    (f"{THING} price", None, "[].price is gone"),
    ("components schemas Thing required", ["id", "price"], "[].color is not always there any more"),
    (f"{THING} color enum", ["red", "blue", "green"], "[].color may be green now"),
    (f"{THING} color enum", None, "[].color may be any value now"),
    (f"{THING} price type", ["string", "null", "integer"], "[].price may be integer or null or string now"),
    (f"{THING} id format", None, "[].id has the format None now, and had uuid"),
    (f"{THING} parent anyOf", [{"type": "string"}, {"type": "null"}], "[].parent may be string now"),
    (f"{THING} parent anyOf", None, "[].parent is told in another way"),
    ("components schemas NewThing required", ["name", "color"], "body.color must be sent now"),
    (f"{NEW} color", None, "body.color is gone"),
    (f"{NEW} color type", "string", "body.color takes only string now"),
    (f"{NEW} color enum", ["red", None], "body.color takes no blue any more"),
    (f"{NEW} name enum", ["ada"], "body.name takes only some values now"),
    (f"{NEW} name maxLength", 100, "body.name has maxLength 100 now"),
    (f"{NEW} name minLength", 2, "body.name has minLength 2 now"),
    (f"{NEW} name pattern", "^x$", "body.name has the pattern ^x$ now"),
    (f"{NEW} name format", "uuid", "body.name has the format uuid now"),
    (f"{NEW} tags items type", "integer", "body.tags[] takes only integer now"),
    (f"{NEW} tags items maxLength", 3, "body.tags[] has maxLength 3 now"),
    (f"{NEW} due anyOf", [{"type": "string", "format": "date"}], "body.due takes no string date-time any more"),
]
HARMLESS: list[tuple[str, Any]] = [
    ("paths /v1/others", {}),
    ("paths /v1/things delete", {"operationId": "delete_things", "responses": {}}),
    (f"{LIST} description", "Lists things."),
    (f"{LIST} security", []),
    (f"{LIST} parameters 2", {"name": "x", "in": "query", "schema": {}}),
    (f"{LIST} parameters 0 schema maximum", 500),
    (f"{LIST} parameters 1 schema enum", ["red", "blue", "green"]),
    (f"{LIST} responses 409", {"$ref": "#/components/responses/Problem404"}),
    (f"{THING} size", {"type": "integer"}),
    (f"{THING} color enum", ["red"]),
    (f"{THING} price type", "string"),
    (f"{NEW} size", {"type": "integer"}),
    ("components schemas NewThing required", []),
    (f"{NEW} name maxLength", None),
    (f"{NEW} color enum", None),
    (f"{NEW} name type", ["string", "null"]),
]


def changed(place: str, value: Any) -> Document:
    """Return the document with something else, or nothing, in a place."""
    document = copy.deepcopy(BEFORE)
    *pieces, last = place.split(" ")
    part: Any = document
    for piece in pieces:
        part = part[int(piece) if isinstance(part, list) else piece]
    if isinstance(part, list):
        part[int(last) : int(last) + 1] = [] if value is None else [value]
    elif value is None:
        del part[last]
    else:
        part[last] = value
    return document


@pytest.mark.parametrize(("place", "value", "said"), BREAKING, ids=[said for *_, said in BREAKING])
def test_what_breaks_a_client_is_seen(place: str, value: Any, said: str) -> None:
    findings = list(breaking_changes(BEFORE, changed(place, value)))
    assert any(said in finding for finding in findings), findings


@pytest.mark.parametrize(("place", "value"), HARMLESS, ids=[place for place, _ in HARMLESS])
def test_what_breaks_no_client_is_let_through(place: str, value: Any) -> None:
    assert list(breaking_changes(BEFORE, changed(place, value))) == []


def test_a_token_that_was_not_needed_breaks_a_client() -> None:
    assert "needs a token" in " ".join(breaking_changes(changed(f"{LIST} security", []), BEFORE))


@pytest.mark.parametrize("service", SERVED)
def test_what_is_committed_is_what_is_served(service: str, every_document: dict[str, Document]) -> None:
    committed = (DOCUMENTS / f"{service}.json").read_text(encoding="utf-8")
    assert committed == dump(every_document[service]), (
        "the API has changed: run `make openapi` and commit what it writes"
    )


@pytest.mark.parametrize("service", SERVED)
def test_what_was_released_still_holds(service: str, every_document: dict[str, Document]) -> None:
    released = json.loads((RELEASED / f"{service}.json").read_text(encoding="utf-8"))
    assert list(breaking_changes(released, every_document[service])) == []
