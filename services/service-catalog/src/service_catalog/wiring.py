"""The composition root: the only place that knows every slice."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from chassis.calendars.operations import Calendars
from chassis.calendars.routes import router as calendar_routes
from chassis.events.routes import event_routes
from chassis.http.routes import Router
from chassis.standing import Standing
from chassis.working import Loop, shared_loops
from service_catalog.calendars.tables import CALENDARS
from service_catalog.incidents.operations import Incidents
from service_catalog.incidents.routes import router as incident_routes
from service_catalog.maintenance_windows.operations import MaintenanceWindows
from service_catalog.maintenance_windows.routes import router as maintenance_window_routes
from service_catalog.outages.operations import Outages
from service_catalog.outages.routes import router as outage_routes
from service_catalog.services.operations import Services
from service_catalog.services.routes import router as service_routes
from service_catalog.settings import Settings

PACKAGE = "service_catalog"


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """The slices of this service, on what its processes stand on."""

    standing: Standing
    calendars: Calendars
    services: Services
    outages: Outages
    windows: MaintenanceWindows
    incidents: Incidents

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Put the slices together."""
        standing = Standing(settings, PACKAGE)
        database, seal = standing.runtime, standing.seal
        incidents = Incidents(database, seal)
        outages = Outages(database, seal)
        windows = MaintenanceWindows(database, seal)
        return cls(
            standing=standing,
            calendars=Calendars(database, CALENDARS, seal),
            services=Services(database, seal, incidents=incidents, outages=outages, windows=windows),
            outages=outages,
            windows=windows,
            incidents=incidents,
        )

    def routers(self) -> Sequence[Router]:
        """Return all paths."""
        return [
            calendar_routes(self.calendars, scopes="catalog"),
            service_routes(self.services),
            outage_routes(self.outages),
            maintenance_window_routes(self.windows),
            incident_routes(self.incidents),
            event_routes(self.standing.feed),
        ]


def loops(standing: Standing) -> dict[str, Loop]:
    """Return what `work` runs."""
    return shared_loops(standing)
