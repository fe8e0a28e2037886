"""The portal's refusals as problem documents (RFC 9457), told apart by a stable code."""

import logging
import re
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

LOG = logging.getLogger("portal")
TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)
CODES = {404: "no-such-path", 405: "method-not-allowed"}
DETAILS = {404: "Nothing answers at this path.", 405: "The path does not know this method."}


def problem(request: Request, status: int, code: str, detail: str, **extra: object) -> JSONResponse:
    """Answer a request with a problem document."""
    content = {
        "type": f"urn:tandem:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "instance": request.url.path,
        "trace_id": trace_id(request),
        **extra,
    }
    return JSONResponse(content, status_code=status, media_type="application/problem+json")


def trace_id(request: Request) -> str | None:
    """Return what the request is known by: its trace, else the id the gateway gave it."""
    found = TRACEPARENT.match(request.headers.get("traceparent", ""))
    return found[1] if found else request.headers.get("x-request-id")


def add_problem_handlers(app: FastAPI) -> None:
    """Have the application answer every error as a problem document."""

    async def http_error(request: Request, error: Exception) -> JSONResponse:
        status = error.status_code if isinstance(error, HTTPException) else 400
        headers = error.headers if isinstance(error, HTTPException) else None
        answer = problem(request, status, CODES.get(status, "refused"), DETAILS.get(status, "The request is refused."))
        answer.headers.update(headers or {})
        return answer

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        faults = error.errors() if isinstance(error, RequestValidationError) else []
        errors = [
            {"pointer": "/" + "/".join(map(str, fault["loc"][1:])), "code": fault["type"], "message": fault["msg"]}
            for fault in faults
        ]
        return problem(request, 422, "invalid-fields", "Fields or parameters are wrong.", errors=errors)

    async def fault(request: Request, error: Exception) -> JSONResponse:
        LOG.error("A request failed", exc_info=error)
        return problem(request, 500, "internal-error", "A fault of ours; its trace_id leads to it.")

    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Exception, fault)
