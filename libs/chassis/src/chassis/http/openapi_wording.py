"""What an OpenAPI document says where nobody wrote it down: summaries, answers, ids in paths, filters of lists."""

from typing import Any

_DONE = {
    "get": "What was asked for.",
    "put": "What it is now.",
    "post": "What came of it.",
    "patch": "What it is now.",
    "delete": "What it was.",
}
_MADE_UP = "Successful Response"


def describe(operation: dict[str, Any], method: str) -> None:
    """Put words in the place of generated ones."""
    described = operation.get("description", "")
    operation["summary"] = described.partition("\n\n")[0].partition(". ")[0].replace("\n", " ").rstrip(".")
    is_list = any(parameter["name"] == "after" for parameter in operation.get("parameters", ()))
    for parameter in operation.get("parameters", ()):
        if not parameter.get("description"):
            said = _in_path(parameter["name"]) if parameter["in"] == "path" else ""
            if parameter["in"] == "query" and is_list:
                said = _filter(parameter["name"], parameter["schema"])
            if said:
                parameter["description"] = said
    for status, response in operation["responses"].items():
        if response.get("description") == _MADE_UP:
            response["description"] = "What was created." if status == "201" else _DONE[method]


def _in_path(name: str) -> str:
    noun = name.removesuffix("_id").replace("_", " ")
    return f"The id of the {noun}." if name.endswith("_id") else f"The {noun} it is known by."


def _filter(name: str, schema: dict[str, Any]) -> str:
    if name.endswith("_from"):
        return f"Only those whose `{name.removesuffix('_from')}` is this or later."
    if name.endswith("_to"):
        return f"Only those whose `{name.removesuffix('_to')}` is earlier than this."
    if schema.get("type") == "array":
        return f"Only those with one of these as `{name}`."
    return f"Only those with this `{name}`."
