"""The portal's refusals as problem documents (RFC 9457), told apart by a stable code."""

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from chassis.tracing import CURRENT

CODES = {404: "no-such-path", 405: "method-not-allowed"}
DETAILS = {404: "Nothing answers at this path.", 405: "The path does not know this method."}


def problem(request: Request, status: int, code: str, detail: str, **extra: object) -> JSONResponse:
    """Answer a request with a problem document."""
    trace = CURRENT.get()
    content = {
        "type": f"urn:tandem:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "instance": request.url.path,
        "trace_id": trace.trace_id if trace else None,
        **extra,
    }
    return JSONResponse(content, status_code=status, media_type="application/problem+json")


def add_problem_handlers(app: FastAPI) -> None:
    """Have the application answer every refusal as a problem document; faults are answered by the edge."""

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

    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, invalid)
