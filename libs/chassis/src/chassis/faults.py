"""What pydantic found wrong, told without repeating what was sent."""

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from chassis.rejection import Fault, invalid

_T = TypeVar("_T")

FAULTS_MAX = 100
ERRORS_MAX = 100_000
"""So many places that are wrong are looked at; where there are more, telling them apart would keep others waiting."""
VALUES_MAX = 250_000
"""So many values and objects a large body may hold: a thousand items of 250 each."""
UNCOUNTED_BYTES = 1024 * 1024
"""In a body of this size there cannot be so many that it matters."""
_PIECE_MAX = 100
_CODES = {
    "extra_forbidden": "unknown-field",
    "string_pattern_mismatch": "pattern",
    "literal_error": "not-one-of",
    "enum": "not-one-of",
    "union_tag_invalid": "not-one-of",
    "value_error": "wrong-value",
    "assertion_error": "wrong-value",
}
# Pydantic's own sentences for these either repeat the input or speak of Python.
_SENTENCES = {
    "extra_forbidden": "There is no such field.",
    "missing": "This is needed.",
    "model_type": "A JSON object is needed.",
    "dict_type": "A JSON object is needed.",
    "list_type": "A JSON array is needed.",
    "tuple_type": "A JSON array is needed.",
    "set_type": "A JSON array is needed.",
    "uuid_type": "A UUID is needed.",
    "uuid_parsing": "A UUID is needed.",
    "union_tag_invalid": "This is none of the kinds there are.",
    "union_tag_not_found": "The kind is missing.",
    "recursion_loop": "This is nested too deeply.",
}
_COUNTED = {
    "too_short": "At least {min_length} of these are needed.",
    "too_long": "At most {max_length} of these are taken.",
    "string_too_short": "At least {min_length} characters are needed.",
    "string_too_long": "At most {max_length} characters are taken.",
}
_A_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_TELLING = frozenset(
    {
        "bytes_invalid_encoding",
        "date_from_datetime_parsing",
        "date_parsing",
        "datetime_from_date_parsing",
        "datetime_object_invalid",
        "datetime_parsing",
        "get_attribute_error",
        "iteration_error",
        "json_invalid",
        "mapping_type",
        "time_delta_parsing",
        "time_parsing",
        "url_parsing",
        "url_syntax_violation",
    }
)


def pointer_to(pieces: Iterable[object]) -> str:
    """Return the JSON pointer (RFC 6901) of a place in a document."""
    return "".join(f"/{str(piece)[:_PIECE_MAX].replace('~', '~0').replace('/', '~1')}" for piece in pieces)


def holds_too_many(raw: bytes) -> bool:
    """Whether large JSON holds more values than are read, without reading it."""
    if len(raw) <= UNCOUNTED_BYTES or _separators(raw) < VALUES_MAX:
        return False
    return _separators(_A_TEXT.sub(b"", raw)) >= VALUES_MAX


def _separators(raw: bytes) -> int:
    """Count what stands before values; only the outermost has nothing before it."""
    return raw.count(b",") + raw.count(b"[") + raw.count(b"{")


def body_faults(wrong: ValidationError, read: Callable[[], object]) -> list[Fault]:
    """Return the faults of a body; `read` gives what was sent, to tell real places from pydantic's own names."""
    if wrong.error_count() > ERRORS_MAX:
        return [Fault("", "too-many-faults", f"It is wrong in more than {ERRORS_MAX} places.")]
    faults: dict[Fault, None] = {}
    document = read()
    for error in wrong.errors(include_url=False, include_input=False):
        place = _place(error["loc"], document, missing=error["type"] == "missing")
        faults[Fault(pointer_to(place), code_of(error), sentence_of(error))] = None
        if len(faults) >= FAULTS_MAX:
            break
    return list(faults)


def parameter_faults(errors: Iterable[Mapping[str, Any]]) -> list[Fault]:
    """Return the faults of query parameters, each named by the parameter its place begins with."""
    faults: list[Fault] = []
    for error in errors:
        name = str(error["loc"][0])[:_PIECE_MAX] if error["loc"] else ""
        code = "unknown-parameter" if error["type"] == "extra_forbidden" else code_of(error)
        faults.append(Fault(name, code, sentence_of(error)))
    return faults[:FAULTS_MAX]


def code_of(error: Mapping[str, Any]) -> str:
    """Return the stable code of one of pydantic's errors."""
    kind: str = error["type"]
    return _CODES.get(kind) or kind.replace("_", "-")


def sentence_of(error: Mapping[str, Any]) -> str:
    """Return a sentence about one of pydantic's errors that does not repeat the input."""
    kind: str = error["type"]
    if kind in _SENTENCES:
        return _SENTENCES[kind]
    if kind in _TELLING:
        return "This cannot be read."
    if kind in _COUNTED and "ctx" in error:
        return _COUNTED[kind].format_map(error["ctx"])
    message: str = error["msg"].replace("Input should be", "This should be", 1)
    if kind in {"value_error", "assertion_error"}:
        message = message.partition(", ")[2] or message
    return message if message.endswith(".") else f"{message}."


def nul_faults(document: object) -> list[Fault]:
    """Find the texts and names with a NUL character, which PostgreSQL cannot keep."""
    return list(islice(_nul_faults(document, ()), FAULTS_MAX))


def _nul_faults(document: object, pieces: tuple[object, ...]) -> Iterable[Fault]:
    if isinstance(document, str):
        if "\0" in document:
            yield Fault(pointer_to(pieces), "nul-character", "A text may not hold the character U+0000.")
    elif isinstance(document, dict):
        for name, value in document.items():
            if "\0" in name:
                yield Fault(pointer_to(pieces), "nul-character", "A name may not hold the character U+0000.")
            else:
                yield from _nul_faults(value, (*pieces, name))
    elif isinstance(document, list):
        for index, value in enumerate(document):
            yield from _nul_faults(value, (*pieces, index))


def is_strict(raw: bytes) -> bool:
    """Whether a text is JSON without NaN and Infinity, which its readers know although JSON does not have them.

    Where it holds neither word it is not read: whoever reads it sees whether it is JSON.
    """
    if b"NaN" not in raw and b"Infinity" not in raw:
        return True
    try:
        from_json(raw, allow_inf_nan=False)
    except ValueError:
        return False
    return True


def strictly_read(adapter: TypeAdapter[_T], document: object) -> _T:
    """Read what is JSON already, as strictly as a body; refuse what is wrong in it, each fault where it is."""
    try:
        value = adapter.validate_json(to_json(document), strict=True)
    except ValidationError as error:
        raise invalid(*body_faults(error, lambda: document)) from None
    if faults := nul_faults(document):
        raise invalid(*faults)
    return value


def _place(loc: tuple[object, ...], document: object, *, missing: bool) -> list[object]:
    place: list[object] = []
    here = document
    for number, piece in enumerate(loc):
        is_key = isinstance(here, dict) and piece in here
        if is_key or (isinstance(here, list) and isinstance(piece, int) and piece < len(here)):
            here = here[piece]  # type: ignore[index]  # narrowed just above
            place.append(piece)
        elif missing and number == len(loc) - 1:
            place.append(piece)
    return place
