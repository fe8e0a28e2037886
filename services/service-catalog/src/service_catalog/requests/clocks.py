"""The use cases of fulfilment clocks."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from chassis.calendars.operations import Calendars
from chassis.caller import Caller
from chassis.database import Database, Reading
from chassis.outcome import Found
from chassis.schemas import instant_text
from chassis.working_time import CONTINUOUS, WorkingCalendar
from service_catalog.clocks.reckoning import Clock, Measure, Step
from service_catalog.requests.fulfilment import clock_of, counted, shown
from service_catalog.requests.operations import ServiceRequests

Told = tuple[Clock[Measure], Sequence[Step]]


class FulfilmentClocks:
    """The clocks of service requests, told from their history and the calendars as they are now."""

    def __init__(self, database: Database, *, requests: ServiceRequests, calendars: Calendars) -> None:
        self._database = database
        self._requests = requests
        self._calendars = calendars

    async def get(self, caller: Caller, request_id: UUID) -> Found:
        """Return the clock of a request."""
        async with self._database.read(caller) as tx:
            row = await self._requests.row(tx, request_id)
            told = (await self.clocks_of(tx, [row])).get(request_id)
            document = {
                "service_request_id": str(request_id),
                "catalogue_item_id": str(row["catalogue_item_id"]),
                "service_id": str(row["service_id"]),
                "state": row["state"],
                "clock": None if told is None else shown(*told),
                "at": instant_text(tx.now),
            }
            return Found(json.dumps(document))

    async def clocks_of(self, tx: Reading, rows: Sequence[Any]) -> Mapping[UUID, Told]:
        """Return the clocks of requests now, each with the steps it was counted by; one may have none yet."""
        targeted = [row for row in rows if row["fulfilment_target_minutes"] is not None]
        told = await self._requests.steps(tx, [row["id"] for row in targeted])
        calendars: dict[UUID | None, WorkingCalendar] = {None: CONTINUOUS}
        clocks: dict[UUID, Told] = {}
        for row in targeted:
            steps, key = counted(told[row["id"]]), row["calendar_id"]
            if not steps:
                continue
            if key not in calendars:
                calendars[key] = await self._calendars.working_time_in(tx, key)
            target = Measure(minutes=row["fulfilment_target_minutes"], calendar=calendars[key], calendar_id=key)
            clocks[row["id"]] = clock_of(steps, target, tx.now), steps
        return clocks
