"""Serving: one uvicorn worker that, told to stop, first sends everyone elsewhere."""

import asyncio
import gc
import signal
from socket import socket
from types import FrameType

import structlog
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from chassis import tracing
from chassis.http.draining import Drain
from chassis.http.problems import no_request
from chassis.metrics import serve_metrics
from chassis.settings import ServerSettings
from chassis.unfit import StartCheck, always_fit

LOG = structlog.get_logger()
KEEP_ALIVE_SECONDS = 75  # longer than a gateway keeps an idle connection (60 s), so that the gateway closes first
START_FAILED = 3
YOUNG_OBJECTS_MAX = 50_000  # a batch makes about as many; fewer would have them searched for cycles again and again


class Protocol(HttpToolsProtocol):
    """uvicorn's, with a problem document for what it cannot read."""

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  (uvicorn's words, in plain text)
        """Answer what is no HTTP request, and hang up."""
        response = no_request()
        lines = [b"HTTP/1.1 400 Bad Request", *(name + b": " + value for name, value in response.raw_headers), b"", b""]
        self.transport.write(b"\r\n".join(lines) + bytes(response.body))
        self.transport.close()


class DrainingServer(uvicorn.Server):
    """uvicorn that, on SIGTERM, answers for a while with `Connection: close` and 503 on `/readyz`, and then stops.

    Both are the application's to do, once its drain has begun (`chassis.http.edge`, `chassis.http.health`).

    A second signal, and any SIGINT, stops at once.
    """

    def __init__(self, config: uvicorn.Config, drain: Drain, drain_seconds: float, check: StartCheck) -> None:
        super().__init__(config)
        self._check = check
        self._drain = drain
        self._drain_seconds = drain_seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_draining = False

    async def serve(self, sockets: list[socket] | None = None) -> None:
        """Serve until a signal, if what it stands on is fit."""
        await self._check()
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Stop answering, and send the last spans: the signal ends the process right after this."""
        await super().shutdown(sockets)
        await asyncio.to_thread(tracing.switch_off)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain, or stop."""
        if sig != signal.SIGTERM or self._is_draining or self._loop is None or not self.started:
            super().handle_exit(sig, frame)
            return
        self._is_draining = True
        self._loop.call_soon_threadsafe(self._begin_drain, sig)

    def _begin_drain(self, sig: int) -> None:
        self._drain.begin()
        LOG.info("draining", seconds=self._drain_seconds)
        asyncio.get_running_loop().call_later(self._drain_seconds, super().handle_exit, sig, None)


def serve(
    app: ASGIApp,
    settings: ServerSettings,
    *,
    drain: Drain,
    host: str,
    port: int,
    check: StartCheck = always_fit,
) -> int:
    """Serve until told to stop; returns the exit code. `check` fails where it must not start.

    Forwarded addresses are not believed: links are relative and nothing here asks for a client's address.
    """
    serve_metrics(settings.metrics_port)
    config = configured(app, host=host, port=port, graceful_seconds=settings.graceful_seconds)
    server = DrainingServer(config, drain, settings.drain_seconds, check)
    spare_the_collector()
    server.run()
    return 0 if server.started else START_FAILED


def configured(app: ASGIApp, *, host: str, port: int, graceful_seconds: float = 1) -> uvicorn.Config:
    """Return how uvicorn serves an application, wherever that is; port 0 is any free one."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http=Protocol,
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(1, round(graceful_seconds)),
        limit_concurrency=None,
    )


def spare_the_collector() -> None:
    """Take all that was made until now out of the garbage collector's sight; it stays to the end of the process.

    Otherwise each full collection walks through every module and route, and a request waits 0.1 s for it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS_MAX, 20, 20)
