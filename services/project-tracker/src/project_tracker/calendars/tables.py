"""The calendars of this service: the chassis' table, and who may stand in the way of a deletion."""

from dataclasses import replace

from chassis.calendars.tables import calendar_resource
from chassis.rejection import Rejection
from project_tracker.metadata import METADATA

CALENDARS = replace(
    calendar_resource(METADATA),
    constraints={
        "project_calendar_fkey": Rejection("conflict", "calendar-in-use", "A project works by this calendar."),
        "task_calendar_fkey": Rejection("conflict", "calendar-in-use", "A task works by this calendar."),
    },
)
