"""The body of a batch, how its items are judged, and what it is answered with."""

from collections.abc import Sequence
from typing import Annotated, Any, Generic, Self, TypeVar, cast, get_args
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic_core import from_json

from chassis.faults import strictly_read
from chassis.outcome import Mode
from chassis.rejection import Rejection
from chassis.schemas import Input, Output

ITEMS_MAX = 1000
T = TypeVar("T", bound=BaseModel)


def _as_batch(schema: dict[str, Any], batch: type[BaseModel]) -> None:
    """Describe a batch, and show one of the item that its items' model shows."""
    schema["description"] = Batch.__doc__
    item = get_args(batch.model_fields["items"].annotation)[0]
    extra = getattr(item, "model_config", {}).get("json_schema_extra")
    if isinstance(extra, dict) and "example" in extra:
        schema["example"] = {"mode": "atomic", "items": [extra["example"]]}


class Batch(Input, Generic[T]):
    """Up to 1,000 items: `atomic` writes all or nothing, `independent` judges each by itself."""

    model_config = ConfigDict(json_schema_extra=_as_batch)

    mode: Mode = "atomic"
    items: Annotated[list[T], Field(max_length=ITEMS_MAX)]

    def judged(self) -> Sequence[T | Rejection]:
        """Return the items; in place of a wrong one, why it is refused."""
        return self.items

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Call a batch after what it holds."""
        return f"{params[0].__name__}Batch"

    @classmethod
    def judge_each(cls, raw: bytes) -> Self | None:
        """Read a body in which something is wrong: None, unless its items are to be judged each by itself.

        What is wrong beside the items is for the whole body to answer.
        """
        document = from_json(raw)
        if not isinstance(document, dict) or document.get("mode") != "independent":
            return None
        items = document.get("items")
        if document.keys() - cls.model_fields.keys() or not isinstance(items, list) or len(items) > ITEMS_MAX:
            return None
        adapter: TypeAdapter[T] = TypeAdapter(get_args(cls.model_fields["items"].annotation)[0])
        judged = [_judged(adapter, item) for item in items]
        return cls.model_construct(mode="independent", items=cast("list[T]", judged))


def _judged(adapter: TypeAdapter[T], item: Any) -> T | Rejection:
    try:
        return strictly_read(adapter, item)
    except Rejection as refusal:
        return refusal


class ItemResult(Output):
    """What became of one item."""

    model_config = ConfigDict(json_schema_extra=lambda schema: schema["required"].remove("problem"))

    index: int
    status: int
    """The HTTP status it would have had by itself: 201 new, 200 changed or equal, else why it was refused."""
    id: UUID | None
    version: int | None
    problem: dict[str, Any] | None = None
    """The problem document of an item that was refused."""


class BatchReport(Output):
    """What became of the items, in the order they were sent."""

    items: list[ItemResult]
