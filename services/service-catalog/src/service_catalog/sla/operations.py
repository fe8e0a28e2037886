"""The use cases of SLA clocks."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.calendars.operations import Calendars
from chassis.caller import Caller
from chassis.database import Database, Reading
from chassis.outcome import Found
from chassis.schemas import instant_text
from chassis.working_time import CONTINUOUS, WorkingCalendar
from service_catalog.clocks.reckoning import Clock
from service_catalog.incidents.operations import Incidents
from service_catalog.levels.operations import ServiceLevels
from service_catalog.services.directory import calendars_of
from service_catalog.sla.clocks import Target, clock_of, priorities_of
from service_catalog.sla.course import course_of
from service_catalog.sla.documents import document_of
from service_catalog.sla.targets import targets_of


class SlaClocks:
    """The clocks of incidents, told from their history, the service's levels and the calendars as they are now."""

    def __init__(
        self, database: Database, *, incidents: Incidents, levels: ServiceLevels, calendars: Calendars
    ) -> None:
        self._database = database
        self._incidents = incidents
        self._levels = levels
        self._calendars = calendars

    async def get(self, caller: Caller, incident_id: UUID) -> Found:
        """Return the clocks of an incident."""
        async with self._database.read(caller) as tx:
            incident = await self._incidents.row(tx, incident_id)
            clocks = await self.clocks_of(tx, [incident])
            return Found(json.dumps(_told(incident, clocks[incident_id], tx.now)))

    async def several(self, caller: Caller, incident_ids: Sequence[UUID]) -> Found:
        """Return the clocks of incidents, in the order in which they are named; what does not exist is left out."""
        async with self._database.read(caller) as tx:
            incidents = {row["id"]: row for row in await self._incidents.rows(tx, incident_ids)}
            clocks = await self.clocks_of(tx, [*incidents.values()])
            named = [incidents[id_] for id_ in dict.fromkeys(incident_ids) if id_ in incidents]
            items = [_told(incident, clocks[incident["id"]], tx.now) for incident in named]
            return Found(json.dumps({"items": items, "next": None}))

    async def clocks_of(self, tx: Reading, incidents: Sequence[Any]) -> Mapping[UUID, Sequence[Clock[Target]]]:
        """Return the clocks of incidents now, those of its present priority first."""
        services = {incident["service_id"] for incident in incidents}
        told = await self._incidents.told(tx, [incident["id"] for incident in incidents])
        levels = await self._levels.times_of(tx, services)
        service_calendars = await calendars_of(tx, services)
        calendars: dict[UUID | None, WorkingCalendar] = {None: CONTINUOUS}
        clocks: dict[UUID, list[Clock[Target]]] = {}
        for incident in incidents:
            own, service_id = clocks.setdefault(incident["id"], []), incident["service_id"]
            course = course_of(incident, *told[incident["id"]])
            for priority, left_at in reversed(priorities_of(course)):
                for agreed in targets_of(
                    priority, levels[service_id], service_calendars[service_id], course.started_at
                ):
                    key = agreed.calendar_id
                    if key not in calendars and key is not None:
                        calendars[key] = await self._calendars.working_time_in(tx, key)
                    target = Target(
                        metric=agreed.metric,
                        priority=priority,
                        minutes=agreed.minutes,
                        calendar=calendars[key],
                        calendar_id=key,
                        service_level_id=agreed.service_level_id,
                    )
                    own.append(clock_of(course, target, tx.now, left_at))
        return clocks


def _told(incident: Any, clocks: Sequence[Clock[Target]], now: datetime) -> dict[str, Any]:
    """Return the clocks of one incident as JSON."""
    return {
        "incident_id": str(incident["id"]),
        "service_id": str(incident["service_id"]),
        "state": incident["state"],
        "priority": incident["priority"],
        "clocks": [document_of(clock) for clock in clocks],
        "at": instant_text(now),
    }
