"""The composition root: who is given what."""

from collections.abc import Mapping, Sequence
from functools import partial

from fastapi import APIRouter

from chassis import working
from chassis.calendars import routes as calendars
from chassis.calendars.operations import Calendars
from chassis.cursors import CursorSeal
from chassis.database import Database, Transaction
from chassis.events.consumer import Consumer
from chassis.events.leases import Leases
from chassis.events.progress import FIRST_PROJECTION
from chassis.events.quarantine import Quarantine
from chassis.events.receiving import Receiving
from chassis.events.routes import event_routes, quarantine_routes, receiving_routes
from chassis.events.siblings import Siblings
from chassis.events.waiting import OwnWrites
from chassis.standing import Standing
from service_catalog.acceptance import routes as acceptance
from service_catalog.acceptance.operations import AcceptanceCriteria
from service_catalog.calendars.tables import CALENDARS
from service_catalog.catalogue_items import routes as catalogue_items
from service_catalog.catalogue_items.operations import CatalogueItems
from service_catalog.changes import routes as changes
from service_catalog.changes.operations import Changes
from service_catalog.clocks.watch import Watch
from service_catalog.consumes import consumed
from service_catalog.costs import routes as costs
from service_catalog.costs.operations import Costs
from service_catalog.dependencies import routes as dependencies
from service_catalog.dependencies.operations import Dependencies
from service_catalog.handovers import routes as handovers
from service_catalog.handovers.operations import Handovers
from service_catalog.improvements import routes as improvements
from service_catalog.improvements.operations import Improvements
from service_catalog.incidents import routes as incidents
from service_catalog.incidents.linked import LinkedIncidents
from service_catalog.incidents.operations import Incidents
from service_catalog.levels import routes as levels
from service_catalog.levels.operations import ServiceLevels
from service_catalog.maintenance_windows import routes as maintenance_windows
from service_catalog.maintenance_windows.operations import MaintenanceWindows
from service_catalog.outages import routes as outages
from service_catalog.outages.operations import Outages
from service_catalog.problems import routes as problems
from service_catalog.problems.operations import Problems
from service_catalog.requests import routes as requests
from service_catalog.requests.clocks import FulfilmentClocks
from service_catalog.requests.operations import ServiceRequests
from service_catalog.requests.tables import service_request_timer
from service_catalog.requests.timers import TIMERS as REQUEST_TIMERS
from service_catalog.requests.watch import WatchedRequests
from service_catalog.satisfaction import routes as satisfaction
from service_catalog.satisfaction.operations import Invitations, Responses
from service_catalog.satisfaction.tokens import AnswerTokens
from service_catalog.services import routes as services
from service_catalog.services.operations import Services
from service_catalog.services.statuses import ServiceStatuses
from service_catalog.sla import routes as sla
from service_catalog.sla.operations import SlaClocks
from service_catalog.sla.tables import incident_timer
from service_catalog.sla.timers import TIMERS as INCIDENT_TIMERS
from service_catalog.sla.watch import WatchedIncidents
from service_catalog.timelines import routes as timelines
from service_catalog.timelines.operations import Timelines

PACKAGE = "service_catalog"
CLOCKS = {"sla": incident_timer, "fulfilment": service_request_timer}
OPEN_PATHS = (f"/v1{satisfaction.ANSWER_PATH}",)


def routers(standing: Standing, siblings: Siblings) -> Sequence[APIRouter]:
    """Return the routes of every slice, each given what it needs."""
    database, seal = standing.runtime, standing.seal
    own_writes = OwnWrites(database, siblings.by_name)
    tokens = AnswerTokens(standing.key_for("survey-answers"))
    of_calendars = _calendars(database, seal)
    of_levels = ServiceLevels(database, seal)
    of_incidents = Incidents(database, seal)
    linked = LinkedIncidents(database, seal)
    of_handovers = _handovers(database, seal)
    handlers = consumed(of_handovers)
    of_requests = ServiceRequests(database, seal)
    return [
        calendars.router(of_calendars, scopes="catalog"),
        services.router(_services(database, seal), _statuses(database, seal)),
        acceptance.router(AcceptanceCriteria(database, seal)),
        dependencies.router(Dependencies(database, seal)),
        outages.router(Outages(database, seal)),
        maintenance_windows.router(MaintenanceWindows(database, seal)),
        changes.router(_changes(database, seal)),
        incidents.router(of_incidents),
        timelines.router(Timelines(database, seal, incidents=of_incidents)),
        problems.router(Problems(database, seal, incidents=linked), linked),
        levels.router(of_levels),
        sla.router(SlaClocks(database, incidents=of_incidents, levels=of_levels, calendars=of_calendars)),
        catalogue_items.router(CatalogueItems(database, seal)),
        requests.router(of_requests, FulfilmentClocks(database, requests=of_requests, calendars=of_calendars)),
        costs.router(Costs(database, seal)),
        improvements.router(Improvements(database, seal)),
        satisfaction.router(Invitations(database, seal, tokens), Responses(database, seal, tokens)),
        handovers.router(of_handovers, own_writes),
        event_routes(standing.feed),
        receiving_routes(Receiving(database, standing.worker, handlers)),
        quarantine_routes(Quarantine(database, standing.worker, handlers)),
    ]


def loops(standing: Standing, siblings: Siblings) -> Mapping[str, working.Loop]:
    """Return what runs beside the requests."""
    database, seal = standing.worker, standing.seal
    of_incidents, of_requests = Incidents(database, seal), ServiceRequests(database, seal)
    of_levels, of_calendars = ServiceLevels(database, seal), _calendars(database, seal)
    sla_clocks = SlaClocks(database, incidents=of_incidents, levels=of_levels, calendars=of_calendars)
    fulfilment_clocks = FulfilmentClocks(database, requests=of_requests, calendars=of_calendars)
    watch = Watch(
        database,
        WatchedIncidents(clocks=sla_clocks, incidents=of_incidents),
        WatchedRequests(clocks=fulfilment_clocks, requests=of_requests),
    )
    leases = Leases(database)
    handlers = consumed(_handovers(database, seal))
    readers = [
        Consumer(database, sibling, handlers(name, FIRST_PROJECTION)) for name, sibling in siblings.by_name.items()
    ]
    return {
        **working.shared_loops(standing),
        "sla": lambda stop: watch.run(leases, stop),
        **{f"reading {reader.sibling.name}": partial(reader.run, leases) for reader in readers},
    }


def _calendars(database: Database, seal: CursorSeal) -> Calendars:
    return Calendars(database, CALENDARS, seal, when_changed=_recheck_clocks)


async def _recheck_clocks(tx: Transaction) -> None:
    """Have everything looked at that has a clock: a calendar has changed."""
    await INCIDENT_TIMERS.recheck_all(tx)
    await REQUEST_TIMERS.recheck_all(tx)


def _services(database: Database, seal: CursorSeal) -> Services:
    return Services(
        database,
        seal,
        incidents=Incidents(database, seal),
        windows=MaintenanceWindows(database, seal),
        levels=ServiceLevels(database, seal),
        criteria=AcceptanceCriteria(database, seal),
        dependencies=Dependencies(database, seal),
        changes=_changes(database, seal),
    )


def _statuses(database: Database, seal: CursorSeal) -> ServiceStatuses:
    return ServiceStatuses(
        database,
        incidents=Incidents(database, seal),
        outages=Outages(database, seal),
        windows=MaintenanceWindows(database, seal),
        dependencies=Dependencies(database, seal),
    )


def _changes(database: Database, seal: CursorSeal) -> Changes:
    return Changes(
        database, seal, dependencies=Dependencies(database, seal), windows=MaintenanceWindows(database, seal)
    )


def _handovers(database: Database, seal: CursorSeal) -> Handovers:
    return Handovers(
        database,
        seal,
        services=_services(database, seal),
        criteria=AcceptanceCriteria(database, seal),
        levels=ServiceLevels(database, seal),
        calendars=_calendars(database, seal),
    )
