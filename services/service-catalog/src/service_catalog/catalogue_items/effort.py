"""How much work it is to hold a form against its schema, counted before the work is done.

Every part of a schema that applies to a value is a step, and so is every character that a pattern is held against.
References are followed wherever they lead; a schema that would take too many steps is never given to the engine. What
telling all faults would take is counted beside: the engine copies the value into each of them.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from chassis.faults import pointer_to
from chassis.rejection import Fault

STEPS_MAX = 20_000
TELLING_MAX = 200_000
DEPTH_MAX = 100
ANYTHING: Any = object()
"""Stands for whatever value there may be: every part of the schema applies to it, once."""
_LISTS = ("allOf", "anyOf", "oneOf")
_SINGLE = ("not", "if", "then", "else")
_BY_NAME = ("dependentSchemas", "dependencies")
_OF_VALUES = ("additionalProperties", "unevaluatedProperties")
_OF_ITEMS = ("items", "contains", "unevaluatedItems")
_DEFINITIONS = ("$defs", "definitions")
_SCHEMAS = frozenset(
    {
        *(*_LISTS, *_SINGLE, *_BY_NAME, *_OF_VALUES, *_OF_ITEMS, *_DEFINITIONS),
        *("properties", "patternProperties", "propertyNames", "prefixItems"),
    }
)
_UNEVALUATED = frozenset({"unevaluatedProperties", "unevaluatedItems"})
_FRAGMENT = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*")  # of a URI (RFC 3986)
_TEXT_OF_ONE = 16
_STEPS_OF_PATTERN = 100
_TIMES_FOR_UNEVALUATED = 3  # the engine judges what is composed again to learn what it has looked at
Place = tuple[object, ...]


class TooMuchWorkError(Exception):
    """Says that a schema takes more steps than it may, or is nested deeper."""


class BadReferenceError(Exception):
    """Says that a schema refers to something it may not refer to."""

    def __init__(self, place: Place, code: str, message: str) -> None:
        super().__init__(message)
        self.fault = Fault(pointer_to(place), code, message)


@dataclass
class Effort:
    """Counts the steps that a schema takes, and refuses those too many."""

    document: Mapping[str, Any]
    steps: int = 0
    telling: int = 0
    _bulks: dict[int, int] = field(default_factory=dict)
    _holder: int = 0  # how large the object is whose names are looked at
    _followed: list[str] = field(default_factory=list)

    def apply(self, schema: Any, value: Any, place: Place = (), depth: int = 0) -> None:
        """Count what a part of the schema takes for a value."""
        if depth > DEPTH_MAX:
            raise TooMuchWorkError
        if not isinstance(schema, dict):
            self._spend(1)
            return
        own = 1 + _weight({name: inner for name, inner in schema.items() if name not in _SCHEMAS})
        self._spend(own)
        self.telling += own * (self._holder + self._bulk(value))
        self._spend(_of_patterns(schema, value))
        for _ in range(1 if _UNEVALUATED.isdisjoint(schema) else _TIMES_FOR_UNEVALUATED):
            for way, inner in _composed(schema):
                self.apply(inner, value, (*place, *way), depth + 1)
        self._follow(schema, value, place, depth)
        for way, inner, part in _parts(schema, value):
            self.apply(inner, part, (*place, *way), depth + 1)
        for way, inner, name in _names(schema, value):
            self._holder = self._bulk(value)  # what is wrong with a name is told with the object it is of
            self.apply(inner, name, (*place, *way), depth + 1)
            self._holder = 0

    def _follow(self, schema: Mapping[str, Any], value: Any, place: Place, depth: int) -> None:
        if "$dynamicRef" in schema:
            message = "A form's schema has no dynamic references."
            raise BadReferenceError((*place, "$dynamicRef"), "reference-unsupported", message)
        if "$id" in schema and place:
            message = "Only the schema as a whole has an id."
            raise BadReferenceError((*place, "$id"), "reference-unsupported", message)
        if "$ref" not in schema:
            return
        reference, here = schema["$ref"], (*place, "$ref")
        if reference in self._followed:
            message = "A form's schema does not contain itself."
            raise BadReferenceError(here, "reference-recursive", message)
        target, way = self._resolved(reference, here)
        self._followed.append(reference)
        self.apply(target, value, way, depth + 1)
        self._followed.pop()

    def _resolved(self, reference: Any, here: Place) -> tuple[Any, Place]:
        if not isinstance(reference, str) or not reference.startswith("#"):
            message = "A form's schema refers to nothing outside itself; what it refers to is written #/…"
            raise BadReferenceError(here, "reference-outside", message)
        if not _FRAGMENT.fullmatch(reference, 1):
            message = "In what a form's schema refers to, what a URI does not hold is written as %XX, in UTF-8."
            raise BadReferenceError(here, "reference-unsupported", message)
        pointer = unquote(reference[1:])
        if pointer and not pointer.startswith("/"):
            message = "What a form's schema refers to is named by its place: #/…"
            raise BadReferenceError(here, "reference-unsupported", message)
        found: Any = self.document
        way = [piece.replace("~1", "/").replace("~0", "~") for piece in pointer.split("/")[1:]]
        for piece in way:
            if isinstance(found, dict) and piece in found:
                found = found[piece]
            elif isinstance(found, list) and piece.isdecimal() and int(piece) < len(found):
                found = found[int(piece)]
            else:
                raise BadReferenceError(here, "reference-unknown", "There is nothing at this place of the schema.")
        return found, tuple(way)

    @property
    def can_tell_all(self) -> bool:
        """Whether telling every fault there may be takes no more than it may."""
        return self.telling <= TELLING_MAX

    def _bulk(self, value: Any) -> int:
        """Return how large a value is, in values; a long text counts as several."""
        if isinstance(value, str):
            return 1 + len(value) // _TEXT_OF_ONE
        if not isinstance(value, dict | list):
            return 1
        if id(value) not in self._bulks:
            inner = value.values() if isinstance(value, dict) else value
            self._bulks[id(value)] = 1 + sum(map(self._bulk, inner))
        return self._bulks[id(value)]

    def _spend(self, steps: int) -> None:
        self.steps += steps
        if self.steps > STEPS_MAX:
            raise TooMuchWorkError


def definitions(schema: Mapping[str, Any]) -> Iterator[tuple[Place, Any]]:
    """Give what a schema defines for its references, each with its place."""
    for name in _DEFINITIONS:
        for key, inner in _items(schema.get(name)):
            yield (name, key), inner


def _composed(schema: Mapping[str, Any]) -> Iterator[tuple[Place, Any]]:
    """Give the schemas that apply to the value itself."""
    for name in _LISTS:
        for number, inner in enumerate(_list(schema.get(name))):
            yield (name, number), inner
    for name in _SINGLE:
        if name in schema:
            yield (name,), schema[name]
    for name in _BY_NAME:
        for key, inner in _items(schema.get(name)):
            yield (name, key), inner


def _parts(schema: Mapping[str, Any], value: Any) -> Iterator[tuple[Place, Any, Any]]:
    """Give the schemas that apply to parts of the value, each with the part."""
    if value is ANYTHING or isinstance(value, dict):
        yield from _of_fields(schema, value)
    if value is ANYTHING or isinstance(value, list):
        yield from _of_items(schema, value)


def _of_fields(schema: Mapping[str, Any], value: Any) -> Iterator[tuple[Place, Any, Any]]:
    for key, inner in _items(schema.get("properties")):
        if value is ANYTHING or key in value:
            yield ("properties", key), inner, ANYTHING if value is ANYTHING else value[key]
    wholes: list[tuple[Place, Any]] = [((name,), schema[name]) for name in _OF_VALUES if name in schema]
    wholes += [(("patternProperties", key), inner) for key, inner in _items(schema.get("patternProperties"))]
    for way, inner in wholes:
        for part in [ANYTHING] if value is ANYTHING else value.values():
            yield way, inner, part


def _names(schema: Mapping[str, Any], value: Any) -> Iterator[tuple[Place, Any, Any]]:
    """Give the schema that applies to the names of an object's fields, each with the name."""
    if "propertyNames" in schema and (value is ANYTHING or isinstance(value, dict)):
        for name in [ANYTHING] if value is ANYTHING else value:
            yield ("propertyNames",), schema["propertyNames"], name


def _of_items(schema: Mapping[str, Any], value: Any) -> Iterator[tuple[Place, Any, Any]]:
    for number, inner in enumerate(_list(schema.get("prefixItems"))):
        if value is ANYTHING or number < len(value):
            yield ("prefixItems", number), inner, ANYTHING if value is ANYTHING else value[number]
    for keyword in _OF_ITEMS:
        if keyword in schema:
            for part in [ANYTHING] if value is ANYTHING else value:
                yield (keyword,), schema[keyword], part


def _of_patterns(schema: Mapping[str, Any], value: Any) -> int:
    """Return the steps for patterns: to make them ready, or else the characters they are held against."""
    patterns, for_names = int("pattern" in schema), len(_items(schema.get("patternProperties")))
    if value is ANYTHING:
        return (patterns + for_names) * _STEPS_OF_PATTERN
    if isinstance(value, str):
        return patterns * len(value)
    return for_names * sum(map(len, value)) if isinstance(value, dict) else 0


def _weight(document: Any) -> int:
    """Count the values in a document."""
    inner = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    return sum(1 + _weight(one) for one in inner)


def _items(value: Any) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, dict) else []


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
