"""The use cases of changes."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select

from chassis.batch import identity_of, known_rows
from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database, Reading, Statement, Transaction
from chassis.history import Entry, actors, history, record, steps_in_force
from chassis.keys import command, conclude
from chassis.moving import begin, misplaced, moment_of, move
from chassis.outcome import Found, Mode, Written
from chassis.past import write_told
from chassis.reader import Reader
from chassis.reading import get_row, get_to_change
from chassis.rejection import Fault, Rejection, invalid
from chassis.schemas import instant_text
from chassis.transitions import transitions_document
from chassis.writing import revise, update_one
from service_catalog.changes import importing
from service_catalog.changes.conflicts import Conflict
from service_catalog.changes.lifecycle import APPROVAL_AFTERWARDS, LIFECYCLE, Candidate, begun, entered
from service_catalog.changes.planning import fixed, occupied, span_faults
from service_catalog.changes.schemas import ChangeApproval, ChangeItem, ChangePatch, ChangeTransition, NewChange
from service_catalog.changes.tables import CHANGES, change
from service_catalog.dependencies.operations import Dependencies
from service_catalog.maintenance_windows.operations import MaintenanceWindows
from service_catalog.services.directory import find_services, lock_services
from service_catalog.services.membership import claims, existing_services, in_order_of, names

_PROPOSED = frozenset({LIFECYCLE.initial, "requested"})
APPROVE = "catalog:approve"
IMPORT = "catalog:import"
CONFLICTS_MAX = 200
_DECIDED_BY_APPROVER = frozenset({"approved", "rejected"})
_ONLY_WITH = {"outcome": ("review", "closed")}
_ANNOUNCED_ANEW = "The change that opened it was scheduled anew."
_LEADS_WINDOW_TO = {"implementing": "in_progress", "review": "completed", "cancelled": "cancelled"}
# What holds its time for good comes first, then what was approved first: what is in the way is never cut off.
_CLAIMS = Statement(
    claims(change, ("approved", "scheduled", "implementing"), running="implementing")
    .add_columns(change.c.approved_at)
    .order_by(change.c.state == "approved", change.c.approved_at, change.c.id)
)
_ANY = Statement(select(change.c.id).where(names(change.c.service_ids, bindparam("service_id", type_=Uuid))).limit(1))


class Changes:
    """Changes of one or several services."""

    def __init__(
        self, database: Database, seal: CursorSeal, *, dependencies: Dependencies, windows: MaintenanceWindows
    ) -> None:
        self._database = database
        reader = Reader(database, CHANGES, seal)
        self.get, self.list = reader.get, reader.list
        self._dependencies = dependencies
        self._windows = windows

    async def create(self, caller: Caller, new: NewChange) -> Written:
        """Add a change, as `draft`."""
        async with command(self._database, caller) as tx:
            _refuse_unsound(new.planned_start, new.planned_end)
            values = new.model_dump() | begun(tx.now) | {"maintenance_window_id": None}
            values["service_ids"] = await existing_services(tx, new.service_ids)
            values["requester"] = new.requester or caller.subject
            return await conclude(tx, await begin(tx, CHANGES, values))

    async def change(self, caller: Caller, id_: UUID, patch: ChangePatch, expected: int | None) -> Written:
        """Change what was sent; what was approved stays."""
        async with command(self._database, caller) as tx:
            row = await get_to_change(tx, CHANGES, id_, expected=expected)
            changes = patch.changes(row)
            if "service_ids" in changes:
                changes["service_ids"] = in_order_of(row, await existing_services(tx, changes["service_ids"]))
            _refuse_unsound(*(changes.get(name, row[name]) for name in ("planned_start", "planned_end")))
            refusal = fixed(row, changes)
            if refusal is not None:
                raise refusal
            return await conclude(tx, await revise(tx, CHANGES, row, changes))

    async def batch(self, caller: Caller, items: Sequence[ChangeItem | Rejection], mode: Mode) -> Written:
        """Add or change many; what tells of the past needs the scope of imports, and is held against nothing."""
        sound = [item for item in items if isinstance(item, ChangeItem)]
        if importing.needs_import(sound):
            caller.require(IMPORT)
        async with command(self._database, caller) as tx:
            services = await find_services(
                tx,
                keys=(key for item in sound for key in item.service_keys or ()),
                ids=(id_ for item in sound for id_ in item.service_ids or ()),
            )
            known = await known_rows(tx, CHANGES, [identity_of(CHANGES, vars(item)) for item in sound])
            drafts = [importing.drafted(item, known, services, now=tx.now, actor=caller.subject) for item in items]
            report = await write_told(tx, CHANGES, drafts, mode=mode, known=known, details=importing.details_of)
            return await conclude(tx, report.answer())

    async def transition(self, caller: Caller, id_: UUID, order: ChangeTransition, expected: int | None) -> Written:
        """Bring a change to another state, if nothing stands in the way, and its maintenance window along with it."""
        _refuse_misplaced(order)
        if order.to in _DECIDED_BY_APPROVER or order.accept_conflicts:
            caller.require(APPROVE)
        async with command(self._database, caller) as tx:
            row = await get_to_change(tx, CHANGES, id_, expected=expected)
            in_the_way = await self._to_give_way_to(tx, row) if order.to == "scheduled" else ()
            candidate = Candidate(
                change=row,
                actor=caller.subject,
                proposers=await _proposers(tx, row),
                reason=order.reason,
                outcome=order.outcome,
                accept_conflicts=order.accept_conflicts,
                in_the_way=in_the_way,
            )
            transition = LIFECYCLE.decide(row["state"], order.to, candidate)
            last = (await steps_in_force(tx, CHANGES, id_))[-1]  # perhaps an approval afterwards
            at = moment_of(order.at, last.at, tx.now, CHANGES.called)
            changes = entered(row, order.to, at, order.reason)
            if order.to == "approved":
                changes["approved_by"] = caller.subject
            details: dict[str, Any] = {"accepted_conflicts": list(in_the_way)} if in_the_way else {}
            if order.outcome is not None:
                changes["outcome"] = details["outcome"] = order.outcome
            changes |= await self._window(tx, row, order.to, at, order.reason)
            written = await move(tx, CHANGES, row, transition, changes, at=at, reason=order.reason, details=details)
            return await conclude(tx, written)

    async def approve_afterwards(
        self, caller: Caller, id_: UUID, order: ChangeApproval, expected: int | None
    ) -> Written:
        """Approve an emergency change that is implemented already, or being so; its state stays."""
        async with command(self._database, caller) as tx:
            row = await get_to_change(tx, CHANGES, id_, expected=expected)
            proposers = await _proposers(tx, row)
            candidate = Candidate(change=row, actor=caller.subject, proposers=proposers, reason=order.reason)
            unmet = LIFECYCLE.unmet(APPROVAL_AFTERWARDS, candidate)
            if unmet:
                raise Rejection("conflict", "guards-unmet", "The change cannot be approved afterwards.", guards=unmet)
            at = moment_of(order.at, row["state_since"], tx.now, CHANGES.called)
            values = {"approved_at": at, "approved_by": caller.subject}
            written = await update_one(tx, CHANGES, id_, values, verb=APPROVAL_AFTERWARDS.verb, at=at)
            state = row["state"]
            step = Entry(
                resource_id=id_,
                at=at,
                from_state=state,
                to_state=state,
                reason=order.reason,
                details={"approved_by": caller.subject},
            )
            await record(tx, CHANGES, [step])
            return await conclude(tx, written)

    async def transitions(self, caller: Caller, id_: UUID) -> Found:
        """Return where a change may go, what stands in the way, and how it came here."""
        async with self._database.read(caller) as tx:
            row = await get_row(tx, CHANGES, id_)
            in_the_way = await self._in_the_way(tx, row) if LIFECYCLE.way(row["state"], "scheduled") else ()
            proposers = await _proposers(tx, row)
            candidate = Candidate(change=row, actor=caller.subject, proposers=proposers, in_the_way=in_the_way)
            return transitions_document(LIFECYCLE, row["state"], candidate, await history(tx, CHANGES, id_))

    async def conflicts(self, caller: Caller, id_: UUID) -> Found:
        """Return what a change conflicts with."""
        async with self._database.read(caller) as tx:
            row = await get_row(tx, CHANGES, id_)
            found, number = await self._conflicts(tx, row)
            found = sorted(found, key=lambda one: (one.begin, one.id))
            start, end = (row[name] and instant_text(row[name]) for name in ("planned_start", "planned_end"))
            document = {
                "change_id": str(id_),
                "planned_start": start,
                "planned_end": end,
                "count": number,
                "items": [one.document(row) for one in found],
            }
            return Found(json.dumps(document, ensure_ascii=False))

    async def any_names(self, tx: Transaction, service_id: UUID) -> bool:
        """Tell whether any change names a service."""
        return await tx.one(_ANY, service_id=service_id) is not None

    async def _to_give_way_to(self, tx: Transaction, row: Any) -> Sequence[str]:
        """Return the names of what a change has to give way to while it is scheduled.

        It takes the services it is about and those around them first, so that of two changes that are scheduled at
        once the second sees the first.
        """
        own = _own_services(row)
        await lock_services(tx, own | await self._dependencies.hard_around(tx, own))
        return await self._in_the_way(tx, row)

    async def _in_the_way(self, tx: Reading, row: Any) -> Sequence[str]:
        """Return the names of what a change has to give way to."""
        found, _ = await self._conflicts(tx, row)
        return [one.name for one in found if one.is_in_the_way_of(row)]

    async def _conflicts(self, tx: Reading, row: Any) -> tuple[list[Conflict], int]:
        """Return what a change conflicts with, and how much that is in all."""
        span = occupied(row, tx.now)
        if span is None:
            return [], 0
        own = _own_services(row)
        around = await self._dependencies.hard_around(tx, own)
        ids, mine = sorted(str(id_) for id_ in own | around), row["id"]
        changes = await tx.all(
            _CLAIMS, claimed=ids, since=span[0], until=span[1], but=mine, now=tx.now, most=CONFLICTS_MAX
        )
        windows = await self._windows.open_over(
            tx, own | around, span, but=row["maintenance_window_id"], most=CONFLICTS_MAX
        )
        found = [Conflict.of("change", one, own, around) for one in changes]
        found += [Conflict.of("maintenance_window", one, own, around) for one in windows]
        return found, sum(rows[0]["number"] for rows in (changes, windows) if rows)

    async def _window(self, tx: Transaction, row: Any, to: str, at: datetime, reason: str | None) -> dict[str, Any]:
        """Open the maintenance window of a change that is scheduled, or bring it along; return what changes with it."""
        if to == "scheduled" and row["opens_maintenance_window"]:
            span = (row["planned_start"], row["planned_end"])
            if row["maintenance_window_id"] is not None:  # it was scheduled before, and an import took it back
                await self._windows.lead(tx, row["maintenance_window_id"], "cancelled", at=at, reason=_ANNOUNCED_ANEW)
            opened = await self._windows.announce(tx, title=row["title"], service_ids=row["service_ids"], span=span)
            return {"maintenance_window_id": opened}
        if to in _LEADS_WINDOW_TO and row["maintenance_window_id"] is not None:
            await self._windows.lead(tx, row["maintenance_window_id"], _LEADS_WINDOW_TO[to], at=at, reason=reason)
        return {}


def _own_services(row: Any) -> frozenset[UUID]:
    return frozenset(UUID(id_) for id_ in row["service_ids"])


def _refuse_unsound(planned_start: datetime | None, planned_end: datetime | None) -> None:
    faults = span_faults(planned_start, planned_end)
    if faults:
        raise invalid(*faults)


async def _proposers(tx: Reading, row: Any) -> frozenset[str]:
    """Return the requester of a change, and who wrote it down or requested it, however it was told since."""
    return await actors(tx, CHANGES, row["id"], _PROPOSED) | {row["requester"]}


def _refuse_misplaced(order: ChangeTransition) -> None:
    """Refuse what does not belong to the state a command leads to."""
    faults = misplaced(order, _ONLY_WITH)
    if order.accept_conflicts and order.to != "scheduled":
        faults.append(Fault("/accept_conflicts", "not-allowed", "This belongs to a command to scheduled."))
    if faults:
        raise invalid(*faults)
