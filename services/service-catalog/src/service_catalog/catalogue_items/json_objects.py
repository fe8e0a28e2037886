"""JSON objects of a client's own shape, compared as JSON is: true is not 1, as it is in Python, nor is false 0."""

from collections.abc import Mapping
from typing import Any


class JsonObject(dict[str, Any]):
    """A JSON object that equals another one only if JSON holds both for the same."""

    __hash__ = None

    def __eq__(self, other: object) -> bool:
        return _same(dict(self), other)

    def __ne__(self, other: object) -> bool:
        return not self == other


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(inner, other[name]) for name, inner in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)
