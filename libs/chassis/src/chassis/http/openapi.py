"""The OpenAPI 3.1 document of a service: FastAPI's, without its noise and with what routes ask for by dependencies."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from chassis.http.openapi_schemas import cleaned, not_null, open_what_is_shown, operations, renamed
from chassis.http.openapi_wording import describe
from chassis.http.problems import PROBLEM_JSON, problems
from chassis.http.routes import JSON, MERGE_PATCH
from chassis.schemas import Versioned

_TEXT = {"type": "string"}
_ENTRY = {"type": "object", "required": ["code", "message"]}
_PROBLEM = {
    "type": "object",
    "description": "A refusal (RFC 9457); a code may bring members of its own.",
    "required": ["type", "title", "status", "code", "trace_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": _TEXT,
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable, kebab-case."},
        "detail": _TEXT,
        "instance": {"type": "string", "format": "uri-reference"},
        "trace_id": {"type": ["string", "null"]},
        "errors": {
            "type": "array",
            "description": "Where the input is wrong: a JSON pointer, or the name of a query parameter.",
            "items": {**_ENTRY, "properties": {"pointer": _TEXT, "code": _TEXT, "message": _TEXT}},
        },
        "unmet_guards": {
            "type": "array",
            "description": "The rules that stand against it.",
            "items": {**_ENTRY, "properties": {"code": _TEXT, "message": _TEXT, "ref": {"type": ["string", "null"]}}},
        },
        "current": {"description": "With 412: the resource as it is now."},
        "available": {
            "type": "array",
            "description": "With `transition-not-allowed`: where one may go from here, and what stands in the way.",
            "items": {
                "type": "object",
                "required": ["to", "unmet_guards"],
                "properties": {"to": _TEXT, "unmet_guards": {"type": "array", "items": {"type": "object"}}},
            },
        },
    },
}
_HEADERS = {
    "ETag": {"description": "The version, for If-Match.", "schema": _TEXT},
    "Event-Id": {
        "description": "The last event this wrote, for After-Event; absent where nothing changed.",
        "schema": {"type": "string", "format": "uuid"},
    },
    "Idempotency-Replayed": {
        "description": "`true` if this is the answer to an earlier request.",
        "schema": _TEXT,
    },
    "Location": {"description": "Where the new resource is.", "schema": {"type": "string", "format": "uri-reference"}},
    "Link": {"description": 'The next page, `rel="next"`; absent on the last.', "schema": _TEXT},
    "RateLimit": {
        "description": 'What is left of a quota (draft-ietf-httpapi-ratelimit-headers): `"name";r=0;t=10` says that'
        " nothing is, for ten seconds.",
        "schema": _TEXT,
    },
    "RateLimit-Policy": {
        "description": 'The quota (draft-ietf-httpapi-ratelimit-headers): `"name";q=20;w=200` allows twenty requests in'
        " 200 seconds.",
        "schema": _TEXT,
    },
    "Retry-After": {"description": "Seconds after which to come back.", "schema": _TEXT},
    "WWW-Authenticate": {"description": "What kind of token is needed (RFC 6750).", "schema": _TEXT},
    "X-Request-Id": {"description": "The id of this request in the logs.", "schema": _TEXT},
}
_REFUSAL_HEADERS = {
    401: ("WWW-Authenticate",),
    403: ("WWW-Authenticate",),
    412: ("ETag",),
    429: ("RateLimit", "RateLimit-Policy", "Retry-After"),
    503: ("Retry-After",),
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETags you have; where one is still current the answer is 304 without a body.",
    "schema": _TEXT,
}


def build(routes: Sequence[APIRoute], *, title: str, version: str, description: str) -> dict[str, Any]:
    """Return the document of these routes."""
    document = renamed(
        get_openapi(
            title=title,
            version=version,
            openapi_version="3.1.0",
            description=description,
            routes=routes,
            servers=[{"url": "/"}],
        )
    )
    for route in routes:
        for method in route.methods or ():
            if route.include_in_schema:
                _complete(document["paths"][route.path_format][method.lower()], route, method.lower())
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    components["schemas"] = {name: cleaned(schemas[name]) for name in sorted(schemas)} | {"Problem": _PROBLEM}
    open_what_is_shown(document)
    components["responses"] = dict(_refusals(document))
    components["headers"] = _HEADERS
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    document["paths"] = {path: document["paths"][path] for path in sorted(document["paths"])}
    return document


def dump(document: dict[str, Any]) -> str:
    """Write a document for a file that is compared from commit to commit."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _complete(operation: dict[str, Any], route: APIRoute, method: str) -> None:
    """Add to an operation what FastAPI does not know of it, and take away what it made up."""
    _describe_request(operation, route, method)
    responses: dict[str, Any] = operation["responses"]
    if not _is_problem(responses.get("422", {})):
        responses.pop("422", None)
    for response in responses.values():
        _clean_content(response)
    if operation.pop("x-creates", False) and "201" not in responses:
        responses["201"] = {**responses["200"], "description": "There was none; it was created."}
    refusals = {status for status, response in responses.items() if _is_problem(response)}
    for status in refusals.union(_implied(operation, route, method)):
        responses[status] = {"$ref": f"#/components/responses/Problem{status}"}
    for status in ("200", "201"):
        if status in responses:
            _add_headers(responses[status], operation, route, status, method)
    if method == "get" and _is_versioned(route):
        told = {"ETag": _header("ETag"), "X-Request-Id": _header("X-Request-Id")}
        responses["304"] = {"description": "It is still the version you have.", "headers": told}
    operation["responses"] = {status: responses[status] for status in sorted(responses)}
    describe(operation, method)


def _describe_request(operation: dict[str, Any], route: APIRoute, method: str) -> None:
    operation["security"] = []
    for call in _calls(route.dependant):
        describe_call = getattr(call, "describe", None)
        if describe_call is not None:
            describe_call(operation, method)
    if method == "get" and _is_versioned(route):
        operation.setdefault("parameters", []).append(_IF_NONE_MATCH)
    for parameter in operation.get("parameters", ()):
        schema = not_null(cleaned(parameter["schema"]))
        parameter["schema"] = {name: value for name, value in schema.items() if name != "description"}
    body = operation.get("requestBody", {})
    _clean_content(body)
    if method == "patch":
        body["content"][MERGE_PATCH] = body["content"][JSON]


def _clean_content(part: dict[str, Any]) -> None:
    for content in part.get("content", {}).values():
        if "schema" in content:
            content["schema"] = cleaned(content["schema"])


def _is_problem(response: dict[str, Any]) -> bool:
    return PROBLEM_JSON in response.get("content", {})


def _is_versioned(route: APIRoute) -> bool:
    """Whether a route shows one resource, which has a version."""
    model = route.response_model
    return isinstance(model, type) and issubclass(model, Versioned)


def _implied(operation: dict[str, Any], route: APIRoute, method: str) -> Iterator[str]:
    """Tell the refusals that follow from what an operation declares."""
    yield from ("422", "500", "503")
    conditions = operation.pop("x-conditions", ())
    if conditions:
        yield "400"
        yield from conditions
    if operation["security"]:
        yield from ("401", "403", "429")
        if method == "post":
            yield from ("400", "409")
    if "requestBody" in operation:
        yield from ("400", "413", "415")
    if any(parameter["in"] == "query" for parameter in operation.get("parameters", ())):
        yield "400"  # a query may be too long
    if "{" in route.path_format:
        yield "404"


def _add_headers(
    response: dict[str, Any], operation: dict[str, Any], route: APIRoute, status: str, method: str
) -> None:
    names: list[str] = []
    if method == "get":
        is_list = any(parameter["name"] == "after" for parameter in operation.get("parameters", ()))
        names = ["Link"] if is_list else ["ETag"] if _is_versioned(route) else []
    elif operation["security"]:
        names = ["ETag", "Event-Id"] if _is_versioned(route) else ["Event-Id"]
    if any(parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", ())):
        names.append("Idempotency-Replayed")
    if status == "201":
        names.append("Location")
    for name in (*names, "X-Request-Id"):
        response.setdefault("headers", {}).setdefault(name, _header(name))


def _header(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/headers/{name}"}


def _calls(dependant: Dependant) -> Iterator[Any]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from _calls(inner)


def _refusals(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give the refusals that some operation names, as components."""
    statuses = {
        int(status)
        for operation in operations(document)
        for status, response in operation["responses"].items()
        if "$ref" in response
    }
    for status, told in problems(*sorted(statuses)).items():
        names = (*_REFUSAL_HEADERS.get(int(status), ()), "X-Request-Id")
        yield f"Problem{status}", {**told, "headers": {name: _header(name) for name in names}}
