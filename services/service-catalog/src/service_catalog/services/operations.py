"""The use cases of services."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from chassis.batch import Mode, identity_of, known_rows, write_items
from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database, Transaction
from chassis.history import history, record
from chassis.http.conditions import Precondition
from chassis.keys import command, conclude
from chassis.moving import begin, move
from chassis.outcome import Found, Written
from chassis.putting import put_by_key
from chassis.reader import Reader
from chassis.reading import get_by, get_row, get_to_change
from chassis.rejection import Fault, Rejection, invalid
from chassis.schemas import instant_text
from chassis.transitions import history_document, transitions_document
from chassis.writing import delete_one, revise
from service_catalog.acceptance.operations import AcceptanceCriteria
from service_catalog.changes.operations import Changes
from service_catalog.dependencies.operations import Dependencies
from service_catalog.incidents.operations import Incidents
from service_catalog.levels.operations import ServiceLevels
from service_catalog.maintenance_windows.operations import MaintenanceWindows
from service_catalog.outages.operations import Outages
from service_catalog.services import importing, readiness
from service_catalog.services.condition import operational_status, worst_status
from service_catalog.services.lifecycle import LIFECYCLE, Candidate, entered
from service_catalog.services.schemas import (
    NewService,
    ServiceItem,
    ServicePatch,
    ServiceReplacement,
    ServiceTransition,
)
from service_catalog.services.tables import IN_USE, SERVICES
from service_catalog.sla import timers

IMPORT = "catalog:import"
_NOWHERE_YET = {"state": LIFECYCLE.initial, "live_from": None, "retired_at": None}


class Services:
    """Services; what is open around one it asks of the other slices."""

    def __init__(
        self,
        database: Database,
        seal: CursorSeal,
        *,
        incidents: Incidents,
        outages: Outages,
        windows: MaintenanceWindows,
        levels: ServiceLevels,
        criteria: AcceptanceCriteria,
        dependencies: Dependencies,
        changes: Changes,
    ) -> None:
        self._database = database
        reader = Reader(database, SERVICES, seal)
        self.get, self.list = reader.get, reader.list
        self._incidents = incidents
        self._outages = outages
        self._windows = windows
        self._levels = levels
        self._criteria = criteria
        self._dependencies = dependencies
        self._changes = changes

    async def create(self, caller: Caller, new: NewService) -> Written:
        """Add a service, as `proposed`."""
        async with command(self._database, caller) as tx:
            return await conclude(tx, await _add(tx, new.key, new))

    async def get_by_key(self, caller: Caller, key: str) -> Found:
        """Return the service with this key."""
        async with self._database.begin(caller, read_only=True) as tx:
            return await get_by(tx, SERVICES, "key", key)

    async def change(self, caller: Caller, id_: UUID, patch: ServicePatch, expected: int | None) -> Written:
        """Change what was sent."""
        async with command(self._database, caller) as tx:
            row = await get_to_change(tx, SERVICES, id_)
            changes = patch.changes(row)
            if "boundaries" in changes:
                changes["boundaries"] = _merged_boundaries(row["boundaries"], patch)
            return await conclude(tx, await _revise(tx, row, changes, expected))

    async def put(self, caller: Caller, key: str, new: ServiceReplacement, condition: Precondition) -> Written:
        """Create or replace the service with this key."""

        async def add(tx: Transaction) -> Written:
            return await _add(tx, key, new)

        async def replace(tx: Transaction, row: Any) -> Written:
            return await _revise(tx, row, new.model_dump(), condition.expected)

        return await put_by_key(self._database, caller, SERVICES, key, condition, add=add, replace=replace)

    async def delete(self, caller: Caller, id_: UUID, expected: int | None) -> Written:
        """Delete a service that was never begun and that nothing refers to."""
        async with command(self._database, caller) as tx:
            row = await get_to_change(tx, SERVICES, id_)
            if row["state"] != LIFECYCLE.initial:
                begun = "A service that was begun is cancelled or retired, not deleted."
                raise Rejection("conflict", "service-begun", begun)
            if await self._windows.name(tx, id_) or await self._changes.name(tx, id_):
                raise IN_USE.anew()
            try:
                return await conclude(tx, await delete_one(tx, SERVICES, id_, expected=expected))
            except Rejection as refusal:
                if refusal.kind != "invalid":  # the reference of a service that this one succeeds
                    raise
                raise IN_USE.anew() from refusal

    async def batch(self, caller: Caller, items: Sequence[ServiceItem | Rejection], mode: Mode) -> Written:
        """Add or change many; what tells of the past needs the scope of imports."""
        if importing.needs_import(items):
            caller.require(IMPORT)
        async with command(self._database, caller) as tx:
            identities = [identity_of(SERVICES, vars(item)) for item in items if isinstance(item, ServiceItem)]
            known = await known_rows(tx, SERVICES, identities)
            upserts = [importing.drafted(item, known, now=tx.now, actor=caller.subject) for item in items]
            report = await write_items(tx, SERVICES, upserts, mode=mode)
            await record(tx, SERVICES, importing.steps(upserts, report.results, tx.now))
            await timers.recheck_services(tx, importing.with_other_hours(upserts, report.results))
            return await conclude(tx, report.answer())

    async def transition(self, caller: Caller, id_: UUID, order: ServiceTransition) -> Written:
        """Bring a service to another state, if nothing stands in the way."""
        async with command(self._database, caller) as tx:
            row = await get_to_change(tx, SERVICES, id_)
            transition = LIFECYCLE.decide(row["state"], order.to, await self._candidate(tx, row, order.reason))
            times = entered(order.to, live_from=row["live_from"], retired_at=row["retired_at"], at=tx.now)
            return await conclude(tx, await move(tx, SERVICES, row, transition, times, reason=order.reason))

    async def transitions(self, caller: Caller, id_: UUID) -> Found:
        """Return where a service may go, what stands in the way, and how it came here."""
        async with self._database.begin(caller, read_only=True) as tx:
            row = await get_row(tx, SERVICES, id_)
            candidate = await self._candidate(tx, row, None)
            return transitions_document(LIFECYCLE, row["state"], candidate, await history(tx, SERVICES, id_))

    async def history(self, caller: Caller, id_: UUID) -> Found:
        """Return the states a service went through."""
        async with self._database.begin(caller, read_only=True) as tx:
            await get_row(tx, SERVICES, id_)
            return history_document(await history(tx, SERVICES, id_))

    async def status(self, caller: Caller, id_: UUID) -> Found:
        """Return how a service is right now."""
        async with self._database.begin(caller, read_only=True) as tx:
            await get_row(tx, SERVICES, id_)
            outages = await self._outages.open_of(tx, id_)
            windows = await self._windows.running_of(tx, id_)
            incidents = await self._incidents.open_of(tx, id_)
            status = operational_status((outage["severity"] for outage in outages), in_maintenance=bool(windows))
            impaired = await self._impaired(tx, id_)
            document = {
                "service_id": str(id_),
                "operational_status": status,
                "open_outages": outages,
                "maintenance_windows": windows,
                "open_incidents": incidents.number,
                "open_major_incidents": incidents.major,
                "impaired_dependencies": impaired,
                "status_with_dependencies": worst_status([status, *(one["operational_status"] for one in impaired)]),
                "at": instant_text(tx.now),
            }
            return Found(json.dumps(document, ensure_ascii=False))

    async def readiness(self, caller: Caller, id_: UUID) -> Found:
        """Return what a service lacks for its next states and for being supported."""
        async with self._database.begin(caller, read_only=True) as tx:
            row = await get_row(tx, SERVICES, id_)
            told = readiness.document(row["state"], await self._candidate(tx, row, None))
            return Found(json.dumps({"service_id": str(id_), **told}, ensure_ascii=False))

    async def _impaired(self, tx: Transaction, id_: UUID) -> Sequence[dict[str, Any]]:
        """Return what the service cannot work without and that is not operational, the nearest first."""
        below = await self._dependencies.hard_below(tx, id_)
        ids = [one["id"] for one in below]
        severities = await self._outages.open_among(tx, ids) if ids else {}
        in_maintenance = await self._windows.running_among(tx, ids) if ids else frozenset()
        statuses = {
            one: operational_status(severities.get(one, ()), in_maintenance=one in in_maintenance) for one in ids
        }
        return [
            {
                "service_id": str(one["id"]),
                "key": one["key"],
                "name": one["name"],
                "depth": one["depth"],
                "operational_status": statuses[one["id"]],
            }
            for one in below
            if statuses[one["id"]] != "operational"
        ]

    async def _candidate(self, tx: Transaction, row: Any, reason: str | None) -> Candidate:
        incidents = await self._incidents.open_of(tx, row["id"])
        return Candidate(
            service=row,
            reason=reason,
            open_incidents=incidents.number,
            open_major_incidents=incidents.major,
            service_levels=await self._levels.number_agreed(tx, row["id"]),
            criteria=await self._criteria.of_service(tx, row["id"]),
            hard_dependencies=await self._dependencies.hard_of(tx, row["id"]),
            dependents=await self._dependencies.dependents_of(tx, row["id"]),
            today=tx.now.date(),
        )


async def _add(tx: Transaction, key: str, new: ServiceReplacement) -> Written:
    return await begin(tx, SERVICES, new.model_dump() | {"key": key} | _NOWHERE_YET)


async def _revise(tx: Transaction, row: Any, changes: Mapping[str, Any], expected: int | None) -> Written:
    if changes.get("successor_service_id") == row["id"]:
        raise invalid(Fault("/successor_service_id", "reference-to-itself", "A service does not succeed itself."))
    written = await revise(tx, SERVICES, row, changes, expected=expected)
    if changes.get("calendar_id", row["calendar_id"]) != row["calendar_id"]:
        await timers.recheck_services(tx, [row["id"]])
    return written


def _merged_boundaries(present: Mapping[str, Any], patch: ServicePatch) -> dict[str, Any]:
    if patch.boundaries is None:
        return {name: [] for name in present}
    changes = patch.boundaries.model_dump(include=patch.boundaries.model_fields_set)
    return {**present, **{name: items or [] for name, items in changes.items()}}
