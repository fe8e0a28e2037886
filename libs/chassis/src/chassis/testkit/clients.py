"""A client that talks to an application in the same process, as if over HTTP."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from chassis.testkit.documented import Documented

BASE_URL = "http://service.test"


@asynccontextmanager
async def client_of(
    app: FastAPI, token: str | None = None, *, as_documented: bool = False
) -> AsyncIterator[httpx.AsyncClient]:
    """Start an application, talk to it with a bearer token, and stop it.

    What the application fails to handle is raised in the test; with `as_documented` so is an answer that its API
    document does not tell of.
    """
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    hooks: dict[str, list[Callable[..., Any]]] = {"response": [Documented(app.openapi())]} if as_documented else {}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url=BASE_URL, headers=headers, event_hooks=hooks
        ) as client,
    ):
        yield client
