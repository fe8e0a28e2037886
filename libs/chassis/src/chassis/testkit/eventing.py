"""A service's events without the service: sequencer, feed and quarantine on a database, and loops to kill."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict
from typing import Any

import httpx
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.caller import Caller
from chassis.events.feed import Feed
from chassis.events.handling import Handlers
from chassis.events.head import HeadWatcher
from chassis.events.quarantine import Quarantine
from chassis.events.receiving import Receiving
from chassis.events.routes import event_routes, quarantine_routes, receiving_routes
from chassis.events.sequencer import Sequencer
from chassis.events.sibling import Sibling
from chassis.http.idempotency import CALLER
from chassis.http.links import header
from chassis.http.problems import refusal
from chassis.rejection import Rejection
from chassis.testkit.background import GivenToken
from chassis.testkit.databases import Addresses, Pools

SCOPES = frozenset({"events:read", "events:deliver"})
STOP_SECONDS = 10
POLL_SECONDS = 0.01


class WithCaller:
    """Takes the bearer token as the name of the caller's organisation."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            token = (header(scope, b"authorization") or b"").removeprefix(b"Bearer ").decode()
            if token:
                scope[CALLER] = Caller(org=token, subject="tester", scopes=SCOPES)
        await self._app(scope, receive, send)


@asynccontextmanager
async def running(loop: Callable[[asyncio.Event], Any]) -> AsyncIterator[asyncio.Event]:
    """Run a loop for the block; it stops when told to."""
    stop = asyncio.Event()
    task = asyncio.ensure_future(loop(stop))
    try:
        yield stop
    finally:
        stop.set()
        async with asyncio.timeout(STOP_SECONDS):
            await task


async def _refuse(request: Request, error: Exception) -> Response:
    if not isinstance(error, Rejection):
        raise error
    return refusal(error, request.scope)


class EventService:
    """A service of its own database: sequencer, feed, quarantine, and a client to talk to it."""

    def __init__(self, pools: Pools, handlers: Handlers) -> None:
        self.pools = pools
        self.watcher = HeadWatcher(pools.runtime)
        self.feed = Feed("/sample", runtime=pools.runtime, worker=pools.worker, watcher=self.watcher)
        app = FastAPI()
        app.include_router(event_routes(self.feed))
        app.include_router(quarantine_routes(Quarantine(pools.runtime, pools.worker, handlers)))
        app.include_router(receiving_routes(Receiving(pools.runtime, pools.worker, lambda _source, _filling: handlers)))

        app.add_exception_handler(Rejection, _refuse)
        app.add_middleware(WithCaller)
        self.app = app
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app),
            base_url="http://sample.test",
            headers={"Authorization": "Bearer acme"},
        )

    def as_sibling(self, name: str = "producer") -> Sibling:
        """Return this service as another one reads it."""
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app))
        return Sibling(name, "http://producer.test", client=client, token=GivenToken())

    async def sequence(self) -> int:
        """Give everything pending its position."""
        sequencer, moved = Sequencer(self.pools.worker), 0
        connection = await self.pools.worker.connect()
        try:
            while turn := await sequencer.turn(connection):
                moved += turn
        finally:
            await connection.close()
        return moved


@asynccontextmanager
async def service_on(addresses: Addresses, handlers: Handlers | None = None) -> AsyncIterator[EventService]:
    """Open a service on a database for the block."""
    async with addresses.pools() as pools:
        yield EventService(pools, handlers or {})


@contextmanager
def background(loop: str, **settings: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a loop in a process of its own for the block; it ends by SIGKILL."""
    command = [sys.executable, "-m", "chassis.testkit.background", loop, json.dumps(settings)]
    process = subprocess.Popen(command)  # noqa: S603  (our own module)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def worker_of(addresses: Addresses) -> dict[str, Any]:
    """Return a worker's address as a setting of `background`."""
    return asdict(addresses.worker)


async def until(condition: Callable[[], Awaitable[object]], seconds: float = 20) -> None:
    """Wait until an asynchronous condition holds."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110  (what is waited for is in a database)
            await asyncio.sleep(POLL_SECONDS)
