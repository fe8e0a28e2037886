"""Building blocks of what clients send and are shown: bounded texts, instants, decimals, money, base models."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Annotated, Any, Final, Generic, Self, TypeVar
from uuid import UUID

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from chassis.merging import differing, whole
from chassis.rejection import Fault, invalid

FIRST_YEAR = 1900
LAST_YEAR = 2199
LABELS_MAX = 50
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_WIDE = Context(prec=60, rounding=ROUND_HALF_EVEN)


def instant_text(instant: datetime) -> str:
    """Write an aware instant as RFC 3339 in UTC with `Z`, to the letter as PostgreSQL writes it for us."""
    text = instant.astimezone(UTC).isoformat().removesuffix("+00:00")
    return f"{text.rstrip('0')}Z" if instant.microsecond else f"{text}Z"


def parse_instant(value: object) -> datetime:
    """Read an RFC 3339 instant of any offset and return it in UTC; digits below the microsecond are cut off."""
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        try:
            value = datetime.fromisoformat(value.upper())
        except ValueError:
            raise PydanticCustomError("instant", "There is no such date and time.") from None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise PydanticCustomError("instant", "An RFC 3339 date and time with its UTC offset is needed.")
    if FIRST_YEAR - 1 <= value.year <= LAST_YEAR + 1:
        value = value.astimezone(UTC)
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise PydanticCustomError("instant_range", "An instant lies in the years 1900 to 2199.")
    return value


def parse_day(value: object) -> date:
    """Read a date written `YYYY-MM-DD`."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            raise PydanticCustomError("date", "There is no such date.") from None
    if not isinstance(value, date) or isinstance(value, datetime):
        raise PydanticCustomError("date", "A date is written YYYY-MM-DD.")
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise PydanticCustomError("date_range", "A date lies in the years 1900 to 2199.")
    return value


class _InstantFormat:
    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        written = core_schema.plain_serializer_function_ser_schema(instant_text, when_used="json")
        return core_schema.no_info_plain_validator_function(parse_instant, serialization=written)

    def __get_pydantic_json_schema__(self, _: CoreSchema, __: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "format": "date-time"}


class _DayFormat:
    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        written = core_schema.plain_serializer_function_ser_schema(str, when_used="json")
        return core_schema.no_info_plain_validator_function(parse_day, serialization=written)

    def __get_pydantic_json_schema__(self, _: CoreSchema, __: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "format": "date"}


@dataclass(frozen=True)
class DecimalText:
    """A decimal as a JSON string with at most so many digits before and after the point, never rounded on input.

    `at_least` and `at_most` bound the value; `places` is how many decimals are written out, rounded half to even.
    """

    before: int = 15
    after: int = 10
    places: int = 6
    at_least: Decimal | None = None
    at_most: Decimal | None = None

    @property
    def _signed(self) -> bool:
        return self.at_least is None or self.at_least < 0

    @property
    def pattern(self) -> str:
        """The pattern of what is accepted."""
        sign = "-?" if self._signed else ""
        return rf"^{sign}[0-9]{{1,{self.before}}}(\.[0-9]{{1,{self.after}}})?$"

    def text(self, value: Decimal) -> str:
        """Write a value with the places of this format."""
        rounded = value.quantize(Decimal(1).scaleb(-self.places), context=_WIDE)
        return format(rounded or abs(rounded), "f")

    def parse(self, value: object) -> Decimal:
        """Read a decimal written as text, or check one that was computed."""
        written = format(value, "f") if isinstance(value, Decimal) else value
        if not isinstance(written, str) or not re.fullmatch(self.pattern, written) or written[-1] == "\n":
            if isinstance(written, str) and not self._signed and re.fullmatch(self.pattern, written.removeprefix("-")):
                raise PydanticCustomError("decimal_range", "The number is not negative.")
            raise PydanticCustomError(
                "decimal",
                "A decimal number as a string is needed, at most {before} digits before and {after} after the point.",
                {"before": self.before, "after": self.after},
            )
        number = Decimal(written)
        if self.at_least is not None and number < self.at_least:
            raise PydanticCustomError("decimal_range", "The number is at least {bound}.", {"bound": str(self.at_least)})
        if self.at_most is not None and number > self.at_most:
            raise PydanticCustomError("decimal_range", "The number is at most {bound}.", {"bound": str(self.at_most)})
        return number or abs(number)

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        written = core_schema.plain_serializer_function_ser_schema(self.text, when_used="json")
        return core_schema.no_info_plain_validator_function(self.parse, serialization=written)

    def __get_pydantic_json_schema__(self, _: CoreSchema, __: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "pattern": self.pattern}


@dataclass(frozen=True)
class Written:
    """A text that has a pattern; `sentence` tells people what one that has not should be like."""

    pattern: str
    sentence: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        wanted = core_schema.str_schema(pattern=self.pattern)
        told = core_schema.custom_error_schema(wanted, custom_error_type="pattern", custom_error_message=self.sentence)
        return core_schema.chain_schema([handler(source), told])

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(schema) | {"pattern": self.pattern}


VISIBLE = Written(r"[^\s\x00-\x1f\x7f-\x9f]", "Something visible is needed.")
Instant = Annotated[datetime, _InstantFormat()]
Day = Annotated[date, _DayFormat()]
Key = Annotated[
    str,
    StringConstraints(max_length=64),
    Written(
        r"^[a-z0-9][a-z0-9._-]*$",
        "A key begins with one of a to z or a digit, and goes on with these, dots, underscores and hyphens.",
    ),
]
Name = Annotated[str, StringConstraints(max_length=200), VISIBLE]
Text = Annotated[str, StringConstraints(max_length=10_000)]
CurrencyCode = Annotated[str, Written(r"^[A-Z]{3}$", "A currency is three letters of ISO 4217, such as EUR.")]
DecimalString = Annotated[Decimal, DecimalText()]
Amount = Annotated[Decimal, DecimalText(places=4)]
Percent = Annotated[Decimal, DecimalText(before=3, after=12, at_least=Decimal(0), at_most=Decimal(100))]
Labels = Annotated[
    dict[
        Annotated[str, StringConstraints(min_length=1, max_length=64)],
        Annotated[str, StringConstraints(max_length=256)],
    ],
    Field(max_length=LABELS_MAX),
]
LabelChanges = Annotated[
    dict[
        Annotated[str, StringConstraints(min_length=1, max_length=64)],
        Annotated[str, StringConstraints(max_length=256)] | None,
    ],
    Field(max_length=LABELS_MAX),
]
"""Labels as a merge patch names them: null takes one away, the others stay."""


def merged_labels(present: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    """Return labels after a merge patch; refuse more than there may be."""
    merged = {name: value for name, value in {**present, **changes}.items() if value is not None}
    if len(merged) > LABELS_MAX:
        raise invalid(Fault("/labels", "too-long", f"There are at most {LABELS_MAX} labels."))
    return merged


class Input(BaseModel):
    """What a client sends: unknown fields are refused, and nothing changes it afterwards."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_serialization_defaults_required=True,  # where it is shown, every field is there
        use_attribute_docstrings=True,
    )


class Output(BaseModel):
    """What a client is shown: every field is always there."""

    model_config = ConfigDict(
        frozen=True, json_schema_serialization_defaults_required=True, use_attribute_docstrings=True
    )


class Money(BaseModel):
    """An amount of one currency (ISO 4217)."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"example": {"amount": "1234.50", "currency": "EUR"}}
    )

    amount: Amount
    currency: CurrencyCode


class _Unset:
    """The default of a field that was not sent."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNSET"


_UNSET: Final = _Unset()
UNSET: Any = Field(default_factory=lambda: _UNSET)


class Patch(Input):
    """A merge patch (RFC 7396): what is sent replaces, what is not sent stays.

    Fields are declared `title: Name = UNSET`, one that holds an object `price: Annotated[Part, PartOf(Money)] = UNSET`;
    only one whose type allows None may be sent as null.
    """

    def changes(self, present: Mapping[str, Any]) -> dict[str, Any]:
        """Return what was sent and is another than in the row, null too; labels and parts as merged into the row's."""
        merged = whole(self, present)
        sent = {name: getattr(merged, name) for name in type(self).model_fields if name in self.model_fields_set}
        if "labels" in sent:
            sent["labels"] = merged_labels(present["labels"], sent["labels"])
        return differing(present, sent)


class ExternalIdentity(Input):
    """The name of a resource in the system it came from: source and id belong together."""

    external_source: Name | None = None
    external_id: Name | None = None

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.external_source is None) != (self.external_id is None):
            raise PydanticCustomError(
                "external_identity_incomplete", "external_source and external_id are sent together or not at all."
            )
        return self


class Versioned(Output):
    """The fields that every resource shows."""

    id: UUID
    version: int
    created_at: Instant
    updated_at: Instant


class Traceable(Versioned):
    """A resource that may have come from another system and may carry labels."""

    external_source: str | None
    external_id: str | None
    labels: dict[str, str]


Item = TypeVar("Item")


def _as_page(schema: dict[str, Any]) -> None:
    schema["description"] = PageOf.__doc__
    schema["required"].remove("count")


class PageOf(Output, Generic[Item]):
    """One page of a list; `count` is there only where `count=true` asked for it."""

    model_config = ConfigDict(json_schema_extra=_as_page)

    items: list[Item]
    next: str | None
    """The cursor of the next page, as `after`; null on the last."""
    count: int = 0
    """How many there are in all."""

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Call a page after what it holds."""
        return f"{params[0].__name__}Page"
