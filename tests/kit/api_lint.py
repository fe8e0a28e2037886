"""What an API document of ours must be like, as pure functions: each gives a sentence for every place at fault."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from jsonschema_rs import Draft202012Validator

Document = dict[str, Any]
Findings = Iterator[str]
METHODS = ("get", "put", "post", "patch", "delete")
PROBLEM_JSON = "application/problem+json"
_SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_SEGMENT = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*(:[a-z]+)?|\{[a-z][a-z0-9_]*\}|\.well-known")
_MADE_UP = frozenset({"Successful Response", "Validation Error"})
_UNITS = ("_seconds", "_minutes", "_days", "_percent", "version", "count", "index", "status", "position", "_positions")
_CURE = f"give it a docstring in this model, or a name that ends in one of {', '.join(_UNITS)}"
_BOUNDED_FORMATS = frozenset({"uuid", "date", "date-time"})
# What a client is told beside a refusal, so that it can do something about it.
_HEADERS = {
    "401": frozenset({"WWW-Authenticate"}),
    "412": frozenset({"ETag"}),
    "429": frozenset({"RateLimit", "RateLimit-Policy", "Retry-After"}),
    "503": frozenset({"Retry-After"}),
}
# Fields that are there only where they were asked for or mean something.
_SOMETIMES = frozenset(
    {
        ("count", "Page"),
        ("problem", "ItemResult"),
        ("tasks", "EarnedValue"),
        ("tasks", "EarnedValuePoint"),
        ("aggregateversion", "LoggedEvent"),
        ("correlationid", "LoggedEvent"),
        ("causationid", "LoggedEvent"),
        ("traceparent", "LoggedEvent"),
    }
)


@dataclass(frozen=True)
class Operation:
    """One operation of a document, and where it is."""

    path: str
    method: str
    told: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def parameters(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.told.get("parameters", [])
        return found

    @property
    def is_secured(self) -> bool:
        return bool(self.told.get("security"))

    def body(self) -> dict[str, Any] | None:
        """Return the schema of the JSON body it takes."""
        content = self.told.get("requestBody", {}).get("content", {})
        found: dict[str, Any] | None = content.get("application/json", {}).get("schema")
        return found


def operations(document: Document) -> Iterator[Operation]:
    """Give every operation."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield Operation(path, method, item[method])


def resolved(document: Document, part: Any) -> Any:
    """Follow a reference within the document."""
    while isinstance(part, dict) and "$ref" in part:
        reference: str = part["$ref"]
        part = document
        for piece in reference.removeprefix("#/").split("/"):
            part = part[piece.replace("~1", "/").replace("~0", "~")]
    return part


def schemas_within(schema: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Give a schema and those inside it, without following references, each with where it is."""
    if not isinstance(schema, dict):
        return
    yield place, schema
    for key in ("properties", "patternProperties", "$defs"):
        for name, inner in schema.get(key, {}).items():
            yield from schemas_within(inner, f"{place}.{name}")
    for key in ("items", "additionalProperties", "propertyNames", "not"):
        yield from schemas_within(schema.get(key), f"{place}[]" if key == "items" else place)
    for key in ("anyOf", "oneOf", "allOf", "prefixItems"):
        for inner in schema.get(key, ()):
            yield from schemas_within(inner, place)


def all_schemas(document: Document) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give every schema: the named ones, those of parameters, bodies and answers, and those inside them."""
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        yield from schemas_within(schema, name)
    for operation in operations(document):
        for parameter in operation.parameters:
            yield from schemas_within(parameter["schema"], f"{operation} {parameter['name']}")
        for where, part in (("body", operation.told.get("requestBody", {})), *_answers(document, operation)):
            for content in part.get("content", {}).values():
                yield from schemas_within(content.get("schema"), f"{operation} {where}")


def reached(document: Document, *, answers: bool) -> set[str]:
    """Return the names of the schemas that answers show, or else those that bodies send."""
    waiting: list[Any] = []
    for operation in operations(document):
        if answers:
            waiting += [part.get("content", {}) for _, part in _answers(document, operation)]
        else:
            waiting.append(operation.told.get("requestBody", {}))
    found: set[str] = set()
    while waiting:
        for name in _references(waiting.pop()):
            if name not in found:
                found.add(name)
                waiting.append(document["components"]["schemas"][name])
    return found


def names_operations(document: Document) -> Findings:
    """Operation ids are snake_case and no two are the same."""
    names = [operation.told.get("operationId", "") for operation in operations(document)]
    yield from (f"{name or 'an operation without id'} is no snake_case" for name in names if not _SNAKE.fullmatch(name))
    yield from (f"{name} names {count} operations" for name, count in Counter(names).items() if count > 1)


def describes_everything(document: Document) -> Findings:
    """Operations, parameters, answers and named schemas are described, by sentences and not by machines."""
    for operation in operations(document):
        yield from _undescribed(document, operation)
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        if "enum" not in schema and not schema.get("description"):
            yield f"{name} is not described"


def _undescribed(document: Document, operation: Operation) -> Findings:
    for member in ("summary", "description"):
        if not operation.told.get(member):
            yield f"{operation} has no {member}"
    if not str(operation.told.get("description", "")).rstrip().endswith("."):
        yield f"{operation} is described by no sentence"
    for parameter in operation.parameters:
        if not parameter.get("description"):
            yield f"{operation} does not describe {parameter['name']}"
    for status, answer in _answers(document, operation):
        if answer.get("description", "") in {"", *_MADE_UP}:
            yield f"{operation} does not describe its {status}"


def says_units(document: Document) -> Findings:
    """A number, or a decimal as text, says its unit by its name or is described."""
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        for field, inner in schema.get("properties", {}).items():
            kinds = inner.get("type")
            is_number = not {"integer", "number"}.isdisjoint([kinds] if isinstance(kinds, str) else kinds or [])
            if is_number and not field.endswith(_UNITS) and not inner.get("description"):
                yield f"{name}.{field} does not say its unit: {_CURE}"


def has_no_noise(document: Document) -> Findings:
    """No generated titles, one way to say null, and examples as JSON Schema writes them."""
    for place, schema in all_schemas(document):
        for noise in ("title", "nullable", "example"):
            if isinstance(schema.get(noise), str | bool | dict) and noise in schema:
                yield f"{place} has {noise}"
        choices = schema.get("anyOf", ())
        others = [choice for choice in choices if choice != {"type": "null"}]
        if len(others) == 1 and len(choices) == 2 and isinstance(others[0].get("type"), str):
            yield f"{place} says null by anyOf"
    used = set(_references(document["paths"])) | set(_references(document.get("components", {})))
    yield from (f"{name} is used nowhere" for name in document.get("components", {}).get("schemas", {}).keys() - used)


def parts_sent_from_shown(document: Document) -> Findings:
    """What is shown always has every field; only what reads the same both ways is both sent and shown."""
    schemas = document.get("components", {}).get("schemas", {})
    shown, sent = reached(document, answers=True), reached(document, answers=False)
    for name in sorted(shown - {"Problem"}):
        for field in schemas[name].get("properties", {}).keys() - set(schemas[name].get("required", ())):
            if not any(field == known and name.endswith(ending) for known, ending in _SOMETIMES):
                yield f"{name}.{field} is not always shown"
    for name in sorted(shown - sent):
        if schemas[name].get("additionalProperties") is False:
            yield f"{name} is shown and can never grow"
    for name in sorted(sent):
        if schemas[name].get("type") == "object" and schemas[name].get("additionalProperties") is not False:
            yield f"{name} is sent and takes fields nobody knows"


def shows_what_is_answered(document: Document) -> Findings:
    """Every answer that is no refusal and has a body says what is in it."""
    for operation in operations(document):
        for status, answer in _answers(document, operation):
            if status in {"200", "201"} and not any(one.get("schema") for one in answer.get("content", {}).values()):
                yield f"{operation} does not say what its {status} holds"


def bounds_what_is_sent(document: Document) -> Findings:
    """Every text and list of a body is bounded."""
    schemas = document.get("components", {}).get("schemas", {})
    for name in sorted(reached(document, answers=False)):
        for place, schema in schemas_within(schemas[name], name):
            kinds = schema.get("type", ())
            if "string" in ([kinds] if isinstance(kinds, str) else kinds) and not _is_bounded(schema):
                yield f"{place} may be of any length"
            if kinds == "array" and "maxItems" not in schema:
                yield f"{place} may hold any number"


def _is_bounded(schema: dict[str, Any]) -> bool:
    if "maxLength" in schema or "enum" in schema or "const" in schema:
        return True
    is_closed = re.fullmatch(r"\^[^*+]*\$", schema.get("pattern", "")) is not None
    return schema.get("format") in _BOUNDED_FORMATS or (is_closed and ",}" not in schema["pattern"])


def documents_refusals(document: Document) -> Findings:
    """Each operation documents the refusals that follow from what it declares, as problem documents with headers."""
    for operation in operations(document):
        answers = dict(_answers(document, operation))
        for status in sorted(_expected(operation) - answers.keys()):
            yield f"{operation} does not document {status}"
        for status, answer in answers.items():
            for header in sorted(_HEADERS.get(status, frozenset()) - answer.get("headers", {}).keys()):
                yield f"{operation} does not document {header} of its {status}"
            if status >= "400" and answer.get("content", {}).keys() != {PROBLEM_JSON}:
                yield f"{operation} answers {status} with no problem document"


def _expected(operation: Operation) -> set[str]:
    expected = {"422", "500", "503"}
    headers = {one["name"]: one["required"] for one in operation.parameters if one["in"] == "header"}
    if operation.is_secured:
        expected |= {"401", "403", "429"}
        if operation.method == "post":
            expected |= {"409"}
    if any(parameter["in"] == "query" for parameter in operation.parameters):
        expected |= {"400"}
    if "requestBody" in operation.told:
        expected |= {"400", "413", "415"}
    if "{" in operation.path:
        expected |= {"404"}
    if "If-Match" in headers:
        expected |= {"400", "412"}
        if headers["If-Match"]:
            expected |= {"428"}
    return expected


def reads_alike(document: Document) -> Findings:
    """Paths are kebab-case, fields and parameters snake_case, and every operation has one tag and says who may."""
    for path in document["paths"]:
        if not all(_SEGMENT.fullmatch(piece) for piece in path.strip("/").split("/")):
            yield f"{path} is no kebab-case"
    for operation in operations(document):
        if len(operation.told.get("tags", ())) != 1:
            yield f"{operation} has not one tag"
        if "security" not in operation.told:
            yield f"{operation} does not say who may"
        for parameter in operation.parameters:
            if parameter["in"] != "header" and not _SNAKE.fullmatch(parameter["name"]):
                yield f"{operation} takes {parameter['name']}"
    for place, schema in all_schemas(document):
        yield from (f"{place}.{name} is no snake_case" for name in schema.get("properties", {}) if not _is_snake(name))


def _is_snake(name: str) -> bool:
    return _SNAKE.fullmatch(name) is not None


def shows_examples(document: Document) -> Findings:
    """Every body has an example, and every example anywhere is what its schema says."""
    for operation in operations(document):
        body = operation.body()
        if body is not None and not examples_of(document, body):
            yield f"{operation} shows no example of its body (`model_config` of what is sent)"
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        for example in schema.get("examples", ()):
            errors = validator_of(document, {"$ref": f"#/components/schemas/{name}"}).iter_errors(example)
            yield from (f"an example of {name}: {error.message}" for error in errors)


def examples_of(document: Document, schema: dict[str, Any]) -> list[Any]:
    """Return the examples of a schema; of one that may be left out or be null, those of the other choice."""
    whole = resolved(document, schema)
    found = list(whole.get("examples", ()))
    for choice in whole.get("anyOf", ()):
        found += examples_of(document, choice)
    return found


def validator_of(document: Document, schema: dict[str, Any]) -> Draft202012Validator:
    """Return what judges a value by a schema of the document, formats included."""
    whole = {**schema, "components": {"schemas": document.get("components", {}).get("schemas", {})}}
    return Draft202012Validator(whole, validate_formats=True)


def _answers(document: Document, operation: Operation) -> Iterator[tuple[str, dict[str, Any]]]:
    for status, answer in operation.told.get("responses", {}).items():
        yield status, resolved(document, answer)


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        reference = part.get("$ref")
        if isinstance(reference, str) and reference.startswith("#/components/schemas/"):
            yield reference.rpartition("/")[2]
        for value in part.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)


RULES: tuple[Callable[[Document], Findings], ...] = (
    names_operations,
    describes_everything,
    says_units,
    has_no_noise,
    parts_sent_from_shown,
    shows_what_is_answered,
    bounds_what_is_sent,
    documents_refusals,
    reads_alike,
    shows_examples,
)
