"""The composition root: who is given what."""

from collections.abc import Mapping, Sequence

from fastapi import APIRouter

from chassis import working
from chassis.calendars import routes as calendars
from chassis.calendars.operations import Calendars
from chassis.cursors import CursorSeal
from chassis.database import Database
from chassis.events.leases import Leases
from chassis.events.routes import event_routes
from chassis.standing import Standing
from service_catalog.acceptance import routes as acceptance
from service_catalog.acceptance.operations import AcceptanceCriteria
from service_catalog.calendars.tables import CALENDARS
from service_catalog.changes import routes as changes
from service_catalog.changes.operations import Changes
from service_catalog.costs import routes as costs
from service_catalog.costs.operations import Costs
from service_catalog.dependencies import routes as dependencies
from service_catalog.dependencies.operations import Dependencies
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
from service_catalog.satisfaction import routes as satisfaction
from service_catalog.satisfaction.operations import Invitations, Responses
from service_catalog.satisfaction.tokens import AnswerTokens
from service_catalog.services import routes as services
from service_catalog.services.operations import Services
from service_catalog.sla import routes as sla
from service_catalog.sla import timers
from service_catalog.sla.operations import SlaClocks
from service_catalog.sla.watch import Watch
from service_catalog.timelines import routes as timelines
from service_catalog.timelines.operations import Timelines

PACKAGE = "service_catalog"
OPEN_PATHS = (f"/v1{satisfaction.ANSWER_PATH}",)


def routers(standing: Standing) -> Sequence[APIRouter]:
    """Return the routes of every slice, each given what it needs."""
    database, seal = standing.runtime, standing.seal
    tokens = AnswerTokens(standing.key_for("survey-answers"))
    of_calendars = _calendars(database, seal)
    of_levels = ServiceLevels(database, seal)
    of_incidents = Incidents(database, seal)
    linked = LinkedIncidents(database, seal)
    of_outages = Outages(database, seal)
    of_windows = MaintenanceWindows(database, seal)
    of_criteria = AcceptanceCriteria(database, seal)
    of_dependencies = Dependencies(database, seal)
    of_changes = Changes(database, seal, dependencies=of_dependencies, windows=of_windows)
    of_services = Services(
        database,
        seal,
        incidents=of_incidents,
        outages=of_outages,
        windows=of_windows,
        levels=of_levels,
        criteria=of_criteria,
        dependencies=of_dependencies,
        changes=of_changes,
    )
    return [
        calendars.router(of_calendars, scopes="catalog"),
        services.router(of_services),
        acceptance.router(of_criteria),
        dependencies.router(of_dependencies),
        outages.router(of_outages),
        maintenance_windows.router(of_windows),
        changes.router(of_changes),
        incidents.router(of_incidents),
        timelines.router(Timelines(database, seal, incidents=of_incidents)),
        problems.router(Problems(database, seal, incidents=linked), linked),
        levels.router(of_levels),
        sla.router(SlaClocks(database, incidents=of_incidents, levels=of_levels, calendars=of_calendars)),
        costs.router(Costs(database, seal)),
        improvements.router(Improvements(database, seal)),
        satisfaction.router(Invitations(database, seal, tokens), Responses(database, seal, tokens)),
        event_routes(standing.feed),
    ]


def loops(standing: Standing) -> Mapping[str, working.Loop]:
    """Return what runs beside the requests."""
    database, seal = standing.worker, standing.seal
    of_incidents = Incidents(database, seal)
    clocks = SlaClocks(
        database,
        incidents=of_incidents,
        levels=ServiceLevels(database, seal),
        calendars=_calendars(database, seal),
    )
    watch, leases = Watch(database, clocks=clocks, incidents=of_incidents), Leases(database)
    return working.shared_loops(standing) | {"sla": lambda stop: watch.run(leases, stop)}


def _calendars(database: Database, seal: CursorSeal) -> Calendars:
    return Calendars(database, CALENDARS, seal, when_changed=timers.recheck_all)
