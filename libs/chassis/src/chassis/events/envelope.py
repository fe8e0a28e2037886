"""The CloudEvents 1.0 envelope: written in SQL, read strictly.

Events leave as text that PostgreSQL built, so `data` is byte for byte what the writer stored.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import PydanticCustomError, from_json, to_json

from chassis.events.position import EPOCH_DIGITS, POSITION_DIGITS, Position
from chassis.faults import is_strict, pointer_to
from chassis.rejection import Rejection

STRUCTURED_JSON = "application/cloudevents+json"
BATCH_JSON = "application/cloudevents-batch+json"
VERSION_DIGITS = 19
ID_BYTES_MAX = 2048  # PostgreSQL has no longer ones in an index, which is how an event is known again

SHOWN = r"^[^\x00-\x1f\x7f-\x9f]*$"
"""What the text of an attribute looks like: it holds no control characters."""
_SHOWN = re.compile(SHOWN)

# The pattern is looked at where somebody else has sent the event: it is a third of the time a batch takes to read.
_TOLD = {"pattern": SHOWN}
Name = Annotated[str, Field(min_length=1, max_length=1024, json_schema_extra=_TOLD)]
AttributeName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{1,64}$")]
OptionalName = Annotated[str | None, Field(default=None, min_length=1, max_length=1024, json_schema_extra=_TOLD)]


def event_as_json(source: str, event: str, epoch: str) -> str:
    """Return the SQL expression that writes one logged event.

    `event` names the row (of event_log or like it) and `epoch` is an expression for the log's present epoch. All are
    constants of the code.
    """
    told = {
        "id": f"{event}.id",
        "type": f"{event}.type",
        "subject": f"{event}.subject",
        "time": _instant(f"{event}.time"),
        "orgid": f"{event}.org",
        "partitionkey": f"{event}.partitionkey",
        "sequence": f"lpad({epoch}::text, {EPOCH_DIGITS}, '0')"
        f" || '.' || lpad({event}.position::text, {POSITION_DIGITS}, '0')",
        "recordedtime": _instant(f"{event}.recorded_at"),
    }
    perhaps = {
        "aggregateversion": f"lpad({event}.aggregateversion::text, {VERSION_DIGITS}, '0')",
        "correlationid": f"{event}.correlationid",
        "causationid": f"{event}.causationid",
        "traceparent": f"{event}.traceparent",
    }
    # Put together as text: PostgreSQL's own constructor of objects takes half as long again.
    pieces = [f"""'{{"specversion":"1.0","source":"{source}","datacontenttype":"application/json"'"""]
    pieces += [f"""',"{name}":' || to_json({value})""" for name, value in told.items()]
    pieces += [f"""coalesce(',"{name}":' || to_json({value}), '')""" for name, value in perhaps.items()]
    return " || ".join([*pieces, f"""',"data":' || {event}.data || '}}'"""])


def _instant(column: str) -> str:
    return f"replace(({column} AT TIME ZONE 'UTC')::text, ' ', 'T') || 'Z'"


class Event(BaseModel):
    """One CloudEvent as it was read; what else it carries are its extensions."""

    model_config = ConfigDict(frozen=True, extra="allow")

    __pydantic_extra__: dict[AttributeName, str | int | bool | None]
    specversion: Literal["1.0"]
    id: Name
    source: Name
    type: Name
    subject: OptionalName
    time: AwareDatetime | None = None
    datacontenttype: OptionalName
    dataschema: OptionalName
    orgid: OptionalName
    partitionkey: OptionalName
    aggregateversion: Annotated[int | None, Field(default=None, ge=0)]
    sequence: OptionalName
    recordedtime: AwareDatetime | None = None
    correlationid: OptionalName
    causationid: OptionalName
    traceparent: OptionalName
    data: Any = None
    data_base64: str | None = None
    """Data that is no JSON."""

    @property
    def position(self) -> Position:
        """Where it stands in its source's log; ValueError for an event that comes from no log of ours."""
        return Position.parse(self.sequence or "")

    @property
    def happened_at(self) -> datetime:
        """When it happened; ValueError where the producer does not say."""
        if self.time is None:
            raise ValueError("the event has no time")
        return self.time


def _no_flag(value: object) -> object:
    if isinstance(value, bool):
        raise PydanticCustomError("version", "Input should be a number")
    return value


class _Delivered(Event):
    """One that somebody else has sent: a number is no instant there, and true no number."""

    aggregateversion: Annotated[int | None, Field(default=None, ge=0), BeforeValidator(_no_flag)]
    time: Annotated[AwareDatetime, Strict()] | None = None
    recordedtime: Annotated[AwareDatetime, Strict()] | None = None


_LOGGED: TypeAdapter[list[Event]] = TypeAdapter(list[Event])
_ONE: TypeAdapter[_Delivered] = TypeAdapter(_Delivered)
_MANY: TypeAdapter[list[_Delivered]] = TypeAdapter(list[_Delivered])


def read_batch(body: bytes) -> list[Event]:
    """Read a JSON batch out of a sibling's log; raise ValueError where it is not one.

    In two steps: what may be anything, as `data`, is read in three quarters of the time so.
    """
    return _LOGGED.validate_python(from_json(body))


def read_message(headers: dict[str, str], body: bytes) -> list[Event]:
    """Read what was sent over HTTP in any of the three modes; `headers` have lower-case names.

    Refuses as `unsupported` what is no CloudEvent and as `malformed` what is a broken one.
    """
    try:
        return _shown(_read_message(headers, body))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise _malformed(first["loc"], first["msg"]) from error


def _read_message(headers: dict[str, str], body: bytes) -> Sequence[Event]:
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == BATCH_JSON:
        return _MANY.validate_json(_strict(body))
    if content_type == STRUCTURED_JSON:
        return [_ONE.validate_json(_strict(body))]
    if "ce-specversion" in headers:
        return [_read_binary(headers, content_type, body)]
    raise Rejection("unsupported", "not-a-cloudevent", "A CloudEvent 1.0 is needed, in any of the HTTP modes.")


def _shown(events: Sequence[Event]) -> list[Event]:
    """Refuse control characters in the attributes of events, and ids that cannot be remembered."""
    for event in events:
        for name, value in event:
            if isinstance(value, str) and name != "data" and not _SHOWN.fullmatch(value):
                raise _malformed([name], "it holds control characters")
        if len(event.id.encode()) > ID_BYTES_MAX:
            raise _malformed(["id"], f"it has more than {ID_BYTES_MAX} bytes")
    return [*events]


def _strict(body: bytes) -> bytes:
    if not is_strict(body):
        raise _malformed([], "Invalid JSON")
    return body


def _malformed(place: Iterable[object], why: str) -> Rejection:
    detail = f"This is no CloudEvent 1.0: {pointer_to(place) or 'the body'}: {why}."
    return Rejection("malformed", "not-a-cloudevent", detail)


def _read_binary(headers: dict[str, str], content_type: str, body: bytes) -> Event:
    attributes: dict[str, Any] = {
        name.removeprefix("ce-"): unquote(value) for name, value in headers.items() if name.startswith("ce-")
    }
    if content_type:
        attributes["datacontenttype"] = content_type
    is_json = content_type in {"", "application/json"} or content_type.endswith("+json")
    if body and is_json:
        attributes["data"] = TypeAdapter(Any).validate_json(_strict(body))
    elif body:
        attributes["data_base64"] = b64encode(body).decode()
    return _ONE.validate_json(to_json(attributes))
