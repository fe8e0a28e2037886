"""The use cases of calendars."""

import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from chassis.calendars.holidays_of import country_holidays
from chassis.calendars.schemas import CalendarPatch, NewCalendar
from chassis.calendars.soundness import faults_of
from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database, Reading, Transaction
from chassis.keys import command, conclude
from chassis.outcome import Found, Written
from chassis.reader import Reader
from chassis.reading import get_row, get_to_change
from chassis.rejection import Fault, invalid
from chassis.resource import Resource
from chassis.schemas import instant_text, merged_labels
from chassis.working_time import WorkingCalendar
from chassis.writing import delete_one, insert_one, revise

SPAN_MAX = timedelta(days=366)
KNOWN_MAX = 100  # laying a calendar out takes longer than reading it
# What a client gives, and the column that keeps it where another one shows what follows from it.
_GIVEN = {"holidays": "own_holidays", "hours_per_day": "own_hours_per_day", "hours_per_week": "own_hours_per_week"}
# What its working time follows from.
_WORKING_TIME = ("timezone", "weekly", "holidays", "exceptions")


class Calendars:
    """Calendars of one service; other slices ask `working_time` for what they stand for.

    `when_changed` is called in the transaction of each change of working time, for what was reckoned with a calendar.
    """

    def __init__(
        self,
        database: Database,
        resource: Resource,
        seal: CursorSeal,
        *,
        when_changed: Callable[[Transaction], Awaitable[None]] | None = None,
    ) -> None:
        self._database = database
        self._resource = resource
        reader = Reader(database, resource, seal)
        self.get, self.list = reader.get, reader.list
        self._when_changed = when_changed
        self._known: dict[tuple[UUID, int], WorkingCalendar] = {}

    async def create(self, caller: Caller, new: NewCalendar) -> Written:
        """Add a calendar; one without any working time is refused."""
        given = new.model_dump(mode="json", exclude={"hours_per_day", "hours_per_week"})
        given |= {"hours_per_day": new.hours_per_day, "hours_per_week": new.hours_per_week}
        values = _completed({_GIVEN.get(name, name): value for name, value in given.items()})
        async with command(self._database, caller) as tx:
            return await conclude(tx, await insert_one(tx, self._resource, values))

    async def change(self, caller: Caller, id_: UUID, patch: CalendarPatch, expected: int | None) -> Written:
        """Change a calendar; what is computed with it follows."""
        sent = patch.model_dump(mode="json", include=patch.model_fields_set) | {
            name: getattr(patch, name) for name in ("hours_per_day", "hours_per_week") if name in patch.model_fields_set
        }
        async with command(self._database, caller) as tx:
            row = await get_to_change(tx, self._resource, id_, expected=expected)
            sent = _without_derived(sent, row)
            names = [name for name in (*NewCalendar.model_fields, "labels") if name in self._resource.table.c]
            if "labels" in sent:
                sent["labels"] = merged_labels(row["labels"], sent["labels"])
            kept = {_GIVEN.get(name, name): row[_GIVEN.get(name, name)] for name in names}
            changes = _completed(kept | {_GIVEN.get(name, name): value for name, value in sent.items()})
            written = await revise(tx, self._resource, row, changes)
            if self._when_changed is not None and any(changes[name] != row[name] for name in _WORKING_TIME):
                await self._when_changed(tx)
            return await conclude(tx, written)

    async def delete(self, caller: Caller, id_: UUID, expected: int | None) -> Written:
        """Delete a calendar that nothing uses."""
        async with command(self._database, caller) as tx:
            return await conclude(tx, await delete_one(tx, self._resource, id_, expected=expected))

    async def hours(self, caller: Caller, id_: UUID, start: datetime, end: datetime) -> Found:
        """Return the working time between two instants, up to a leap year, interval by interval."""
        if not start < end:
            raise invalid(Fault("to", "before-start", "This lies after `from`."))
        if end - start > SPAN_MAX:
            raise invalid(Fault("to", "out-of-range", f"This lies at most {SPAN_MAX.days} days after `from`."))
        calendar = await self.working_time(caller, id_)
        document = {
            "calendar_id": str(id_),
            "from": instant_text(start),
            "to": instant_text(end),
            "working_seconds": calendar.working_seconds(start, end),
            "intervals": [
                {"start_at": instant_text(opens), "end_at": instant_text(closes)}
                for opens, closes in calendar.intervals(start, end)
            ],
        }
        return Found(json.dumps(document))

    async def working_time(self, caller: Caller, id_: UUID) -> WorkingCalendar:
        """Return what a calendar stands for, or refuse as `not-found`."""
        async with self._database.read(caller) as tx:
            return await self.working_time_in(tx, id_)

    async def working_time_in(self, tx: Reading, id_: UUID) -> WorkingCalendar:
        """Return what a calendar stands for as `tx` sees it, or refuse as `not-found`."""
        row = await get_row(tx, self._resource, id_)
        version = (id_, row["version"])
        known = self._known.get(version)
        if known is None:
            known = WorkingCalendar.from_document(row)
            if len(self._known) >= KNOWN_MAX:
                self._known.pop(next(iter(self._known)))
            self._known[version] = known
        return known


def _without_derived(sent: dict[str, Any], row: Any) -> dict[str, Any]:
    """Return what was sent without what only followed from the calendar as it was: read, and sent back as it is."""
    own = dict(sent)
    if "holidays" in sent:
        derived = [day for day in row["holidays"] if day not in row["own_holidays"]]
        own["holidays"] = [day for day in sent["holidays"] if day not in derived]
    for name in ("hours_per_day", "hours_per_week"):
        if row[_GIVEN[name]] is None and sent.get(name) == row[name]:
            own.pop(name, None)
    return own


def _completed(values: dict[str, Any]) -> dict[str, Any]:
    """Add what follows from a calendar's own values; refuse what makes no calendar."""
    faults = faults_of(values)
    if faults:
        raise invalid(*faults)
    country = values["holiday_country"]
    public = country_holidays(country, values["holiday_subdivision"]) if country else []
    own = {day["date"]: day for day in values["own_holidays"] if day not in public}
    holidays = sorted((({day["date"]: day for day in public}) | own).values(), key=lambda day: str(day["date"]))
    document = values | {
        "holidays": holidays,
        "hours_per_day": values["own_hours_per_day"],
        "hours_per_week": values["own_hours_per_week"],
    }
    calendar = WorkingCalendar.from_document(document)
    if not calendar.has_working_time:
        raise invalid(Fault("/weekly", "no-working-time", "A calendar has some working time."))
    return values | {
        "own_holidays": list(own.values()),
        "holidays": holidays,
        "hours_per_day": calendar.hours_per_day,
        "hours_per_week": calendar.hours_per_week,
    }
