"""Query parameters: what every list takes, and the refusal of those nobody declared."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, TypeGuard, get_args, get_origin
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi.dependencies.models import Dependant
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from starlette.requests import Request
from starlette.types import Scope

from chassis.cursors import CURSOR_LENGTH_MAX
from chassis.faults import parameter_faults
from chassis.listing import Listing
from chassis.rejection import Fault, invalid
from chassis.schemas import Instant, Written

PARAMETERS_MAX = 100
NAMED_MAX = PARAMETERS_MAX
"""How many resources a query may name."""
_READ = "tandem.query"
_LISTS = (list, tuple, set, frozenset)


FieldNames = Annotated[
    str,
    StringConstraints(max_length=1000),
    Written(r"^[a-z0-9_]+(,[a-z0-9_]+)*$", "These are names of fields, separated by commas."),
]
_UPDATED_SINCE = (
    "Only what changed at or after this instant. A change bears the instant its request began at, and is seen when it"
    " ends: who asks again and again begins some seconds earlier each time. Events miss nothing."
)
_EMPTY = "Only items in which each of these fields, separated by commas, has no value."
_FIELDS = (
    "Only these fields of each item, separated by commas; an item then has no others, whatever its schema requires."
)


SORT_MAX = 64


def sorted_by(sorts: Sequence[str]) -> Any:
    """Return how a list's `sort` is described: the names of a resource's `sorts`, the first if none is said."""
    usual = sorts[0]
    names = [name.removeprefix("-") for name in sorts]
    return Field(
        max_length=SORT_MAX,
        description=f"The field to sort by, `{usual}` if it is not said; a leading `-` reverses.",
        json_schema_extra={"enum": [*names, *(f"-{name}" for name in names)]},
    )


class UnsearchedListQuery(BaseModel):
    """What every list may be asked, also one without a text to look into."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[int, Field(ge=1, le=200, description="How many items a page holds at most.")] = 50
    after: Annotated[
        str | None, Field(max_length=CURSOR_LENGTH_MAX, description="The cursor `next` of the page before.")
    ] = None
    sort: Annotated[str | None, Field(max_length=SORT_MAX, description="The field to sort by.")] = None
    updated_since: Annotated[Instant | None, Field(description=_UPDATED_SINCE)] = None
    empty: Annotated[FieldNames | None, Field(description=_EMPTY)] = None
    fields: Annotated[FieldNames | None, Field(description=_FIELDS)] = None
    count: Annotated[bool, Field(description="Whether to tell how many there are in all.")] = False

    def filters(self) -> dict[str, Any]:
        """Return the filters that were asked for."""
        asked = self.model_fields_set - ListQuery.model_fields.keys()
        return {name: value for name in sorted(asked) if (value := getattr(self, name)) not in (None, [])}

    def listing(self, owner: UUID | None = None) -> Listing:
        """Return what was asked as operations take it; `owner` is whose part the collection is."""
        return Listing(
            limit=self.limit,
            after=self.after,
            sort=self.sort,
            filters=self.filters(),
            owner=owner,
            empty=tuple(self.empty.split(",")) if self.empty else (),
            updated_since=self.updated_since,
            fields=tuple(self.fields.split(",")) if self.fields else None,
            count=self.count,
        )


class ListQuery(UnsearchedListQuery):
    """What most lists may be asked; a list's own filters are the fields of a subclass."""

    q: Annotated[str | None, Field(min_length=1, max_length=200, description="A text to look for.")] = None

    def listing(self, owner: UUID | None = None) -> Listing:
        """Return what was asked, with the text to look for."""
        return replace(super().listing(owner), q=self.q)


def declared(dependant: Dependant) -> dict[str, bool]:
    """Return the query parameters of a route and of its dependencies, and whether each may be repeated."""
    return dict(_declared(dependant))


def asked(query: bytes, names: Mapping[str, bool]) -> dict[str, Any]:
    """Return the query parameters that were sent: a text each, a list of texts where several may be sent.

    Refuses what is not UTF-8, and those that are unknown, repeated, or hold a character no text may hold.
    """
    values: dict[str, Any] = {}
    faults: dict[str, Fault] = {}
    try:
        sent = parse_qsl(
            query.decode("latin-1"), keep_blank_values=True, max_num_fields=PARAMETERS_MAX, errors="strict"
        )
    except UnicodeDecodeError:
        raise invalid(Fault("", "not-utf-8", "The query is not UTF-8.")) from None
    except ValueError:
        raise invalid(Fault("", "too-many-parameters", f"A query has at most {PARAMETERS_MAX} parameters.")) from None
    for name, value in sent:
        if name not in names:
            faults[name] = Fault(name[:100], "unknown-parameter", "There is no such query parameter.")
        elif "\0" in value:
            faults[name] = Fault(name, "nul-character", "A text may not hold the character U+0000.")
        elif names[name]:
            values.setdefault(name, []).append(value)
        elif name in values:
            faults[name] = Fault(name, "repeated-parameter", "This query parameter is given once.")
        else:
            values[name] = value
    if faults:
        raise invalid(*faults.values())
    return values


def query_model(dependant: Dependant) -> tuple[str, type[BaseModel]] | None:
    """Return the name and type of the model that a route takes its query parameters as, if it has one."""
    if len(dependant.query_params) != 1:
        return None
    parameter = dependant.query_params[0]
    annotation = parameter.field_info.annotation
    return (parameter.name, annotation) if _is_model(annotation) else None


def with_query_read(dependant: Dependant, name: str) -> Dependant:
    """Return the same route to FastAPI, but with its query model taken as `read_query` has left it.

    FastAPI's own way of filling a query model costs more than all the rest of a request.
    """
    reader = Dependant(call=_left_by_reader, name=name, request_param_name="request", path=dependant.path)
    return replace(dependant, query_params=[], dependencies=[*dependant.dependencies, reader])


def read_query(scope: Scope, model: type[BaseModel], values: dict[str, Any]) -> None:
    """Validate the query parameters and leave them for the route."""
    try:
        scope[_READ] = model.model_validate(values)
    except ValidationError as error:
        raise invalid(*parameter_faults(error.errors(include_url=False, include_input=False))) from None


async def _left_by_reader(request: Request) -> Any:
    return request.scope[_READ]


def _is_model(annotation: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _declared(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    for parameter in dependant.query_params:
        annotation = parameter.field_info.annotation
        if _is_model(annotation):
            for name, field in annotation.model_fields.items():
                yield field.alias or name, _is_list(field.annotation)
        else:
            yield parameter.alias, _is_list(annotation)
    for inner in dependant.dependencies:
        yield from _declared(inner)


def _is_list(annotation: Any) -> bool:
    if get_origin(annotation) in _LISTS or annotation in _LISTS:
        return True
    return any(get_origin(part) in _LISTS for part in get_args(annotation))
