"""The examples that a service shows of what clients send."""

import json
from types import ModuleType
from typing import Any

from pydantic import BaseModel

from chassis.testkit.slices import modules_of


def models_with_examples(package: ModuleType) -> list[type[BaseModel]]:
    """Return the models of all slices of a service that have an example of their own."""
    named = (one for module in modules_of(package, "schemas") for one in vars(module).values())
    return list(dict.fromkeys(one for one in named if _example_of(one) is not None))


def accept_example(model: type[BaseModel]) -> None:
    """Read a model's example as a body is read; raises ValidationError where it is refused."""
    model.model_validate_json(json.dumps(_example_of(model)), strict=True)


def _example_of(model: Any) -> Any:
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return None
    extra = model.model_config.get("json_schema_extra")
    return extra.get("example") if isinstance(extra, dict) else None
