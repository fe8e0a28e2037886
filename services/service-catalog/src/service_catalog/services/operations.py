"""The use cases of services."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from chassis.batch import Mode, identity_of, known_rows, write_items
from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database, Transaction
from chassis.history import Entry, history, record
from chassis.http.conditions import Precondition
from chassis.keys import command, conclude
from chassis.outcome import Found, Page, Written
from chassis.reading import Listing, find, get, get_by, get_to_change, list_page
from chassis.rejection import Fault, Rejection, invalid, not_found
from chassis.schemas import instant_text, merged_labels
from chassis.transitions import change_of, history_document, transitions_document
from chassis.writing import delete_one, insert_one, revise, update_one
from service_catalog.acceptance.operations import AcceptanceCriteria
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
    ) -> None:
        self._database = database
        self._seal = seal
        self._incidents = incidents
        self._outages = outages
        self._windows = windows
        self._levels = levels
        self._criteria = criteria
        self._dependencies = dependencies

    async def create(self, caller: Caller, new: NewService) -> Written:
        """Add a service, as `proposed`."""
        async with command(self._database, caller) as tx:
            return await conclude(tx, await _add(tx, new.key, new))

    async def get(self, caller: Caller, id_: UUID) -> Found:
        """Return one service."""
        async with self._database.begin(caller, read_only=True) as tx:
            return await get(tx, SERVICES, id_)

    async def get_by_key(self, caller: Caller, key: str) -> Found:
        """Return the service with this key."""
        async with self._database.begin(caller, read_only=True) as tx:
            return await get_by(tx, SERVICES, "key", key)

    async def list(self, caller: Caller, listing: Listing) -> Page:
        """Return a page of services."""
        async with self._database.begin(caller, read_only=True) as tx:
            return await list_page(tx, SERVICES, listing, self._seal)

    async def change(self, caller: Caller, id_: UUID, patch: ServicePatch, expected: int | None) -> Written:
        """Change what was sent."""
        async with command(self._database, caller) as tx:
            row = await get_to_change(tx, SERVICES, id_)
            changes = patch.changes()
            if "labels" in changes:
                changes["labels"] = merged_labels(row["labels"], changes["labels"])
            if "boundaries" in changes:
                changes["boundaries"] = _merged_boundaries(row["boundaries"], patch)
            _refuse_own_successor(id_, changes)
            written = await revise(tx, SERVICES, row, changes, expected=expected)
            if changes.get("calendar_id", row["calendar_id"]) != row["calendar_id"]:
                await timers.recheck_services(tx, [id_])
            return await conclude(tx, written)

    async def put(self, caller: Caller, key: str, new: ServiceReplacement, condition: Precondition) -> Written:
        """Create or replace the service with this key."""
        try:
            return await self._put_once(caller, key, new, condition)
        except Rejection as refusal:
            if refusal.code != "key-taken":
                raise
            return await self._put_once(caller, key, new, condition)  # another has created it meanwhile

    async def _put_once(self, caller: Caller, key: str, new: ServiceReplacement, condition: Precondition) -> Written:
        async with command(self._database, caller) as tx:
            row = (await known_rows(tx, SERVICES, [identity_of(SERVICES, {"key": key})])).get(("natural", (key,)))
            if row is None:
                if condition.must_exist:
                    raise Rejection("stale", "version-stale", "There is no such service to replace.")
                return await conclude(tx, await _add(tx, key, new))
            row = await get_to_change(tx, SERVICES, row["id"])
            if condition.must_be_new:
                current = (row["body"], row["version"])
                raise Rejection("stale", "already-exists", "There is a service with this key.", current=current)
            changes = new.model_dump()
            _refuse_own_successor(row["id"], changes)
            written = await revise(tx, SERVICES, row, changes, expected=condition.expected)
            if changes["calendar_id"] != row["calendar_id"]:
                await timers.recheck_services(tx, [row["id"]])
            return await conclude(tx, written)

    async def delete(self, caller: Caller, id_: UUID, expected: int | None) -> Written:
        """Delete a service that was never begun and that nothing refers to."""
        async with command(self._database, caller) as tx:
            row = await get_to_change(tx, SERVICES, id_)
            if row["state"] != LIFECYCLE.initial:
                begun = "A service that was begun is cancelled or retired, not deleted."
                raise Rejection("conflict", "service-begun", begun)
            if await self._windows.name(tx, id_):
                raise IN_USE
            try:
                return await conclude(tx, await delete_one(tx, SERVICES, id_, expected=expected))
            except Rejection as refusal:
                if refusal.kind != "invalid":  # the reference of a service that this one succeeds
                    raise
                raise IN_USE from refusal

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
            move = LIFECYCLE.decide(row["state"], order.to, await self._candidate(tx, row, order.reason))
            times = entered(order.to, live_from=row["live_from"], retired_at=row["retired_at"], at=tx.now)
            change = change_of(row, order.to, actor=caller.subject, reason=order.reason)
            values = {"state": order.to} | times
            written = await update_one(tx, SERVICES, id_, values, verb=move.verb, change=change)
            step = Entry(resource_id=id_, at=tx.now, from_state=row["state"], to_state=order.to, reason=order.reason)
            await record(tx, SERVICES, [step])
            return await conclude(tx, written)

    async def transitions(self, caller: Caller, id_: UUID) -> Found:
        """Return where a service may go, what stands in the way, and how it came here."""
        async with self._database.begin(caller, read_only=True) as tx:
            row = await self._row(tx, id_)
            candidate = await self._candidate(tx, row, None)
            return transitions_document(LIFECYCLE, row["state"], candidate, await history(tx, SERVICES, id_))

    async def history(self, caller: Caller, id_: UUID) -> Found:
        """Return the states a service went through."""
        async with self._database.begin(caller, read_only=True) as tx:
            await self._row(tx, id_)
            return history_document(await history(tx, SERVICES, id_))

    async def status(self, caller: Caller, id_: UUID) -> Found:
        """Return how a service is right now."""
        async with self._database.begin(caller, read_only=True) as tx:
            await self._row(tx, id_)
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
            row = await self._row(tx, id_)
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

    async def _row(self, tx: Transaction, id_: UUID) -> Any:
        row = await find(tx, SERVICES, id_)
        if row is None:
            raise not_found(SERVICES.noun)
        return row

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
    written = await insert_one(tx, SERVICES, new.model_dump() | {"key": key} | _NOWHERE_YET)
    if written.id is not None:
        await record(tx, SERVICES, [Entry(resource_id=written.id, at=tx.now, to_state=LIFECYCLE.initial)])
    return written


def _merged_boundaries(present: Mapping[str, Any], patch: ServicePatch) -> dict[str, Any]:
    if patch.boundaries is None:
        return {name: [] for name in present}
    changes = patch.boundaries.model_dump(include=patch.boundaries.model_fields_set)
    return {**present, **{name: items or [] for name, items in changes.items()}}


def _refuse_own_successor(id_: UUID, changes: Mapping[str, Any]) -> None:
    if changes.get("successor_service_id") == id_:
        raise invalid(Fault("/successor_service_id", "reference-to-itself", "A service does not succeed itself."))
