"""Calendars as they are computed with, each read from its document once."""

import json
from functools import lru_cache

from chassis.working_time import WorkingCalendar

KEPT = 1024


@lru_cache(maxsize=KEPT)
def working_calendar(document: str) -> WorkingCalendar:
    """Read a calendar's JSON; how far its working time has been laid out is remembered with it."""
    return WorkingCalendar.from_document(json.loads(document))
