"""The application that answers requests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from chassis.events.siblings import Siblings
from chassis.http.app import Api, create_api
from chassis.standing import Standing
from service_catalog.settings import Settings
from service_catalog.wiring import OPEN_PATHS, PACKAGE, routers

DESCRIPTION = (
    "Services from proposal to retirement: what is agreed and asked of them, what happens to them, and what is changed."
)


def create_app(settings: Settings) -> Api:
    """Return the application; its pools open with the first request and close when it stops."""
    standing, siblings = Standing(settings, PACKAGE), Siblings(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        try:
            async with standing.lifespan(app):
                yield
        finally:
            await siblings.close()

    return create_api(
        settings,
        title="Service catalogue",
        description=DESCRIPTION,
        routers=routers(standing, siblings),
        lifespan=lifespan,
        ready_checks=standing.ready_checks,
        check_start=standing.check_start,
        drain=standing.drain,
        open_path_patterns=OPEN_PATHS,
    )
