"""The schemas of an OpenAPI document as a reader wants them: no generated titles, one way to say null."""

import json
from collections.abc import Iterator
from typing import Any

_METHODS = ("get", "put", "post", "patch", "delete")
_NAMED = frozenset({"properties", "$defs", "patternProperties"})
_SINGLE = frozenset({"items", "additionalProperties", "propertyNames", "not", "contains"})
_SEVERAL = frozenset({"anyOf", "allOf", "oneOf", "prefixItems"})
REFERENCE = "#/components/schemas/"


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give every operation of a document."""
    for item in document["paths"].values():
        for method in _METHODS:
            if method in item:
                yield item[method]


def renamed(document: dict[str, Any]) -> dict[str, Any]:
    """Call the schemas of generic models (`PageOf_Incident_`) by the models' own names (`IncidentPage`).

    What is both sent and shown and differs (`Holiday-Input`, `Holiday-Output`) reads `HolidayInput` and `Holiday`.
    """
    schemas: dict[str, Any] = document.get("components", {}).get("schemas", {})
    names = {name: _plain_name(name, schema) for name, schema in schemas.items()}
    text = json.dumps(document)
    for name, plain in names.items():
        if name != plain:
            text = text.replace(f'"{REFERENCE}{name}"', f'"{REFERENCE}{plain}"')
            text = text.replace(f'"{name}": {{', f'"{plain}": {{')
    found: dict[str, Any] = json.loads(text)
    return found


def _plain_name(name: str, schema: dict[str, Any]) -> str:
    if name.endswith("-Input"):
        return name.removesuffix("-Input") + "Input"
    if name.endswith("-Output"):
        return name.removesuffix("-Output")
    title = schema.get("title", "")
    return title if name.endswith("_") and title.isidentifier() else name


def cleaned(schema: Any) -> Any:
    """Return a schema without generated titles, its simple nullable types as lists, its example as JSON Schema's."""
    if not isinstance(schema, dict):
        return schema
    clean = {name: _inside(name, value) for name, value in schema.items() if name != "title"}
    if "example" in clean:
        clean["examples"] = [clean.pop("example")]
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
    if name in _NAMED:
        return {key: cleaned(inner) for key, inner in value.items()}
    if name in _SINGLE:
        return cleaned(value)
    if name in _SEVERAL:
        return [cleaned(inner) for inner in value]
    return value


def not_null(schema: dict[str, Any]) -> dict[str, Any]:
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


def open_what_is_shown(document: dict[str, Any]) -> None:
    """Let schemas that are only shown grow: they forbid no further fields and have no defaults."""
    schemas = document["components"]["schemas"]
    sent = _reached(schemas, [operation.get("requestBody", {}) for operation in operations(document)])
    for name, schema in schemas.items():
        if name not in sent:
            if schema.get("additionalProperties") is False:
                del schema["additionalProperties"]
            for field in schema.get("properties", {}).values():
                field.pop("default", None)


def _reached(schemas: dict[str, Any], parts: list[Any]) -> set[str]:
    reached: set[str] = set()
    waiting = list(parts)
    while waiting:
        for name in _references(waiting.pop()):
            if name not in reached:
                reached.add(name)
                waiting.append(schemas[name])
    return reached


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        reference = part.get("$ref")
        if isinstance(reference, str) and reference.startswith(REFERENCE):
            yield reference.removeprefix(REFERENCE)
        for value in part.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)
