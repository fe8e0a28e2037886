"""The outermost layer of a service: ids, limits, metrics, the access log, and an answer to every failure."""

from time import perf_counter
from typing import Any

import structlog
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis import ids, tracing
from chassis.http.authentication import SANE_ID
from chassis.http.draining import Drain
from chassis.http.idempotency import CALLER
from chassis.http.problems import fault_of_ours, of_framework, refusal
from chassis.metrics import RequestMetrics
from chassis.rejection import Rejection
from chassis.tracing import CURRENT, continued

LOG = structlog.get_logger("chassis.access")
FIRST_REFUSAL = 400
CLIENT_GONE = 499
QUIET_PATHS = frozenset({"/healthz", "/readyz"})
BULK_SUFFIXES = (":batch", ":import")
PUBLIC_SEGMENTS = 3  # of `/v1/incidents/…`, with the empty one in front
_CLOSE = (b"connection", b"close")


class Edge:
    """ASGI: everything a request meets before and after the service itself.

    Continues `traceparent`, echoes a sane X-Request-Id or makes one, serves HEAD as GET without its body, refuses
    bodies beyond the limit, closes connections while draining, and answers whatever is raised further in.
    """

    def __init__(
        self, app: ASGIApp, *, metrics: RequestMetrics, drain: Drain, body_bytes_max: int, bulk_body_bytes_max: int
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._drain = drain
        self._body_bytes_max = body_bytes_max
        self._bulk_body_bytes_max = bulk_body_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = perf_counter()
        length, traceparent, request_id = _head(scope)
        request_id = request_id or str(ids.new_id())
        is_quiet = scope["path"] in QUIET_PATHS
        trace = continued(traceparent, request_id) if is_quiet else tracing.request(traceparent, request_id, scope)
        unset = CURRENT.set(trace)
        method: str = scope["method"]
        exchange = _Exchange(receive, send, request_id.encode("ascii"), self._drain)
        if method == "HEAD":
            scope = {**scope, "method": "GET"}  # the server still has to know that it was HEAD
            exchange.is_silent = True
        self._metrics.running += 1
        try:
            await self._serve(scope, exchange, length)
        finally:
            self._metrics.running -= 1
            seconds = perf_counter() - begun
            route: str | None = getattr(scope.get("route"), "path_format", scope["path"] if is_quiet else None)
            self._metrics.observe(method, route or "unmatched", exchange.status, seconds)
            if trace.recorded is not None:
                trace.recorded.answered(method, route, told_path(scope), exchange.status)
            if not is_quiet or exchange.status >= FIRST_REFUSAL:
                _log(scope, method, route or "unmatched", exchange, seconds)
            CURRENT.reset(unset)

    async def _serve(self, scope: Scope, exchange: "_Exchange", length: int) -> None:
        try:
            receive = exchange.receive
            if scope["method"] != "GET":
                exchange.limit(self._limit(scope["path"]), length)
                receive = exchange.counted_receive
            await self._app(scope, receive, exchange.send)
        except ClientDisconnect:
            exchange.status = CLIENT_GONE
        except Exception as error:  # no failure may go unanswered
            response = _answered(error, scope)
            if exchange.status:  # the answer has begun: breaking the connection is all that is left
                raise
            await response(scope, exchange.receive, exchange.send)

    def _limit(self, path: str) -> int:
        return self._bulk_body_bytes_max if path.endswith(BULK_SUFFIXES) else self._body_bytes_max


class _Exchange:
    """The two ends of one request, counted; a status of 0 says that no answer has begun."""

    __slots__ = (
        "_drain",
        "_request_id",
        "_send",
        "body_bytes_left",
        "is_cut",
        "is_silent",
        "receive",
        "sent",
        "status",
    )

    def __init__(self, receive: Receive, send: Send, request_id: bytes, drain: Drain) -> None:
        self.receive = receive
        self._send = send
        self._request_id = request_id
        self._drain = drain
        self.body_bytes_left = 0
        self.is_silent = False
        self.is_cut = False
        self.status = 0
        self.sent = 0

    async def counted_receive(self) -> Message:
        message = await self.receive()
        if message["type"] == "http.request":
            self._take(len(message.get("body", b"")))
        return message

    def limit(self, size_max: int, length: int) -> None:
        """Take a body of so many bytes at most; `length` is what its head says, 0 if nothing."""
        self.body_bytes_left = size_max
        if length > size_max:
            self._take(length)

    def _take(self, size: int) -> None:
        self.body_bytes_left -= size
        if self.body_bytes_left < 0:
            self.is_cut = True
            raise Rejection("too_large", "body-too-large", "The body is larger than this path takes.")

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers: list[Any] = [*message.get("headers", ()), (b"x-request-id", self._request_id)]
            if self._drain.is_begun or self.is_cut:
                headers.append(_CLOSE)
            message = {**message, "headers": headers}
        elif message["type"] == "http.response.body":
            if self.is_silent:
                message = {**message, "body": b""}
            self.sent += len(message.get("body", b""))
        await self._send(message)


def _head(scope: Scope) -> tuple[int, str | None, str | None]:
    """Return the length, `traceparent` and sane request id that a request's headers tell."""
    length, traceparent, request_id = 0, None, None
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            request_id = value.decode("ascii") if SANE_ID.fullmatch(value) else None
        elif name == b"traceparent":
            traceparent = value.decode("latin-1")
        elif name == b"content-length":
            length = int(value) if value.isdigit() else 0
    return length, traceparent, request_id


def _answered(error: Exception, scope: Scope) -> Response:
    if isinstance(error, Rejection):
        error.forget_its_way()
        return refusal(error, scope)
    if isinstance(error, HTTPException | RequestValidationError):
        return of_framework(error, scope)
    LOG.error("request_failed", method=scope["method"], path=told_path(scope), exc_info=error)
    return fault_of_ours()


def told_path(scope: Scope) -> str:
    """Return the path as far as logs may have it: of a path that needs no token, a part may be one."""
    path: str = scope["path"]
    if CALLER in scope:
        return path
    route: str | None = getattr(scope.get("route"), "path_format", None)
    return route or "/".join(
        [*path.split("/")[:PUBLIC_SEGMENTS], *(["…"] if path.count("/") >= PUBLIC_SEGMENTS else [])]
    )


def _log(scope: Scope, method: str, route: str, exchange: _Exchange, seconds: float) -> None:
    caller = scope.get(CALLER)
    LOG.info(
        "request",
        method=method,
        path=told_path(scope),
        route=route,
        status=exchange.status,
        ms=round(seconds * 1000, 2),
        bytes=exchange.sent,
        org=caller.org if caller else None,
        subject=caller.subject if caller else None,
    )
