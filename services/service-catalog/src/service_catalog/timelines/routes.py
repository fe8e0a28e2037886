"""The paths of timelines."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from chassis.caller import Caller
from chassis.http import ListQuery, Router, answer, needs, problems, sorted_by
from chassis.schemas import PageOf
from service_catalog.timelines import schemas
from service_catalog.timelines.operations import Timelines
from service_catalog.timelines.tables import WORK_NOTES

Reader = Annotated[Caller, Depends(needs("catalog:read"))]
Writer = Annotated[Caller, Depends(needs("catalog:write"))]


class WorkNoteQuery(ListQuery):
    """What work notes can be found by."""

    sort: Annotated[str | None, sorted_by(WORK_NOTES.sorts)] = None
    internal: bool | None = None
    author: str | None = None


def router(timelines: Timelines) -> Router:
    """Return the paths of timelines."""
    routes = Router("/incidents/{incident_id}", tags=["incidents"])

    @routes.get("/timeline", response_model=schemas.Timeline, responses=problems(404))
    async def list_incident_timeline(request: Request, caller: Reader, incident_id: UUID) -> Response:
        """Tell what happened to an incident, oldest first.

        Its states and priorities, its service, team, assignee and major flag, which incident it became part of and
        which problem it belonged to, what it was told of that problem, the warnings and breaches of its SLA clocks, and
        all work notes.
        """
        return answer(request, await timelines.timeline(caller, incident_id))

    @routes.post("/timeline", status_code=201, response_model=schemas.WorkNote, responses=problems(404, 409))
    async def create_incident_work_note(
        request: Request, caller: Writer, incident_id: UUID, new: schemas.NewWorkNote
    ) -> Response:
        """Add a work note to the timeline of an incident, whatever its state; a note is never edited.

        An incident has at most 1,000 of them.
        """
        return answer(request, await timelines.add(caller, incident_id, new))

    @routes.get("/work-notes", response_model=PageOf[schemas.WorkNote], responses=problems(404))
    async def list_incident_work_notes(
        request: Request, caller: Reader, incident_id: UUID, query: Annotated[WorkNoteQuery, Query()]
    ) -> Response:
        """List the work notes of an incident, oldest first; `q` looks into the text."""
        return answer(request, await timelines.notes(caller, incident_id, query.listing(incident_id)))

    @routes.get("/work-notes/{work_note_id}", response_model=schemas.WorkNote, responses=problems(404))
    async def get_incident_work_note(
        request: Request, caller: Reader, incident_id: UUID, work_note_id: UUID
    ) -> Response:
        """Return a work note."""
        return answer(request, await timelines.note(caller, incident_id, work_note_id))

    return routes
