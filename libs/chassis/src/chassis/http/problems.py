"""Refusals as responses: problem documents (RFC 9457) with what belongs to one request."""

import json
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from chassis.faults import parameter_faults
from chassis.http.links import own_path
from chassis.problem import problem_members, status_of
from chassis.rejection import Rejection, invalid, not_found
from chassis.tracing import CURRENT

PROBLEM_JSON = "application/problem+json"
INTERNAL_ERROR = 500
_WHEN = {
    400: "The request is malformed.",
    401: "The token is missing or not valid here.",
    403: "The token lacks the scope this needs.",
    404: "There is no such resource in this organisation.",
    405: "The resource does not know this method.",
    409: "A rule or another resource stands against it.",
    410: "This is no longer kept.",
    412: "The resource has changed since it was read; `current` shows it.",
    413: "The body is too large.",
    415: "The body is not of a type this takes.",
    422: "Fields or query parameters are wrong or unknown; `errors` lists them.",
    428: "The request needs If-Match.",
    429: "Too many requests; Retry-After says when to come back, RateLimit-Policy how many there may be.",
    500: "A fault of ours; only its trace_id is told.",
    503: "Something this depends on is away; Retry-After says when to come back.",
}


def refusal(rejection: Rejection, scope: Scope) -> Response:
    """Answer a request with a refusal."""
    content = problem_members(rejection) | _of_request(scope)
    headers: dict[str, str] = {}
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=str)
    if rejection.current is not None:
        representation, version = rejection.current
        text = f'{text[:-1]},"current":{representation}}}'
        headers["ETag"] = f'"{version}"'
    if rejection.retry_after_seconds is not None:
        headers["Retry-After"] = str(rejection.retry_after_seconds)
    if rejection.quota is not None:
        quota = rejection.quota
        headers["RateLimit-Policy"] = f'"{quota.policy}";q={quota.requests};w={quota.window_seconds}'
        headers["RateLimit"] = f'"{quota.policy}";r=0;t={quota.more_in_seconds}'
    if rejection.kind == "unauthenticated":
        headers["WWW-Authenticate"] = (
            'Bearer realm="tandem"'
            if rejection.code == "token-missing"
            else f'Bearer realm="tandem", error="invalid_token", error_description="{rejection.detail}"'
        )
    elif rejection.code == "missing-scope":
        needed = rejection.extra.get("scope", "")
        headers["WWW-Authenticate"] = f'Bearer realm="tandem", error="insufficient_scope", scope="{needed}"'
    return Response(text, status_of(rejection), headers, PROBLEM_JSON)


def fault_of_ours() -> Response:
    """Answer a request that failed by a bug: nothing but the trace to look it up by."""
    return _plain(INTERNAL_ERROR, "internal-error", _trace())


def no_request() -> Response:
    """Answer what is no HTTP request."""
    detail = "This is no HTTP request, or its target is longer than 65,535 bytes."
    return _plain(400, "malformed-request", {"detail": detail, **_trace()}, {"Connection": "close"})


def of_framework(error: HTTPException | RequestValidationError, scope: Scope) -> Response:
    """Answer what FastAPI and Starlette refuse by themselves."""
    if isinstance(error, HTTPException):
        if error.status_code == HTTPStatus.NOT_FOUND:
            return refusal(Rejection("not_found", "not-found", "There is nothing at this path."), scope)
        status = HTTPStatus(error.status_code)
        told = {"detail": _WHEN.get(status, status.description), **_of_request(scope)}
        return _plain(status, status.phrase.lower().replace(" ", "-"), told, error.headers)
    errors = error.errors()
    places = {found["loc"][0] if found["loc"] else "body" for found in errors}
    is_new_key = scope["method"] == "PUT" and ("path", "key") in {tuple(found["loc"]) for found in errors}
    if "path" in places and not is_new_key:
        return refusal(not_found("resource"), scope)
    if places == {"body"}:
        return refusal(Rejection("malformed", "malformed-json", "A JSON body is needed."), scope)
    return refusal(invalid(*parameter_faults({**found, "loc": found["loc"][1:]} for found in errors)), scope)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route that can be refused with these statuses.

    Those that follow from what a route declares (400, 401, 403, 412, 413, 415, 422, 428, 500, 503) are documented by
    themselves; a route names the others: 404, 409, 410, 429.
    """
    return {
        status: {
            "description": _WHEN[status],
            "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def _plain(status: int, code: str, told: dict[str, Any], headers: Any = None) -> Response:
    content = {
        "type": f"urn:tandem:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "code": code,
        **told,
    }
    return Response(json.dumps(content), status, headers, PROBLEM_JSON)


def _of_request(scope: Scope) -> dict[str, Any]:
    return {"instance": own_path(scope), **_trace()}


def _trace() -> dict[str, Any]:
    trace = CURRENT.get()
    return {"trace_id": trace.trace_id if trace else None}
