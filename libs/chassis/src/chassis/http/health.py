"""Whether the process lives (`/healthz`) and whether it should be sent requests (`/readyz`)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chassis.events.interruptions import DATABASE_AWAY
from chassis.http.draining import Drain
from chassis.rejection import Rejection
from chassis.unfit import UnfitError

LOG = structlog.get_logger()
CHECK_SECONDS = 2.0
ReadyCheck = Callable[[], Awaitable[None]]
"""Returns when all is well; raises `Rejection`, `UnfitError` or any database or network error when not."""


def health_routes(checks: Mapping[str, ReadyCheck], drain: Drain) -> list[Route]:
    """Return the two routes; readiness holds while every check passes and the server is not about to stop."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        results = await asyncio.gather(*(_passes(name, check) for name, check in checks.items()))
        told = {name: "ok" if passed else "failed" for name, passed in zip(checks, results, strict=True)}
        if drain.is_begun:
            told["draining"] = "failed"
        is_ready = all(results) and not drain.is_begun
        return JSONResponse(
            {"status": "ready" if is_ready else "unavailable", "checks": told}, 200 if is_ready else 503
        )

    return [Route("/healthz", healthz), Route("/readyz", readyz)]


async def _passes(name: str, check: ReadyCheck) -> bool:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check()
    except (Rejection, TimeoutError, RuntimeError, UnfitError, *DATABASE_AWAY) as error:
        LOG.warning("not_ready", check=name, error=type(error).__name__)
        return False
    except Exception:  # a check that fails in a way of its own must not look ready
        LOG.exception("not_ready", check=name)
        return False
    return True
