"""How a rejection reads outside: the members of its problem document (RFC 9457); the one place that knows statuses."""

from http import HTTPStatus
from typing import Any

from chassis.rejection import Kind, Rejection

STATUS: dict[Kind, int] = {
    "malformed": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "conflict": 409,
    "gone": 410,
    "stale": 412,
    "too_large": 413,
    "unsupported": 415,
    "invalid": 422,
    "precondition_required": 428,
    "rate_limited": 429,
    "unavailable": 503,
}


def status_of(rejection: Rejection) -> int:
    """Return the HTTP status of a rejection."""
    return STATUS[rejection.kind]


def problem_members(rejection: Rejection) -> dict[str, Any]:
    """Return what a problem document says of a rejection, but for where and in which request it happened."""
    status = status_of(rejection)
    members: dict[str, Any] = {
        "type": f"urn:tandem:problem:{rejection.code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": rejection.code,
        "detail": rejection.detail,
    }
    if rejection.faults:
        members["errors"] = [
            {"pointer": fault.pointer, "code": fault.code, "message": fault.message} for fault in rejection.faults
        ]
    if rejection.unmet:
        members["unmet_guards"] = [
            {"code": guard.code, "message": guard.message, "ref": guard.ref} for guard in rejection.unmet
        ]
    return members | {name: told for name, told in rejection.extra.items() if name not in members}
