"""The use cases of timelines."""

from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, select

from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database, Statement
from chassis.keys import command
from chassis.listing import Listing
from chassis.outcome import Found, Page, Written
from chassis.reading import get, list_page
from chassis.rejection import Rejection
from chassis.writing import add
from service_catalog.incidents.operations import Incidents
from service_catalog.sla.notices import notices_of
from service_catalog.timelines.document import timeline_of
from service_catalog.timelines.schemas import NOTES_MAX, NewWorkNote
from service_catalog.timelines.tables import WORK_NOTES, work_note

_OF_INCIDENT = work_note.c.incident_id == bindparam("incident_id", type_=Uuid)
_COUNT = Statement(select(func.count()).select_from(work_note).where(_OF_INCIDENT))
_NOTES = Statement(
    select(*(work_note.c[name] for name in ("id", "created_at", "text", "internal", "author")))
    .where(_OF_INCIDENT)
    .order_by(work_note.c.created_at, work_note.c.id)
)
_FULL = Rejection("conflict", "too-many-notes", f"An incident has at most {NOTES_MAX} work notes.")


class Timelines:
    """What happened to incidents, and the work notes on it."""

    def __init__(self, database: Database, seal: CursorSeal, *, incidents: Incidents) -> None:
        self._database = database
        self._seal = seal
        self._incidents = incidents

    async def timeline(self, caller: Caller, incident_id: UUID) -> Found:
        """Return all that happened to an incident, oldest first."""
        async with self._database.read(caller) as tx:
            row = await self._incidents.row(tx, incident_id)
            steps = await self._incidents.happened(tx, row)
            notices = await notices_of(tx, incident_id)
            return Found(timeline_of(steps, notices, await tx.all(_NOTES, incident_id=incident_id)))

    async def add(self, caller: Caller, incident_id: UUID, new: NewWorkNote) -> Written:
        """Add a work note, whatever state the incident is in; the incident is locked, so that its notes are counted."""
        async with command(self._database, caller) as tx:
            await self._incidents.lock(tx, incident_id)
            if await tx.value(_COUNT, incident_id=incident_id) >= NOTES_MAX:
                raise _FULL.anew()
            values = vars(new) | {"incident_id": incident_id, "author": caller.subject}
            return await add(tx, WORK_NOTES, values, verb="added")

    async def note(self, caller: Caller, incident_id: UUID, id_: UUID) -> Found:
        """Return one work note of an incident."""
        async with self._database.read(caller) as tx:
            return await get(tx, WORK_NOTES, id_, owner=incident_id)

    async def notes(self, caller: Caller, incident_id: UUID, listing: Listing) -> Page:
        """Return a page of the work notes of an incident."""
        async with self._database.read(caller) as tx:
            await self._incidents.row(tx, incident_id)
            return await list_page(tx, WORK_NOTES, listing, self._seal)
