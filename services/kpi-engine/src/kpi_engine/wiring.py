"""The composition root: who is given what."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

from fastapi import APIRouter, FastAPI

from chassis.events.quarantine import Quarantine
from chassis.events.receiving import Receiving
from chassis.events.routes import event_routes, quarantine_routes, receiving_routes
from chassis.events.siblings import Siblings
from chassis.events.waiting import OwnWrites
from chassis.standing import Standing
from chassis.working import Loop, shared_loops
from kpi_engine.availability.operations import Availability
from kpi_engine.definitions import routes as definitions
from kpi_engine.definitions.envelope import SubjectType
from kpi_engine.definitions.operations import Kpis
from kpi_engine.earned_value import routes as earned_value
from kpi_engine.earned_value.operations import EarnedValues
from kpi_engine.facts.in_force import FillingInForce, filling_in_force
from kpi_engine.intake import routes as intake
from kpi_engine.intake.handlers import handlers_of, handlers_received
from kpi_engine.intake.operations import Intake
from kpi_engine.intake.reading import Reading
from kpi_engine.policies import routes as policies
from kpi_engine.policies.operations import Policies
from kpi_engine.settings import Settings

PACKAGE = "kpi_engine"


class Engine:
    """What the processes of the engine are made of."""

    def __init__(self, settings: Settings) -> None:
        self.standing = Standing(settings, PACKAGE)
        self.siblings = Siblings(settings)
        self._in_force = FillingInForce(self.standing.runtime)

    @property
    def reading(self) -> Reading:
        """What reads the siblings' logs."""
        return Reading(self.standing.worker, self.siblings.by_name)

    def routers(self) -> Sequence[APIRouter]:
        """Return the routes of every slice, each given what it needs."""
        database, worker, seal = self.standing.runtime, self.standing.worker, self.standing.seal
        own_writes = OwnWrites(database, self.siblings.by_name, projection=filling_in_force)
        of_projects = EarnedValues(database, seal)
        of_services = Availability(database, seal)
        kpis = Kpis({SubjectType.SERVICE: of_services, SubjectType.PROJECT: of_projects}, seal)
        return [
            definitions.router(kpis, own_writes),
            earned_value.router(of_projects, own_writes),
            policies.router(Policies(database, seal), own_writes),
            intake.router(Intake(database), own_writes),
            event_routes(self.standing.feed),
            receiving_routes(Receiving(database, worker, handlers_received, self._in_force)),
            quarantine_routes(Quarantine(database, worker, handlers_of)),
        ]

    def loops(self) -> dict[str, Loop]:
        """Return what runs beside the requests."""
        return {**shared_loops(self.standing), "reading": self.reading.run}

    @contextlib.asynccontextmanager
    async def lifespan(self, app: FastAPI) -> AsyncIterator[None]:
        """Open what the routes use, and close it at the end."""
        async with self.standing.lifespan(app):
            stop = asyncio.Event()
            looking = asyncio.ensure_future(self._in_force.keep_looking(stop))
            try:
                yield
            finally:
                stop.set()
                await looking
                await self.siblings.close()
