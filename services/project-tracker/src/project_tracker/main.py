"""The application that answers requests."""

from chassis.http.app import Api, create_api
from chassis.standing import Standing
from project_tracker.settings import Settings
from project_tracker.wiring import PACKAGE, routers

DESCRIPTION = "Projects from charter to closing: plans, schedules, baselines, progress and costs."


def create_app(settings: Settings) -> Api:
    """Return the application; its pools open with the first request and close when it stops."""
    standing = Standing(settings, PACKAGE)
    return create_api(
        settings,
        title="Project tracker",
        description=DESCRIPTION,
        routers=routers(standing),
        lifespan=standing.lifespan,
        ready_checks=standing.ready_checks,
        check_start=standing.check_start,
        drain=standing.drain,
    )
