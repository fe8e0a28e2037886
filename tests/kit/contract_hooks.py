"""What schemathesis is told of our services: known ids in what it sends, and one check more."""

import json
import os
import re
from typing import Any

import schemathesis

KNOWN: dict[str, str] = json.loads(os.environ.get("TANDEM_CONTRACT_KNOWN", "{}"))
UNPROCESSABLE = 422
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# Codes of what a schema can say: a request made by the schema is never refused for these. Not among them are
# `missing` and `not-one-of`, which are also said of fields that only some requests need or limit, and `int-type`, since
# JSON Schema calls 1.0 an integer.
_SAYABLE = frozenset(
    {
        "unknown-field",
        "unknown-parameter",
        "pattern",
        "string-too-long",
        "string-too-short",
        "string-type",
        "int-parsing",
        "bool-type",
        "bool-parsing",
        "list-type",
        "dict-type",
        "model-type",
        "too-long",
        "too-short",
        "uuid-type",
        "uuid-parsing",
        "greater-than-equal",
        "less-than-equal",
    }
)


@schemathesis.hook
def before_load_schema(_: Any, raw_schema: dict[str, Any]) -> None:
    """Ask for whole items: with `fields` an item holds less than its schema says."""
    for item in raw_schema["paths"].values():
        for operation in item.values():
            parameters = operation.get("parameters", [])
            operation["parameters"] = [parameter for parameter in parameters if parameter["name"] != "fields"]


@schemathesis.hook
def map_body(_: Any, body: Any) -> Any:
    """Name what exists wherever a body names another resource by a well-formed id."""
    if isinstance(body, dict):
        for name, value in body.items():
            if name in KNOWN and isinstance(value, str) and _ID.fullmatch(value):
                body[name] = KNOWN[name]
    return body


@schemathesis.hook
def map_headers(_: Any, headers: Any) -> Any:
    """Change whichever version there is, instead of one that there is not."""
    if headers and "If-Match" in headers:
        headers["If-Match"] = "*"
    return headers


@schemathesis.check
def the_schema_says_it(_: Any, response: Any, case: Any) -> None:
    """Fail where a request is refused for what its schema could have said and did not."""
    mode = case.meta.generation.mode if case.meta else None
    if mode is None or not mode.is_positive or response.status_code != UNPROCESSABLE:
        return
    unsaid = [error for error in response.json().get("errors", ()) if error["code"] in _SAYABLE]
    if unsaid:
        raise AssertionError(f"the schema does not say: {unsaid}")
