"""The HTTP application of service-catalog."""

from chassis.http.app import Api, create_api
from service_catalog.settings import Settings
from service_catalog.wiring import Catalog

DESCRIPTION = (
    "Services from proposal to retirement, and what happens to them: outages, maintenance windows and incidents."
)


def create_app(settings: Settings) -> Api:
    """Return the application; its pools open with the first request and close with its lifespan."""
    catalog = Catalog.of(settings)
    return create_api(
        settings,
        title="service-catalog",
        description=DESCRIPTION,
        routers=catalog.routers(),
        lifespan=catalog.standing.lifespan,
        ready_checks=catalog.standing.ready_checks,
    )
