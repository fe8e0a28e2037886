"""The use cases of service levels."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.batch import identity_of, known_rows, without_repeated, write_items
from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database, Reading, Statement, Transaction
from chassis.keys import command, conclude
from chassis.outcome import Mode, Written
from chassis.reader import Reader
from chassis.reading import get_row, get_to_change, refuse_unknown
from chassis.rejection import Rejection, invalid
from chassis.resource import Instant
from chassis.writing import delete_one, insert_one, revise
from service_catalog.calendars.directory import find_calendars
from service_catalog.levels import importing
from service_catalog.levels.agreement import TIMES, clash, faults_of, matter_of
from service_catalog.levels.schemas import NewServiceLevel, ServiceLevelItem, ServiceLevelPatch
from service_catalog.levels.tables import SERVICE_LEVELS, service_level
from service_catalog.services.directory import find_services, lock_service, lock_services
from service_catalog.sla import timers

_OF_SERVICE = Statement(select(service_level).where(service_level.c.service_id == bindparam("service_id", type_=Uuid)))
_OF_SERVICES = Statement(
    select(service_level).where(
        service_level.c.service_id == func.any(bindparam("service_ids", type_=ARRAY(Uuid, dimensions=1)))
    )
)
_ENDS = service_level.c.valid_to
_AGREED = Statement(
    select(func.count()).where(
        service_level.c.service_id == bindparam("service_id", type_=Uuid),
        _ENDS.is_(None) | (bindparam("now", type_=Instant) < _ENDS),
    )
)


class ServiceLevels:
    """What is agreed of services."""

    def __init__(self, database: Database, seal: CursorSeal) -> None:
        self._database = database
        reader = Reader(database, SERVICE_LEVELS, seal)
        self.get, self.list = reader.get, reader.list

    async def create(self, caller: Caller, new: NewServiceLevel) -> Written:
        """Agree on a level, unless another one is in force for the same thing."""
        async with command(self._database, caller) as tx:
            values = new.model_dump()
            if not await lock_service(tx, new.service_id):
                raise refuse_unknown("service", "/service_id")
            await self._check(tx, values, own=None)
            written = await insert_one(tx, SERVICE_LEVELS, values)
            await timers.recheck_services(tx, [new.service_id])
            return await conclude(tx, written)

    async def change(self, caller: Caller, id_: UUID, patch: ServiceLevelPatch, expected: int | None) -> Written:
        """Change what was sent; the clocks that run by it follow."""
        async with command(self._database, caller) as tx:
            row = await self._lock(tx, id_, expected)
            changes = patch.changes(row)
            await self._check(tx, dict(row) | changes, own=id_)
            written = await revise(tx, SERVICE_LEVELS, row, changes)
            await timers.recheck_services(tx, [row["service_id"]])
            return await conclude(tx, written)

    async def delete(self, caller: Caller, id_: UUID, expected: int | None) -> Written:
        """Take a level back; the clocks that ran by it run by what is left."""
        async with command(self._database, caller) as tx:
            row = await self._lock(tx, id_, expected)
            written = await delete_one(tx, SERVICE_LEVELS, id_)
            await timers.recheck_services(tx, [row["service_id"]])
            return await conclude(tx, written)

    async def batch(self, caller: Caller, items: Sequence[ServiceLevelItem | Rejection], mode: Mode) -> Written:
        """Add or change many; each is held against those before it, and the clocks that run by them follow."""
        sound = [item for item in items if isinstance(item, ServiceLevelItem)]
        async with command(self._database, caller) as tx:
            services = await find_services(
                tx, keys=(item.service_key for item in sound), ids=(item.service_id for item in sound)
            )
            await lock_services(tx, services.ids)
            known = await known_rows(tx, SERVICE_LEVELS, [identity_of(SERVICE_LEVELS, vars(item)) for item in sound])
            calendars = await find_calendars(tx, (item.calendar_id for item in sound))
            drafts = [importing.drafted(item, known, services, calendars) for item in items]
            upserts = [draft.upsert if isinstance(draft, importing.Draft) else draft for draft in drafts]
            single = without_repeated(SERVICE_LEVELS, upserts, known)
            present = await tx.all(_OF_SERVICES, service_ids=list(services.ids))
            upserts = await asyncio.to_thread(importing.agreed, drafts, single, present)
            report = await write_items(tx, SERVICE_LEVELS, upserts, mode=mode, known=known)
            changed = {
                draft.level["service_id"]
                for draft, result in zip(drafts, report.results, strict=True)
                if isinstance(draft, importing.Draft) and result.written
            }
            await timers.recheck_services(tx, sorted(changed))
            return await conclude(tx, report.answer())

    async def times_of(self, tx: Reading, service_ids: Collection[UUID]) -> Mapping[UUID, Sequence[Mapping[str, Any]]]:
        """Return the levels of services that are about the times of their incidents."""
        found: dict[UUID, list[Mapping[str, Any]]] = {id_: [] for id_ in service_ids}
        for row in await tx.all(_OF_SERVICES, service_ids=sorted(service_ids)):
            if row["metric"] in TIMES:
                found[row["service_id"]].append(row)
        return found

    async def number_agreed(self, tx: Reading, service_id: UUID) -> int:
        """Count the levels of a service that have not ended."""
        number: int = await tx.value(_AGREED, service_id=service_id, now=tx.now)
        return number

    async def agree_where_none(self, tx: Transaction, service_id: UUID, proposed: Iterable[Mapping[str, Any]]) -> None:
        """Agree, from now on, on what is proposed for a locked service, but where a level is in force or to come."""
        for one in proposed:
            level = {**one, "service_id": service_id, "valid_from": tx.now, "valid_to": None}
            if await self._clash(tx, level, own=None) is None:
                await insert_one(tx, SERVICE_LEVELS, level)
        await timers.recheck_services(tx, [service_id])

    async def _lock(self, tx: Transaction, id_: UUID, expected: int | None) -> Any:
        """Lock a level's service, then itself, in the version that is expected."""
        row = await get_row(tx, SERVICE_LEVELS, id_)
        await lock_service(tx, row["service_id"])
        return await get_to_change(tx, SERVICE_LEVELS, id_, expected=expected)

    async def _check(self, tx: Transaction, level: Mapping[str, Any], *, own: UUID | None) -> None:
        """Refuse what is unsound, and a second level in force for the same thing; the service is locked."""
        faults = faults_of(level)
        if faults:
            raise invalid(*faults)
        refusal = await self._clash(tx, level, own=own)
        if refusal is not None:
            raise refusal

    async def _clash(self, tx: Transaction, level: Mapping[str, Any], *, own: UUID | None) -> Rejection | None:
        """Refuse a level where another one is in force for the same thing at the same time."""
        others = await tx.all(_OF_SERVICE, service_id=level["service_id"])
        return clash(level, [one for one in others if one["id"] != own and matter_of(one) == matter_of(level)])
