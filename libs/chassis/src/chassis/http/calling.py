"""Calling the function of a route with what it takes, which is found out once and not with each request.

FastAPI is prepared for every kind of parameter, and looks for each kind in each request. Most routes take the request,
parts of the path, a query or body that was read before, and dependencies that take nothing but the request.
"""

from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response

Call = Callable[[Request, Any], Awaitable[Response]]


def plain_call(dependant: Dependant) -> Call | None:
    """Return what calls a route's function with the request and its body; None if FastAPI is needed for it.

    As with FastAPI, dependencies come first, and then all faults of the path at once.
    """
    function: Any = dependant.call
    body = [field.name for field in dependant.body_params if _is_read_whole(field.field_info)]
    if not (
        _is_plain(dependant)
        and _gives_response(function)
        and len(body) == len(dependant.body_params) <= 1
        and all(_takes_request_alone(inner) for inner in dependant.dependencies)
    ):
        return None
    request_name, body_name = dependant.request_param_name, body[0] if body else None
    dependencies: list[tuple[str | None, Any, str | None]] = [
        (inner.name, inner.call, inner.request_param_name) for inner in dependant.dependencies
    ]
    path = [(field.name, field.alias, field) for field in dependant.path_params]

    async def call(request: Request, read: Any) -> Response:
        values: dict[str, Any] = {}
        for name, depend, takes in dependencies:
            found = await depend(**({takes: request} if takes else {}))
            if name is not None:
                values[name] = found
        faults: list[Any] = []
        for name, alias, field in path:
            values[name], wrong = field.validate(request.path_params[alias], values, loc=("path", alias))
            faults += wrong
        if faults:
            raise RequestValidationError(faults)
        if request_name is not None:
            values[request_name] = request
        if body_name is not None:
            values[body_name] = read
        response: Response = await function(**values)
        return response

    return call


def _gives_response(function: Any) -> bool:
    """Whether a function says that it gives the response itself, so that nothing is left to be made of its answer."""
    given = function.__annotations__.get("return")
    return isinstance(given, type) and issubclass(given, Response)


def _is_read_whole(body: Any) -> bool:
    """Whether a body is one JSON value that has to be there."""
    return body.is_required() and not body.embed


def _is_plain(dependant: Dependant) -> bool:
    """Whether a function is a coroutine that asks for none of what only FastAPI can give it."""
    return _is_coroutine(dependant.call) and not any(
        (
            dependant.query_params,
            dependant.header_params,
            dependant.cookie_params,
            dependant.websocket_param_name,
            dependant.http_connection_param_name,
            dependant.response_param_name,
            dependant.background_tasks_param_name,
            dependant.security_scopes_param_name,
        )
    )


def _takes_request_alone(dependant: Dependant) -> bool:
    others = (dependant.path_params, dependant.body_params, dependant.dependencies)
    return _is_plain(dependant) and not any(others)


def _is_coroutine(function: Any) -> bool:
    return iscoroutinefunction(function) or iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004
