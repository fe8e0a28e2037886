"""The composition root: who is given what."""

from collections.abc import Sequence

from fastapi import APIRouter

from chassis.calendars import routes as calendars
from chassis.calendars.operations import Calendars
from chassis.events.routes import event_routes
from chassis.standing import Standing
from service_catalog.calendars.tables import CALENDARS
from service_catalog.costs import routes as costs
from service_catalog.costs.operations import Costs
from service_catalog.incidents import routes as incidents
from service_catalog.incidents.operations import Incidents
from service_catalog.maintenance_windows import routes as maintenance_windows
from service_catalog.maintenance_windows.operations import MaintenanceWindows
from service_catalog.outages import routes as outages
from service_catalog.outages.operations import Outages
from service_catalog.services import routes as services
from service_catalog.services.operations import Services

PACKAGE = "service_catalog"


def routers(standing: Standing) -> Sequence[APIRouter]:
    """Return the routes of every slice, each given what it needs."""
    database, seal = standing.runtime, standing.seal
    of_incidents = Incidents(database, seal)
    of_outages = Outages(database, seal)
    of_windows = MaintenanceWindows(database, seal)
    of_services = Services(database, seal, incidents=of_incidents, outages=of_outages, windows=of_windows)
    return [
        calendars.router(Calendars(database, CALENDARS, seal), scopes="catalog"),
        services.router(of_services),
        outages.router(of_outages),
        maintenance_windows.router(of_windows),
        incidents.router(of_incidents),
        costs.router(Costs(database, seal)),
        event_routes(standing.feed),
    ]
