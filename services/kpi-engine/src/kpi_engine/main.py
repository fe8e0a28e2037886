"""The application that answers requests."""

from chassis.http.app import Api, create_api
from kpi_engine.settings import Settings
from kpi_engine.wiring import Engine

DESCRIPTION = "Key performance indicators of services and projects, computed from the facts that both sides tell."


def create_app(settings: Settings) -> Api:
    """Return the application; its pools open with the first request and close when it stops."""
    engine = Engine(settings)
    return create_api(
        settings,
        title="KPI engine",
        description=DESCRIPTION,
        routers=engine.routers(),
        lifespan=engine.lifespan,
        ready_checks=engine.standing.ready_checks,
        check_start=engine.standing.check_start,
        drain=engine.standing.drain,
    )
