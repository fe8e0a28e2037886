"""Merge patches (RFC 7396): what is sent of an object is merged into what there is; what differs from a row."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from chassis.faults import strictly_read
from chassis.rejection import Rejection, invalid

_Patch = TypeVar("_Patch", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Part:
    """What a client says of an object: its members as they were sent, null among them."""

    model: type[BaseModel]
    said: Mapping[str, Any]

    def merged_into(self, present: Mapping[str, Any] | None) -> BaseModel:
        """Return the object as it becomes, or refuse what is wrong with it."""
        whole = {name: value for name, value in (present or {}).items() if name in self.model.model_fields}
        whole = {name: value for name, value in {**whole, **self.said}.items() if value is not None}
        return strictly_read(_adapter(self.model), whole)


@dataclass(frozen=True, slots=True)
class PartOf:
    """Marks a field of a patch that takes a part of an object: `Annotated[Part, PartOf(Money)] | None`."""

    model: type[BaseModel]

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._read)

    def __get_pydantic_json_schema__(self, _: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        whole = handler.resolve_ref_schema(handler(self.model.__pydantic_core_schema__))
        return {name: told for name, told in whole.items() if name not in {"required", "title", "example"}}

    def _read(self, value: object) -> Part:
        if not isinstance(value, dict):
            raise PydanticCustomError("model_type", "A JSON object is needed.")
        return Part(self.model, value)


def whole(patch: _Patch, row: Mapping[str, Any]) -> _Patch:
    """Return a patch in which every part is the whole object it leads to, given the row with its representation.

    Refuses what is wrong with such an object, each fault where it is.
    """
    parts = {name: part for name in patch.model_fields_set if isinstance(part := getattr(patch, name), Part)}
    if not parts:
        return patch
    present = json.loads(row["body"])
    return patch.model_copy(update={name: _merged(name, part, present[name]) for name, part in parts.items()})


def differing(row: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the fields sent whose values differ from the row's, and those that are no columns of it."""
    return {name: value for name, value in sent.items() if name not in row or row[name] != value}


def _merged(name: str, part: Part, present: Mapping[str, Any] | None) -> BaseModel:
    try:
        return part.merged_into(present)
    except Rejection as refusal:
        raise invalid(*(replace(one, pointer=f"/{name}{one.pointer}") for one in refusal.faults)) from None


@cache
def _adapter(model: type[BaseModel]) -> TypeAdapter[BaseModel]:
    return TypeAdapter(model)
