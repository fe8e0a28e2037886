"""What other slices ask of calendars: which there are, and what they stand for."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.batch import Upsert
from chassis.database import Reading, Statement, Transaction
from chassis.reading import refuse_unknown
from chassis.rejection import Rejection
from chassis.working_time import STANDARD, WorkingCalendar
from project_tracker.calendars.tables import CALENDARS

_TABLE = CALENDARS.table
_THESE = _TABLE.c.id == func.any(bindparam("ids", type_=ARRAY(Uuid)))
_KNOWN = Statement(select(_TABLE.c.id).where(_THESE))
_WHOLE = Statement(
    select(
        *(
            _TABLE.c[name]
            for name in ("id", "timezone", "weekly", "holidays", "exceptions", "hours_per_day", "hours_per_week")
        )
    ).where(_THESE)
)
# What a project without a calendar works by.
STANDARD_DOCUMENT: Mapping[str, Any] = {
    "timezone": "UTC",
    "weekly": [
        {"weekday": weekday, "intervals": [["08:00", "12:00"], ["13:00", "17:00"]]}
        for weekday in ("monday", "tuesday", "wednesday", "thursday", "friday")
    ],
    "holidays": [],
    "exceptions": [],
    "hours_per_day": "8",
    "hours_per_week": "40",
}


async def refuse_unknown_calendars(tx: Transaction, upserts: list[Upsert | Rejection]) -> None:
    """Put a refusal in the place of each item whose calendar does not exist."""
    wanted = {
        index: item.values["calendar_id"]
        for index, item in enumerate(upserts)
        if isinstance(item, Upsert) and item.values["calendar_id"] is not None
    }
    if not wanted:
        return
    known = {row["id"] for row in await tx.all(_KNOWN, ids=list(set(wanted.values())))}
    for index, id_ in wanted.items():
        if id_ not in known:
            upserts[index] = refuse_unknown("calendar", "/calendar_id")


async def working_calendars(tx: Reading, ids: Collection[UUID | None]) -> dict[UUID | None, WorkingCalendar]:
    """Return what these calendars stand for; None is the standard one."""
    wanted = [id_ for id_ in set(ids) if id_ is not None]
    rows = await tx.all(_WHOLE, ids=wanted) if wanted else []
    return {None: STANDARD} | {row["id"]: WorkingCalendar.from_document(row) for row in rows}


async def calendar_document(tx: Transaction, id_: UUID | None) -> dict[str, Any]:
    """Return a calendar as it is frozen: all that its working time follows from, and nothing else."""
    rows = await tx.all(_WHOLE, ids=[id_]) if id_ is not None else []
    found = dict(rows[0]) if rows else dict(STANDARD_DOCUMENT)
    found.pop("id", None)
    hours = {name: format(found[name].normalize(), "f") for name in ("hours_per_day", "hours_per_week") if rows}
    return found | {"holidays": [{"date": day["date"]} for day in found["holidays"]]} | hours
