"""The use cases of incidents."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY

from chassis import ids
from chassis.batch import identity_of, known_rows
from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database, Reading, Statement, Transaction
from chassis.history import Entry, correct, histories, history, record
from chassis.keys import command, conclude
from chassis.moving import misplaced, moment_of, move
from chassis.outcome import Found, Mode, Written
from chassis.past import write_told
from chassis.reader import Reader
from chassis.reading import get_row, get_to_change, lock_free
from chassis.rejection import Fault, Rejection, invalid
from chassis.transitions import transitions_document
from chassis.writing import add, revise
from service_catalog.incidents import ancestry, importing
from service_catalog.incidents.beginning import first_parent, moved, with_beginning
from service_catalog.incidents.handling import handling_steps
from service_catalog.incidents.lifecycle import (
    CANCEL_REASONS,
    LIFECYCLE,
    UNRESOLVED,
    Candidate,
    begun,
    entered,
    faults_of_changes,
    once_over,
)
from service_catalog.incidents.linked import problem_steps
from service_catalog.incidents.links import LINKED, child_step, child_steps, link_steps
from service_catalog.incidents.priority import priority_of
from service_catalog.incidents.schemas import IncidentItem, IncidentPatch, IncidentTransition, NewIncident
from service_catalog.incidents.tables import (
    CHILD_LINKS,
    HANDLING,
    INCIDENTS,
    PARENT_LINKS,
    PRIORITIES,
    PROBLEM_LINKS,
    incident,
)
from service_catalog.services.directory import find_services
from service_catalog.sla import timers

IMPORT = "catalog:import"
ATTEMPTS_MAX = 5
_KINDS = {
    "state": INCIDENTS,
    "priority": PRIORITIES,
    "handling": HANDLING,
    "parent": PARENT_LINKS,
    "child": CHILD_LINKS,
    "problem": PROBLEM_LINKS,
}
_CLOCKED = frozenset({"priority", "service_id", "occurred_at"})
_ONLY_WITH = {"hold_reason": ("on_hold",), "resolution": ("resolved",), "factor": ("resolved",)}
# Written out, so that the planner sees that the partial indexes hold what is looked for.
_UNRESOLVED = incident.c.state.in_([literal_column(f"'{state}'") for state in UNRESOLVED])
_DUPLICATE = Statement(
    select(incident.c.id, incident.c.version, cast(INCIDENTS.body(), Text).label("body")).where(
        incident.c.dedup_key == bindparam("dedup_key", type_=Text), _UNRESOLVED
    )
)
_SEVERAL = Statement(
    select(incident).where(incident.c.id == func.any(bindparam("ids", type_=ARRAY(Uuid, dimensions=1))))
)
_OPEN = Statement(
    select(func.count().label("number"), func.count().filter(incident.c.major).label("major")).where(
        incident.c.service_id == bindparam("service_id", type_=Uuid), _UNRESOLVED
    )
)

_OPEN_AMONG = Statement(
    select(incident.c.service_id, func.count().label("number"), func.count().filter(incident.c.major).label("major"))
    .where(incident.c.service_id == func.any(bindparam("service_ids", type_=ARRAY(Uuid, dimensions=1))), _UNRESOLVED)
    .group_by(incident.c.service_id)
)


@dataclass(frozen=True, slots=True)
class OpenIncidents:
    """How many incidents of a service are unresolved, and how many of them are major."""

    number: int
    major: int


NONE_OPEN = OpenIncidents(0, 0)


class Incidents:
    """Incidents of services."""

    def __init__(self, database: Database, seal: CursorSeal) -> None:
        self._database = database
        reader = Reader(database, INCIDENTS, seal)
        self.get, self.list = reader.get, reader.list

    async def create(self, caller: Caller, new: NewIncident) -> Written:
        """Add an incident as `new`, or answer with the unresolved one that carries its dedup_key already."""
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                return await self._create(caller, new)
            except Rejection as refusal:
                # Another was created with this key after it was looked for: now it can be seen.
                if refusal.code != "dedup-key-taken" or attempt == ATTEMPTS_MAX:
                    raise
        raise AssertionError("the last attempt answers or is refused")

    async def _create(self, caller: Caller, new: NewIncident) -> Written:
        async with command(self._database, caller) as tx:
            if new.dedup_key is not None:
                first = await tx.one(_DUPLICATE, dedup_key=new.dedup_key)
                if first is not None:
                    return await conclude(tx, Written(body=first["body"], id=first["id"], version=first["version"]))
            occurred_at = new.occurred_at or tx.now
            if occurred_at > tx.now:
                raise invalid(_future("/occurred_at"))
            values = new.__dict__ | begun(occurred_at)
            values["occurred_at"] = occurred_at
            values["priority"] = priority_of(new.impact, new.urgency)
            values["reported_by"] = caller.subject
            id_ = ids.new_id()
            if new.parent_id is not None:
                await record(tx, CHILD_LINKS, [child_step(new.parent_id, id_, LINKED, tx.now)])
            return await add(tx, INCIDENTS, values, id_=id_, beside=timers.TIMERS.beside)

    async def change(self, caller: Caller, id_: UUID, patch: IncidentPatch, expected: int | None) -> Written:
        """Change what was sent; the priority follows impact and urgency."""
        async with command(self._database, caller) as tx:
            if "parent_id" in patch.model_fields_set and patch.parent_id is not None:
                await ancestry.lock(tx, child=id_, parent=patch.parent_id)
            row = await get_to_change(tx, INCIDENTS, id_, expected=expected)
            changes = patch.changes(row)
            if refusal := once_over(row, changes):
                raise refusal
            if faults := faults_of_changes(row["state"], changes):
                raise invalid(*faults)
            if "impact" in changes or "urgency" in changes:
                changes["priority"] = priority_of(*(changes.get(name, row[name]) for name in ("impact", "urgency")))
            if "occurred_at" in changes:
                changes |= _moved_beginning(row, changes["occurred_at"], tx.now)
            if changes.get("parent_id") is not None:
                await _refuse_circle(tx, id_, changes["parent_id"])
            steps = await problem_steps(tx, row, changes)
            written = await revise(tx, INCIDENTS, row, changes)
            await record(tx, PROBLEM_LINKS, steps)
            await _record_parents(tx, link_steps(row, "parent_id", changes, tx.now))
            await record(tx, HANDLING, handling_steps(row, changes, tx.now))
            if not _CLOCKED.isdisjoint(changes):
                await record(tx, PRIORITIES, importing.reprioritised(row, changes, tx.now))
                if "occurred_at" in changes:
                    await correct(tx, INCIDENTS, {id_: moved(row, changes["occurred_at"])})
                await timers.mark(tx, {id_: changes.get("service_id", row["service_id"])})
            return await conclude(tx, written)

    async def batch(self, caller: Caller, items: Sequence[IncidentItem | Rejection], mode: Mode) -> Written:
        """Add or change many; what tells of the past needs the scope of imports."""
        sound = [item for item in items if isinstance(item, IncidentItem)]
        if importing.needs_import(sound):
            caller.require(IMPORT)
        async with command(self._database, caller) as tx:
            services = await find_services(
                tx, keys=(item.service_key for item in sound), ids=(item.service_id for item in sound)
            )
            if any(item.parent_id is not None for item in sound):
                await ancestry.lock(tx)
            known = await known_rows(tx, INCIDENTS, [identity_of(INCIDENTS, item.__dict__) for item in sound])
            drafts = [importing.drafted(item, known, services, now=tx.now, actor=caller.subject) for item in items]
            drafts = await ancestry.without_circles(tx, items, drafts, known)
            report = await write_told(tx, INCIDENTS, drafts, mode=mode, known=known, initial=LIFECYCLE.initial)
            await correct(tx, INCIDENTS, importing.beginnings(drafts, report.results))
            await record(tx, PRIORITIES, importing.priorities(drafts, report.results, tx.now))
            await _record_parents(tx, importing.parents(drafts, report.results, tx.now))
            await record(tx, CHILD_LINKS, importing.new_children(drafts, report.results, tx.now))
            await record(tx, HANDLING, importing.handling(drafts, report.results, tx.now))
            await timers.mark(tx, importing.watched(drafts, report.results))
            return await conclude(tx, report.answer())

    async def transition(self, caller: Caller, id_: UUID, order: IncidentTransition, expected: int | None) -> Written:
        """Bring an incident to another state, if nothing stands in the way."""
        _refuse_misplaced(order)
        async with command(self._database, caller) as tx:
            row = await get_to_change(tx, INCIDENTS, id_, expected=expected)
            candidate = _candidate(row, order, await _dedup_key_holder(tx, row))
            transition = LIFECYCLE.decide(row["state"], order.to, candidate)
            at = moment_of(order.at, row["state_since"], tx.now, INCIDENTS.called)
            changes = entered(row, order.to, at, order.hold_reason)
            if order.to == "cancelled":
                changes["cancel_reason"] = order.reason
            changes |= {name: told for name in ("resolution", "factor") if (told := getattr(order, name)) is not None}
            details = {name: told for name in _ONLY_WITH if (told := getattr(order, name)) is not None}
            written = await move(tx, INCIDENTS, row, transition, changes, at=at, reason=order.reason, details=details)
            await timers.mark(tx, {id_: row["service_id"]})
            return await conclude(tx, written)

    async def close(self, tx: Transaction, row: Mapping[str, Any], at: datetime, reason: str) -> None:
        """Close a locked incident that is resolved, on the caller's behalf."""
        transition = LIFECYCLE.decide(row["state"], "closed", Candidate(incident=row))
        await move(tx, INCIDENTS, row, transition, entered(row, "closed", at), at=at, reason=reason)

    async def transitions(self, caller: Caller, id_: UUID) -> Found:
        """Return where an incident may go, what stands in the way, and how it came here."""
        async with self._database.read(caller) as tx:
            row = await get_row(tx, INCIDENTS, id_)
            steps = with_beginning(row, await history(tx, INCIDENTS, id_))
            candidate = Candidate(incident=row, dedup_key_holder=await _dedup_key_holder(tx, row))
            return transitions_document(LIFECYCLE, row["state"], candidate, steps)

    async def row(self, tx: Reading, id_: UUID) -> Any:
        """Return an incident's row, or refuse as `not-found`."""
        return await get_row(tx, INCIDENTS, id_)

    async def lock(self, tx: Transaction, id_: UUID) -> Any:
        """Lock an incident and return its row, or refuse as `not-found`."""
        return await get_to_change(tx, INCIDENTS, id_)

    async def lock_free(self, tx: Transaction, ids: Sequence[UUID]) -> Sequence[Any]:
        """Lock those of the incidents that nobody holds, and return their rows."""
        return await lock_free(tx, INCIDENTS, ids)

    async def told(self, tx: Reading, ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Sequence[Any]]]:
        """Return the steps of incidents, and those of their priorities, as history tells them."""
        found = await histories(tx, [INCIDENTS, PRIORITIES], ids)
        return {id_: [json.loads(steps) for steps in told] for id_, told in found.items()}

    async def happened(self, tx: Reading, row: Any) -> list[dict[str, Any]]:
        """Return every step of an incident, each with its `kind`; those of one kind oldest first."""
        states, *others = (await histories(tx, [*_KINDS.values()], [row["id"]]))[row["id"]]
        told = dict(zip(_KINDS, map(json.loads, [with_beginning(row, states), *others]), strict=True))
        told["parent"] = first_parent(row, told["parent"]) + told["parent"]
        return [{"kind": kind, **step} for kind, steps in told.items() for step in steps]

    async def open_among(self, tx: Reading, service_ids: Sequence[UUID]) -> Mapping[UUID, OpenIncidents]:
        """Count the unresolved incidents of those services that have any."""
        rows = await tx.all(_OPEN_AMONG, service_ids=service_ids)
        return {row["service_id"]: OpenIncidents(row["number"], row["major"]) for row in rows}

    async def rows(self, tx: Reading, ids: Sequence[UUID]) -> Sequence[Any]:
        """Return the rows of those of the incidents that exist."""
        return await tx.all(_SEVERAL, ids=ids)

    async def open_of(self, tx: Reading, service_id: UUID) -> OpenIncidents:
        """Count the unresolved incidents of a service."""
        row = await tx.one(_OPEN, service_id=service_id)
        return OpenIncidents(row["number"], row["major"])


async def _record_parents(tx: Transaction, steps: Sequence[Entry]) -> None:
    """Write down by which steps incidents came to other parents, for both."""
    await record(tx, PARENT_LINKS, steps)
    await record(tx, CHILD_LINKS, child_steps(steps))


async def _refuse_circle(tx: Transaction, id_: UUID, parent_id: UUID) -> None:
    refusal = ancestry.refuse_circle(id_, parent_id, await ancestry.parents_above(tx, [parent_id]))
    if refusal is not None:
        raise refusal


async def _dedup_key_holder(tx: Reading, row: Mapping[str, Any]) -> UUID | None:
    """Return the unresolved incident that has come to carry the dedup_key of a resolved one."""
    if row["state"] != "resolved" or row["dedup_key"] is None:
        return None
    found: UUID | None = await tx.value(_DUPLICATE, dedup_key=row["dedup_key"])
    return found


def _candidate(row: Mapping[str, Any], order: IncidentTransition, dedup_key_holder: UUID | None) -> Candidate:
    return Candidate(
        incident=row,
        reason=order.reason,
        hold_reason=order.hold_reason,
        resolution=order.resolution,
        factor=order.factor,
        dedup_key_holder=dedup_key_holder,
    )


def _refuse_misplaced(order: IncidentTransition) -> None:
    """Refuse what does not belong to the state a command leads to."""
    faults = misplaced(order, _ONLY_WITH)
    if order.to == "cancelled" and order.reason is not None and order.reason not in CANCEL_REASONS:
        faults.append(Fault("/reason", "not-one-of", f"The reason is one of {', '.join(CANCEL_REASONS)}."))
    if faults:
        raise invalid(*faults)


def _moved_beginning(row: Any, occurred_at: datetime, now: datetime) -> dict[str, Any]:
    """Return what changes with the instant an incident occurred at."""
    if occurred_at > now:
        raise invalid(_future("/occurred_at"))
    changes = {"occurred_at": occurred_at}
    if row["state"] == LIFECYCLE.initial and row["state_since"] == row["occurred_at"]:
        changes["state_since"] = occurred_at
    if faults := importing.late(row, {**row, **changes}, occurred_at):
        raise invalid(*faults)
    return changes


def _future(pointer: str) -> Fault:
    return Fault(pointer, "in-the-future", "This is told when it has happened.")
