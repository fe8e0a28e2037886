"""The largest resources there may be, found by sending them: what would be larger is refused.

They are built from the bounds of what clients send, in characters that take four bytes each.
"""

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from datetime import date, timedelta
from itertools import count
from typing import Any

import httpx
from pydantic import BaseModel

from chassis.testkit.applications import OrganisationClient, pointers

WIDE = "\U0001d11e"
LONG = WIDE * 10_000
STEP = 512
"""How near to the largest is near enough, in bytes."""
BYTES_MAX = 80_000  # more than any resource may have
FillOwn = Callable[[Callable[[int], str]], Any]
BodyOf = Callable[[int], Awaitable[tuple[str, dict[str, Any]]]]


class Filling:
    """What a model takes, filled up to so many bytes in the order of its fields.

    `as_they_are` names the fields that are left out. A field in `own` is what its function makes of a text, of which it
    says how many characters it may have.
    """

    def __init__(
        self,
        model: type[BaseModel],
        bytes_left: int,
        *,
        as_they_are: Collection[str],
        own: Mapping[str, FillOwn] | None = None,
    ) -> None:
        self._schema = model.model_json_schema()
        self._left = bytes_left
        self._as_they_are = as_they_are
        self._own = own or {}
        self._days = (date(2000, 1, 1) + timedelta(days=number) for number in count())

    def fields(self) -> Iterator[tuple[str, Any]]:
        """Yield each field that can be filled, with its value."""
        for name, schema in self._schema["properties"].items():
            if name in self._own:
                yield name, self._own[name](self._text)
            elif name not in self._as_they_are and (value := self._value(schema)) is not None:
                yield name, value

    def _text(self, length_max: int) -> str:
        length = max(min(length_max, self._left // 4), 0)
        self._left -= 4 * length
        return WIDE * length

    def _value(self, schema: Any) -> Any:
        schema = next((one for one in schema.get("anyOf", ()) if one.get("type") != "null"), schema)
        if "$ref" in schema:
            schema = self._schema["$defs"][schema["$ref"].rpartition("/")[2]]
        match schema.get("type"):
            case "string" if "maxLength" in schema and not schema.get("pattern", "").startswith("^"):
                return self._text(schema["maxLength"]) or None
            case "array":
                return self._items(schema) or None
            case "object" if "properties" in schema:
                return self._object(schema)
            case "object":
                return self._labels(schema["maxProperties"]) or None
            case _:
                return None

    def _items(self, schema: Any) -> list[Any]:
        values = (self._value(schema["items"]) for _ in range(schema["maxItems"]))
        return [value for value in values if value is not None]

    def _object(self, schema: Any) -> Any:
        before, given = self._left, {}
        for name, one in schema["properties"].items():
            is_day = one.get("format") == "date"
            value = next(self._days).isoformat() if is_day and self._left > 0 else self._value(one)
            if value is not None:
                given[name] = value
        if given.keys() >= set(schema.get("required", ())) and given:
            return given
        self._left = before
        return None

    def _labels(self, most: int) -> dict[str, str]:
        return {f"{number:02}{self._text(62)}": self._text(256) for number in range(most) if self._left > 0}


async def largest(client: OrganisationClient, body_of: BodyOf) -> tuple[Any, str]:
    """Return the largest resource that is taken, and its own path.

    `body_of` returns a path and what to send there, with about so many bytes of text. Raises AssertionError where one a
    little larger is not refused as too large, by the name of a field that was sent.
    """
    taken, refused = 0, BYTES_MAX
    made: tuple[Any, str] | None = None
    refusal: tuple[Any, dict[str, Any]] | None = None
    while refused - taken > STEP:
        middle = (taken + refused) // 2
        path, body = await body_of(middle)
        response = await client.send("POST", path, json=body)
        if response.status_code == httpx.codes.CREATED:
            shown = response.json()
            taken, made = middle, (shown, f"{path}/{shown['id']}")
        else:
            refused, refusal = middle, (response.json(), body)
    if refusal is None:
        raise AssertionError(f"one of {BYTES_MAX} bytes was taken")
    if made is None:
        raise AssertionError(f"none was taken, however small: {refusal[0]}"[:2000])
    answer, body = refusal
    if [(pointer.removeprefix("/") in body, code) for pointer, code in pointers(answer)] != [(True, "too-large")]:
        raise AssertionError(f"it was not refused as too large: {answer}"[:2000])
    return made
