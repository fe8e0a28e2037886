"""The paths of calendars."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from chassis.calendars import schemas
from chassis.calendars.operations import Calendars
from chassis.calendars.tables import SORTS
from chassis.caller import Caller
from chassis.http.answers import answer
from chassis.http.conditions import ExpectedVersion
from chassis.http.idempotency import needs
from chassis.http.problems import problems
from chassis.http.queries import ListQuery, sorted_by
from chassis.http.routes import Router
from chassis.schemas import Instant, PageOf

Since = Annotated[Instant, Query(alias="from", description="Where the span begins.")]
Until = Annotated[Instant, Query(description="Where it ends, exclusively; at most 366 days later.")]


class CalendarQuery(ListQuery):
    """What calendars can be found by."""

    sort: Annotated[str | None, sorted_by(SORTS)] = None
    name: str | None = None
    external_source: str | None = None
    external_id: str | None = None


def router(calendars: Calendars, *, scopes: str) -> Router:
    """Return the paths of calendars; `scopes` is the family of scopes they need (`catalog`, `projects`)."""
    routes = Router("/calendars", tags=["calendars"])
    Reader = Annotated[Caller, Depends(needs(f"{scopes}:read"))]  # noqa: N806  (a type)
    Writer = Annotated[Caller, Depends(needs(f"{scopes}:write"))]  # noqa: N806

    @routes.get("", response_model=PageOf[schemas.Calendar])
    async def list_calendars(request: Request, caller: Reader, query: Annotated[CalendarQuery, Query()]) -> Response:
        """List calendars, oldest first."""
        return answer(request, await calendars.list(caller, query.listing()))

    @routes.post("", status_code=201, response_model=schemas.Calendar, responses=problems(409))
    async def create_calendar(request: Request, caller: Writer, new: schemas.NewCalendar) -> Response:
        """Create a calendar; one without any working time is refused."""
        return answer(request, await calendars.create(caller, new))

    @routes.get("/{calendar_id}", response_model=schemas.Calendar, responses=problems(404))
    async def get_calendar(request: Request, caller: Reader, calendar_id: UUID) -> Response:
        """Return a calendar, its country's holidays written out."""
        return answer(request, await calendars.get(caller, calendar_id))

    @routes.get("/{calendar_id}/working-time", response_model=schemas.WorkingTime, responses=problems(404))
    async def get_calendar_working_time(
        request: Request, caller: Reader, calendar_id: UUID, since: Since, to: Until
    ) -> Response:
        """Tell when there is working time between two instants and how much, in at most 366 days."""
        return answer(request, await calendars.hours(caller, calendar_id, since, to))

    @routes.patch("/{calendar_id}", response_model=schemas.Calendar, responses=problems(404, 409))
    async def update_calendar(
        request: Request, caller: Writer, calendar_id: UUID, patch: schemas.CalendarPatch, version: ExpectedVersion
    ) -> Response:
        """Change a calendar; lists are replaced whole, and what is computed with it follows."""
        return answer(request, await calendars.change(caller, calendar_id, patch, version))

    @routes.delete("/{calendar_id}", response_model=schemas.Calendar, responses=problems(404, 409))
    async def delete_calendar(
        request: Request, caller: Writer, calendar_id: UUID, version: ExpectedVersion
    ) -> Response:
        """Delete a calendar that nothing uses; answers with its last representation."""
        return answer(request, await calendars.delete(caller, calendar_id, version))

    return routes
