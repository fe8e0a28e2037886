"""The paths of calendars."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from chassis.calendars import schemas
from chassis.calendars.operations import Calendars
from chassis.caller import Caller
from chassis.http.answers import answer
from chassis.http.conditions import RequiredVersion
from chassis.http.idempotency import needs
from chassis.http.problems import problems
from chassis.http.queries import ListQuery, PageOf


class CalendarQuery(ListQuery):
    """What calendars can be found by."""

    name: str | None = None
    external_source: str | None = None
    external_id: str | None = None
