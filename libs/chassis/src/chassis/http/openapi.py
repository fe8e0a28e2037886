"""The OpenAPI 3.1 document of a service: FastAPI's, without its noise and with what routes ask for by dependencies."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from chassis.http.problems import PROBLEM_JSON, problems

_METHODS = ("get", "put", "post", "patch", "delete")
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
    },
}
_HEADERS = {
    "ETag": {"description": "The version, for If-Match.", "schema": _TEXT},
    "Event-Id": {
        "description": "The last event this wrote, for After-Event.",
        "schema": {"type": "string", "format": "uuid"},
    },
    "Idempotency-Replayed": {
        "description": "`true` if this is the answer to an earlier request.",
        "schema": _TEXT,
    },
    "Location": {"description": "Where the new resource is.", "schema": {"type": "string", "format": "uri-reference"}},
    "Link": {"description": 'The next page, `rel="next"`.', "schema": _TEXT},
}


def build(routes: Sequence[APIRoute], *, title: str, version: str, description: str) -> dict[str, Any]:
    """Return the document of these routes."""
    document = _named(
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
    components["schemas"] = {name: _schema(schemas[name]) for name in sorted(schemas)} | {"Problem": _PROBLEM}
    components["responses"] = {f"Problem{status}": told for status, told in problems(*_statuses(document)).items()}
    components["headers"] = _HEADERS
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    document["paths"] = {path: document["paths"][path] for path in sorted(document["paths"])}
    return document


def dump(document: dict[str, Any]) -> str:
    """Write a document for a file that is compared from commit to commit."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _named(document: dict[str, Any]) -> dict[str, Any]:
    """Call the schemas of generic models (`PageOf_Incident_`) by the models' own names (`IncidentPage`)."""
    schemas: dict[str, Any] = document.get("components", {}).get("schemas", {})
    text = json.dumps(document)
    for name, schema in schemas.items():
        if name.endswith("_") and schema.get("title", "").isidentifier():
            text = text.replace(f'"#/components/schemas/{name}"', f'"#/components/schemas/{schema["title"]}"')
            text = text.replace(f'"{name}": {{', f'"{schema["title"]}": {{')
    named: dict[str, Any] = json.loads(text)
    return named


def _complete(operation: dict[str, Any], route: APIRoute, method: str) -> None:
    """Add to an operation what FastAPI does not know of it, and take away what it made up."""
    _describe_request(operation, route, method)
    responses: dict[str, Any] = operation["responses"]
    if not _is_problem(responses.get("422", {})):
        responses.pop("422", None)
    for response in responses.values():
        _clean_content(response)
    refusals = {status for status, response in responses.items() if _is_problem(response)}
    for status in refusals.union(_implied(operation, route, method)):
        responses[status] = {"$ref": f"#/components/responses/Problem{status}"}
    for status in ("200", "201"):
        if status in responses:
            _add_headers(responses[status], operation, status, method)
    operation["responses"] = {status: responses[status] for status in sorted(responses)}


def _describe_request(operation: dict[str, Any], route: APIRoute, method: str) -> None:
    operation["security"] = []
    for call in _calls(route.dependant):
        describe = getattr(call, "describe", None)
        if describe is not None:
            describe(operation, method)
    for parameter in operation.get("parameters", ()):
        schema = _not_null(_schema(parameter["schema"]))
        parameter["schema"] = {name: value for name, value in schema.items() if name != "description"}
    _clean_content(operation.get("requestBody", {}))


def _clean_content(part: dict[str, Any]) -> None:
    for content in part.get("content", {}).values():
        if "schema" in content:
            content["schema"] = _schema(content["schema"])


def _is_problem(response: dict[str, Any]) -> bool:
    return PROBLEM_JSON in response.get("content", {})


def _implied(operation: dict[str, Any], route: APIRoute, method: str) -> Iterator[str]:
    """Tell the refusals that follow from what an operation declares."""
    yield from ("500", "503")
    yield from operation.pop("x-conditions", ())
    if operation["security"]:
        yield from ("401", "403", "429")
        if method == "post":
            yield from ("400", "409")
    if "requestBody" in operation:
        yield from ("400", "413", "415")
    if any(parameter["in"] == "header" for parameter in operation.get("parameters", ())):
        yield "400"
    yield "422"
    if "{" in route.path_format:
        yield "404"


def _add_headers(response: dict[str, Any], operation: dict[str, Any], status: str, method: str) -> None:
    names: list[str] = []
    if method == "get":
        is_list = any(parameter["name"] == "after" for parameter in operation.get("parameters", ()))
        names = ["Link"] if is_list else ["ETag"]
    elif operation["security"]:
        names = ["ETag", "Event-Id"]
        if method == "post":
            names.append("Idempotency-Replayed")
    if status == "201":
        names.append("Location")
    for name in names:
        response.setdefault("headers", {}).setdefault(name, {"$ref": f"#/components/headers/{name}"})


def _calls(dependant: Dependant) -> Iterator[Any]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from _calls(inner)


def _statuses(document: dict[str, Any]) -> list[int]:
    found = {
        int(status)
        for path in document["paths"].values()
        for method, operation in path.items()
        if method in _METHODS
        for status, response in operation["responses"].items()
        if "$ref" in response
    }
    return sorted(found)


def _schema(schema: Any) -> Any:
    """Return a schema without generated titles, its simple nullable types as lists."""
    if not isinstance(schema, dict):
        return schema
    clean = {name: _inside(name, value) for name, value in schema.items() if name != "title"}
    choices = clean.get("anyOf")
    if choices and {"type": "null"} in choices and len(choices) == 2:  # noqa: PLR2004  (one type, or null)
        other = next(choice for choice in choices if choice != {"type": "null"})
        if isinstance(other.get("type"), str):
            clean.pop("anyOf")
            clean = {**other, **clean, "type": [other["type"], "null"]}
            if "enum" in clean:
                clean["enum"] = [*clean["enum"], None]
            if "const" in clean:
                clean["enum"] = [clean.pop("const"), None]
    return clean


def _inside(name: str, value: Any) -> Any:
    if name in {"properties", "$defs", "patternProperties"}:
        return {key: _schema(inner) for key, inner in value.items()}
    if name in {"items", "additionalProperties", "propertyNames", "not", "contains"}:
        return _schema(value)
    if name in {"anyOf", "allOf", "oneOf", "prefixItems"}:
        return [_schema(inner) for inner in value]
    return value


def _not_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter, which is left out rather than null."""
    kinds = schema.get("type")
    if isinstance(kinds, list):
        schema = {**schema, "type": next(kind for kind in kinds if kind != "null")}
        if "enum" in schema:
            schema["enum"] = [value for value in schema["enum"] if value is not None]
    if "anyOf" in schema:
        others = [choice for choice in schema["anyOf"] if choice != {"type": "null"}]
        if len(others) == 1:
            schema = {**{name: value for name, value in schema.items() if name != "anyOf"}, **others[0]}
        else:
            schema = {**schema, "anyOf": others}
    return schema
