"""The use cases of services."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from chassis.batch import identity_of, known_rows
from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database, Reading, Transaction
from chassis.history import history
from chassis.keys import command, conclude
from chassis.lifecycle import Transition
from chassis.moving import begin, move
from chassis.outcome import Found, Mode, Written
from chassis.past import write_told
from chassis.putting import Precondition, put_by_key
from chassis.reader import Reader
from chassis.reading import find_to_change, get_by, get_row, get_to_change, get_to_delete, refuse_unknown
from chassis.rejection import Fault, Rejection, invalid
from chassis.transitions import history_document, transitions_document
from chassis.writing import delete_one, revise
from service_catalog.acceptance.operations import AcceptanceCriteria
from service_catalog.changes.operations import Changes
from service_catalog.dependencies.operations import Dependencies
from service_catalog.handovers.directory import handed_over, undecided_among
from service_catalog.handovers.schemas import TargetService
from service_catalog.incidents.operations import Incidents
from service_catalog.levels.operations import ServiceLevels
from service_catalog.maintenance_windows.operations import MaintenanceWindows
from service_catalog.services import importing, readiness
from service_catalog.services.lifecycle import LIFECYCLE, OVER, SUPPORTED, Candidate, entered, faults_of_loss
from service_catalog.services.schemas import (
    NewService,
    ServiceItem,
    ServicePatch,
    ServiceReplacement,
    ServiceTransition,
)
from service_catalog.services.tables import IN_USE, SERVICES
from service_catalog.services.waivers import judged
from service_catalog.sla import timers

APPROVE, IMPORT = "catalog:approve", "catalog:import"
_NOWHERE_YET = {"state": LIFECYCLE.initial, "live_from": None, "retired_at": None}


class Services:
    """Services; what is open around one it asks of the other slices."""

    def __init__(
        self,
        database: Database,
        seal: CursorSeal,
        *,
        incidents: Incidents,
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
        async with self._database.read(caller) as tx:
            return await get_by(tx, SERVICES, "key", key)

    async def change(self, caller: Caller, id_: UUID, patch: ServicePatch, expected: int | None) -> Written:
        """Change what was sent."""
        async with command(self._database, caller) as tx:
            if "successor_service_id" in patch.model_fields_set:
                await _lock_before(tx, id_, patch.successor_service_id)
            row = await get_to_change(tx, SERVICES, id_, expected=expected)
            changes = patch.changes(row)
            if "boundaries" in changes:
                changes["boundaries"] = _merged_boundaries(row["boundaries"], patch)
            return await conclude(tx, await _revise(tx, row, changes))

    async def put(self, caller: Caller, key: str, new: ServiceReplacement, condition: Precondition) -> Written:
        """Create or replace the service with this key."""

        async def add(tx: Transaction) -> Written:
            return await _add(tx, key, new)

        async def replace(tx: Transaction, row: Any) -> Written:
            return await _revise(tx, row, new.model_dump())

        return await put_by_key(self._database, caller, SERVICES, key, condition, add=add, replace=replace)

    async def delete(self, caller: Caller, id_: UUID, expected: int | None) -> Written:
        """Delete a service that was never begun and that nothing refers to."""
        async with command(self._database, caller) as tx:
            row = await get_to_delete(tx, SERVICES, id_, expected=expected)
            if row["state"] != LIFECYCLE.initial:
                begun = "A service that was begun is cancelled or retired, not deleted."
                raise Rejection("conflict", "service-begun", begun)
            if await self._windows.any_names(tx, id_) or await self._changes.any_names(tx, id_):
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
            undecided = await undecided_among(tx, [row["id"] for row in known.values()])
            drafts = [
                importing.drafted(item, known, undecided=undecided, now=tx.now, actor=caller.subject) for item in items
            ]
            report = await write_told(tx, SERVICES, drafts, mode=mode, known=known)
            await timers.recheck_services(tx, importing.with_other_clocks(drafts, report.results))
            return await conclude(tx, report.answer())

    async def transition(self, caller: Caller, id_: UUID, order: ServiceTransition, expected: int | None) -> Written:
        """Bring a service to another state, if nothing stands in the way but what is waived."""
        if order.waivers:
            caller.require(APPROVE)
        async with command(self._database, caller) as tx:
            row = await get_to_change(tx, SERVICES, id_, expected=expected)
            candidate = await self._candidate(tx, row, order.reason)
            wanted = LIFECYCLE.way(row["state"], order.to)
            unmet = LIFECYCLE.unmet(wanted, candidate) if wanted is not None else []
            waived = judged(order.waivers, unmet, actor=caller.subject) if wanted is not None else {}
            transition = LIFECYCLE.decide(row["state"], order.to, candidate, waived=waived)
            told = {"waivers": list(waived.values())} if waived else {}
            return await conclude(tx, await _moved(tx, row, transition, order.reason, told))

    async def transitions(self, caller: Caller, id_: UUID) -> Found:
        """Return where a service may go, what stands in the way, and how it came here."""
        async with self._database.read(caller) as tx:
            row = await get_row(tx, SERVICES, id_)
            candidate = await self._candidate(tx, row, None)
            return transitions_document(LIFECYCLE, row["state"], candidate, await history(tx, SERVICES, id_))

    async def history(self, caller: Caller, id_: UUID) -> Found:
        """Return the states a service went through."""
        async with self._database.read(caller) as tx:
            await get_row(tx, SERVICES, id_)
            return history_document(await history(tx, SERVICES, id_))

    async def readiness(self, caller: Caller, id_: UUID) -> Found:
        """Return what a service lacks for its next states and for being supported."""
        async with self._database.read(caller) as tx:
            row = await get_row(tx, SERVICES, id_)
            told = readiness.document(row["state"], await self._candidate(tx, row, None))
            return Found(json.dumps({"service_id": str(id_), **told}, ensure_ascii=False))

    async def hand_over(
        self, tx: Transaction, handed: TargetService, *, project_id: UUID, early_life_support_ends_on: date | None
    ) -> UUID:
        """Return the service that a project hands over, locked and linked to it; made where there is none yet.

        A service that is supported already stays linked to the project that brought it to life.
        """
        row = await _named(tx, handed)
        if row is None:
            row = await _made(tx, handed, project_id)
        if row["state"] in OVER:
            raise Rejection("conflict", "service-over", f"The service {row['key']} is {row['state']}.")
        changes: dict[str, Any] = {}
        if row["state"] not in SUPPORTED or row["project_id"] is None:
            changes["project_id"] = project_id
        if early_life_support_ends_on is not None:
            changes["early_life_support_ends_on"] = early_life_support_ends_on
        await revise(tx, SERVICES, row, changes)
        found: UUID = row["id"]
        return found

    async def deliver_if_ready(self, tx: Transaction, id_: UUID, reason: str) -> None:
        """Bring a service that is being created to `delivering`; leave it where something stands in the way."""
        row = await get_to_change(tx, SERVICES, id_)
        transition = LIFECYCLE.way(row["state"], "delivering")
        if transition is not None and not LIFECYCLE.unmet(transition, await self._candidate(tx, row, reason)):
            await _moved(tx, row, transition, reason)

    async def _candidate(self, tx: Reading, row: Any, reason: str | None) -> Candidate:
        incidents = await self._incidents.open_of(tx, row["id"])
        handed = await handed_over(tx, row["id"], row["project_id"])
        return Candidate(
            service=row,
            reason=reason,
            open_incidents=incidents.number,
            open_major_incidents=incidents.major,
            service_levels=await self._levels.number_agreed(tx, row["id"]),
            criteria=await self._criteria.of_service(tx, row["id"]),
            hard_dependencies=await self._dependencies.hard_of(tx, row["id"]),
            dependents=await self._dependencies.dependents_of(tx, row["id"]),
            handover_received=handed.received,
            handover_accepted=handed.accepted,
            handover_undecided=handed.undecided,
            today=tx.now.date(),
        )


async def _add(tx: Transaction, key: str, new: ServiceReplacement) -> Written:
    return await begin(tx, SERVICES, new.model_dump() | {"key": key} | _NOWHERE_YET)


async def _lock_before(tx: Transaction, id_: UUID, other: UUID | None) -> None:
    """Lock a service that another will refer to, if its turn comes first: they are locked in the order of their ids."""
    if other is not None and other < id_:
        await find_to_change(tx, SERVICES, other)


async def _named(tx: Transaction, handed: TargetService) -> Any:
    """Return the locked row of the service that is named by its id or else by its key; None for an unknown key."""
    if handed.service_id is not None:
        row = await find_to_change(tx, SERVICES, handed.service_id)
        if row is None:
            raise refuse_unknown("service", "/service/service_id")
        return row
    known = await known_rows(tx, SERVICES, [identity_of(SERVICES, {"key": handed.key})])
    return await get_to_change(tx, SERVICES, next(iter(known.values()))["id"]) if known else None


async def _made(tx: Transaction, handed: TargetService, project_id: UUID) -> Any:
    """Add the service, as `creating`; who loses the race of adding takes what the other has added."""
    new = ServiceReplacement(name=handed.name or handed.key or "", type=handed.type, project_id=project_id)
    try:
        async with tx.savepoint():
            values = new.model_dump() | _NOWHERE_YET | {"key": handed.key, "state": "creating"}
            await begin(tx, SERVICES, values)
    except Rejection as refusal:
        if refusal.code != "key-taken":
            raise
    return await _named(tx, handed)


async def _moved(
    tx: Transaction,
    row: Any,
    transition: Transition[Candidate],
    reason: str | None,
    told: Mapping[str, Any] | None = None,
) -> Written:
    times = entered(transition.target, live_from=row["live_from"], retired_at=row["retired_at"], at=tx.now)
    return await move(tx, SERVICES, row, transition, times, reason=reason, told=told)


async def _revise(tx: Transaction, row: Any, changes: Mapping[str, Any]) -> Written:
    if changes.get("successor_service_id") == row["id"]:
        raise invalid(Fault("/successor_service_id", "reference-to-itself", "A service does not succeed itself."))
    if faults := faults_of_loss(row, changes):
        raise invalid(*faults)
    written = await revise(tx, SERVICES, row, changes)
    if any(changes.get(name, row[name]) != row[name] for name in importing.CLOCKING):
        await timers.recheck_services(tx, [row["id"]])
    return written


def _merged_boundaries(present: Mapping[str, Any], patch: ServicePatch) -> dict[str, Any]:
    if patch.boundaries is None:
        return {name: [] for name in present}
    changes = patch.boundaries.model_dump(include=patch.boundaries.model_fields_set)
    return {**present, **{name: items or [] for name, items in changes.items()}}
