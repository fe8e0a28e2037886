"""Routes that read JSON once, strictly and from the bytes, after the caller's scope has been judged."""

import re
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, params
from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import from_json
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from chassis.faults import VALUES_MAX, body_faults, holds_too_many, is_strict, nul_faults
from chassis.http.answers import answer
from chassis.http.batches import Batch
from chassis.http.idempotency import Needs
from chassis.http.queries import asked, declared, query_model, read_query, with_query_read
from chassis.outcome import Replayed
from chassis.rejection import Overtaken, Rejection, invalid

VERSION_PREFIX = "/v1"
ATTEMPTS_MAX = 3  # of a request that others overtake
JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
_CHARSET = re.compile(r"""charset\s*=\s*"?([\w-]+)""", re.IGNORECASE)
_T = TypeVar("_T")


class _ReadRequest(Request):
    """A request whose JSON has been validated already; FastAPI is given the value."""

    value: Any = None

    async def json(self) -> Any:
        return self.value


class JsonRoute(APIRoute):
    """A route that refuses undeclared query parameters and validates its body as strict JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what handles a request of this route."""
        names = declared(self.dependant)
        model = query_model(self.dependant)
        handle = self._handler(model)
        guards = tuple(_guards(self.dependant))
        adapter, is_required = self._body()
        batch = _batch_model(self.body_field)

        async def replaying(request: Request) -> Response:
            try:
                return await handle(request)
            except Replayed as before:
                return answer(request, before.outcome)

        async def persisting(request: Request) -> Response:
            for _ in range(ATTEMPTS_MAX - 1):
                try:
                    return await replaying(request)
                except Overtaken:
                    pass
            return await replaying(request)

        async def checked(request: Request) -> Response:
            for guard in guards:
                guard.check(request)
            query = request.scope["query_string"]
            values = asked(query, names) if query else {}
            if model is not None:
                read_query(request.scope, model[1], values)
            if adapter is None:
                return await persisting(request)
            reading = _ReadRequest(request.scope, request.receive)
            raw = await reading.body()
            if raw:
                reading.value = _read(adapter, batch, request, raw)
            elif is_required:
                raise Rejection("malformed", "malformed-json", "A JSON body is needed.")
            return await persisting(reading)

        return checked

    def _handler(self, model: tuple[str, type[BaseModel]] | None) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        if model is None:
            return super().get_route_handler()
        described = self.dependant
        self.dependant = with_query_read(described, model[0])
        try:
            return super().get_route_handler()
        finally:
            self.dependant = described

    def _body(self) -> tuple[TypeAdapter[Any] | None, bool]:
        field = self.body_field
        if field is None or isinstance(field.field_info, params.Form):
            return None, False
        if len(self.dependant.body_params) != 1:
            raise TypeError(f"{self.name} takes more than one body")
        whole: Any = field.field_info.annotation
        for constraint in field.field_info.metadata:
            whole = Annotated[whole, constraint]
        return TypeAdapter(whole), field.field_info.is_required()


class Router(APIRouter):
    """The routes of one slice, below `/v1`; an operation's id is the name of its function."""

    def __init__(self, prefix: str = "", *, tags: Sequence[str] = ()) -> None:
        super().__init__(
            prefix=VERSION_PREFIX + prefix,
            tags=list(tags),
            route_class=JsonRoute,
            redirect_slashes=False,
            generate_unique_id_function=lambda route: route.name,
        )


def _batch_model(field: ModelField | None) -> type[Batch[Any]] | None:
    annotation = field.field_info.annotation if field is not None else None
    return annotation if isinstance(annotation, type) and issubclass(annotation, Batch) else None


def _read(adapter: TypeAdapter[Any], batch: type[Batch[Any]] | None, request: Request, raw: bytes) -> Any:
    """Read a body; one of a batch whose items are judged each by itself is not refused for some of them."""
    try:
        return _read_json(adapter, raw, request)
    except Rejection as refusal:
        judged = batch.judge_each(raw) if batch is not None and refusal.kind == "invalid" else None
        if judged is None:
            raise
        return judged


def _read_json(adapter: TypeAdapter[_T], raw: bytes, request: Request) -> _T:
    """Read and validate a JSON body; refuse another type, what is no JSON, and what is wrong in it."""
    if not _is_taken(request.headers, request.method):
        detail = "The body is sent as application/json in UTF-8, without a Content-Encoding."
        raise Rejection("unsupported", "content-type-unsupported", detail)
    if holds_too_many(raw):
        raise Rejection("too_large", "too-many-values", f"A body holds {VALUES_MAX} values at most; send it in parts.")
    if not is_strict(raw):
        raise Rejection("malformed", "malformed-json", "The body is no JSON.")
    try:
        value = adapter.validate_json(raw, strict=True)
    except ValidationError as error:
        only = error.errors(include_url=False, include_input=False)[0] if error.error_count() == 1 else None
        if only is not None and only["type"] == "json_invalid":
            raise Rejection("malformed", "malformed-json", f"{only['msg'].rstrip('.')}.") from None
        raise invalid(*body_faults(error, lambda: from_json(raw))) from None
    if rb"\u0000" in raw and (faults := nul_faults(from_json(raw))):
        raise invalid(*faults)
    return value


def _is_taken(headers: Headers, method: str) -> bool:
    """Whether a body is plain JSON in UTF-8, or a merge patch of it."""
    media_type, _, parameters = headers.get("content-type", "").partition(";")
    taken = {JSON, MERGE_PATCH} if method == "PATCH" else {JSON}
    charset = _CHARSET.search(parameters)
    is_utf_8 = charset is None or charset[1].lower() in {"utf-8", "us-ascii"}
    is_plain = headers.get("content-encoding", "identity").strip().lower() == "identity"
    return media_type.strip().lower() in taken and is_utf_8 and is_plain


def _guards(dependant: Dependant) -> Iterator[Needs]:
    for inner in dependant.dependencies:
        if isinstance(inner.call, Needs):
            yield inner.call
        yield from _guards(inner)
