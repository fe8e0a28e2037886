"""The calendars of this service: the chassis' table, and who may stand in the way of a deletion."""

from dataclasses import replace

from chassis.calendars.tables import calendar_resource
from chassis.rejection import Rejection
from service_catalog.metadata import METADATA

CALENDARS = replace(
    calendar_resource(METADATA),
    constraints={
        "service_calendar_fkey": Rejection("conflict", "calendar-in-use", "A service is available by this calendar."),
        "service_level_calendar_fkey": Rejection(
            "conflict", "calendar-in-use", "A service level is counted by this calendar."
        ),
    },
)
