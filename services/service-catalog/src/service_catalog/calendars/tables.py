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
        "catalogue_item_calendar_fkey": Rejection(
            "conflict", "calendar-in-use", "The requests of a catalogue item are counted by this calendar."
        ),
        "service_request_calendar_fkey": Rejection(
            "conflict", "calendar-in-use", "The fulfilment of a service request is counted by this calendar."
        ),
    },
)
