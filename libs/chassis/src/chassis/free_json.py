"""JSON of a client's own shape: objects whose fields are the client's business, within bounds."""

import json
import math
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

NUMBER_MAX = 2**53 - 1  # up to here every reader of JSON reads the same number


@dataclass(frozen=True)
class FreeObject:
    """A JSON object with at most so many bytes, written compactly in UTF-8, and so many levels."""

    bytes_max: int
    depth_max: int

    def check(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return an object that is within its bounds."""
        self._check_inside(value, 1)
        if len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()) > self.bytes_max:
            message = "This is too large: at most {bytes_max} bytes are kept."
            raise PydanticCustomError("too_large", message, {"bytes_max": self.bytes_max})
        return value

    def _check_inside(self, value: Any, depth: int) -> None:
        if isinstance(value, int | float):
            if not math.isfinite(value) or abs(value) > NUMBER_MAX:
                raise PydanticCustomError("number_too_large", "A number lies between -(2^53 - 1) and 2^53 - 1.")
            return
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        if inner and depth > self.depth_max:
            message = "This is nested too deeply: {depth_max} levels at most."
            raise PydanticCustomError("too_deep", message, {"depth_max": self.depth_max})
        for one in inner:
            self._check_inside(one, depth + 1)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))
