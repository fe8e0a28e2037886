"""The use cases of outages."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Uuid, bindparam, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.batch import identity_of, known_rows, write_items
from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database, Reading, Statement
from chassis.history import Entry, correct, history, record, steps_in_force, superseded_steps
from chassis.keys import command, conclude
from chassis.moving import moment_of, move
from chassis.outcome import Found, Mode, Written
from chassis.reader import Reader
from chassis.reading import get_row, get_to_change
from chassis.rejection import Fault, Rejection, invalid
from chassis.resource import shown
from chassis.transitions import change_of, transitions_document
from chassis.writing import insert_one, revise, update_one
from service_catalog.outages import importing, spans
from service_catalog.outages.course import course_of, is_moved
from service_catalog.outages.lifecycle import LIFECYCLE, WITHDRAWN, Candidate
from service_catalog.outages.schemas import NewOutage, OutageItem, OutagePatch, OutageTransition
from service_catalog.outages.tables import OUTAGES, outage
from service_catalog.services.directory import find_services

SHOWN_MAX = 100
_OPEN = Statement(
    select(outage.c.id, outage.c.severity, shown(outage.c.started_at).label("started_at"))
    .where(outage.c.service_id == bindparam("service_id", type_=Uuid), outage.c.state == literal_column("'open'"))
    .order_by(outage.c.severity != "major", outage.c.severity != "partial", outage.c.started_at)
    .limit(bindparam("most", type_=Integer))
)
_OPEN_AMONG = Statement(
    select(outage.c.service_id, outage.c.severity)
    .where(
        outage.c.service_id == func.any(bindparam("ids", type_=ARRAY(Uuid))), outage.c.state == literal_column("'open'")
    )
    .distinct()
)


class Outages:
    """Outages of services."""

    def __init__(self, database: Database, seal: CursorSeal) -> None:
        self._database = database
        reader = Reader(database, OUTAGES, seal)
        self.get, self.list = reader.get, reader.list

    async def create(self, caller: Caller, new: NewOutage) -> Written:
        """Add an outage, open or over."""
        async with command(self._database, caller) as tx:
            faults = spans.faults_of(new.started_at, new.ended_at, tx.now)
            if faults:
                raise invalid(*faults)
            values = new.model_dump() | {"state": spans.state_of(new.ended_at), "withdrawal_reason": None}
            written = await insert_one(tx, OUTAGES, values)
            if written.id is not None:
                steps = [Entry(resource_id=written.id, at=new.started_at, to_state=LIFECYCLE.initial)]
                if new.ended_at is not None:
                    steps.append(Entry(resource_id=written.id, at=new.ended_at, from_state="open", to_state="ended"))
                await record(tx, OUTAGES, steps)
            return await conclude(tx, written)

    async def change(self, caller: Caller, id_: UUID, patch: OutagePatch, expected: int | None) -> Written:
        """Change what was sent; the state follows the end."""
        async with command(self._database, caller) as tx:
            row = await get_to_change(tx, OUTAGES, id_, expected=expected)
            changes = patch.changes(row)
            if row["state"] == WITHDRAWN and changes.keys() - {"labels"}:
                raise importing.WITHDRAWN_STAYS.anew()
            started_at, ended_at = (changes.get(name, row[name]) for name in ("started_at", "ended_at"))
            faults = spans.faults_of(started_at, ended_at, tx.now)
            if faults:
                raise invalid(*faults)
            state = spans.state_of(ended_at)
            if row["state"] in {state, WITHDRAWN}:
                written = await revise(tx, OUTAGES, row, changes)
            else:
                transition = LIFECYCLE.decide(row["state"], state, Candidate())
                if ended_at is not None:
                    _refuse_before_reopening(await steps_in_force(tx, OUTAGES, id_), ended_at)
                change = change_of(row, state, actor=caller.subject)
                values = {"state": state, **changes}
                written = await update_one(tx, OUTAGES, id_, values, verb=transition.verb, at=ended_at, change=change)
            if is_moved(row, changes):
                await correct(tx, OUTAGES, {id_: course_of(row, changes, tx.now)})
            return await conclude(tx, written)

    async def batch(self, caller: Caller, items: Sequence[OutageItem | Rejection], mode: Mode) -> Written:
        """Add or change many."""
        sound = [item for item in items if isinstance(item, OutageItem)]
        async with command(self._database, caller) as tx:
            services = await find_services(
                tx, keys=(item.service_key for item in sound), ids=(item.service_id for item in sound)
            )
            known = await known_rows(tx, OUTAGES, [identity_of(OUTAGES, vars(item)) for item in sound])
            upserts = [importing.drafted(item, known, services, now=tx.now, actor=caller.subject) for item in items]
            report = await write_items(tx, OUTAGES, upserts, mode=mode, known=known)
            await record(tx, OUTAGES, importing.first_steps(upserts, report.results))
            await correct(tx, OUTAGES, importing.courses(upserts, report.results, tx.now))
            return await conclude(tx, report.answer())

    async def transition(self, caller: Caller, id_: UUID, order: OutageTransition, expected: int | None) -> Written:
        """End an outage, let it go on, or withdraw it for a reason."""
        async with command(self._database, caller) as tx:
            row = await get_to_change(tx, OUTAGES, id_, expected=expected)
            transition = LIFECYCLE.decide(row["state"], order.to, Candidate(order.reason))
            if order.at is not None and order.to != "ended":
                raise invalid(Fault("/at", "not-allowed", "Only an end happens at an instant that is told."))
            last = (await steps_in_force(tx, OUTAGES, id_))[-1]
            at = moment_of(order.at, last.at, tx.now, OUTAGES.called)
            changes: dict[str, Any] = {}
            match order.to:
                case "ended":
                    changes["ended_at"] = at
                case "open":
                    changes["ended_at"] = None
                case "withdrawn":
                    changes["withdrawal_reason"] = order.reason
            return await conclude(tx, await move(tx, OUTAGES, row, transition, changes, at=at, reason=order.reason))

    async def transitions(self, caller: Caller, id_: UUID) -> Found:
        """Return where an outage may go, what stands in the way, how it came here, and what was told of that before."""
        async with self._database.read(caller) as tx:
            row = await get_row(tx, OUTAGES, id_)
            steps, before = await history(tx, OUTAGES, id_), await superseded_steps(tx, OUTAGES, id_)
            document = transitions_document(LIFECYCLE, row["state"], Candidate(), steps)
            return replace(document, body=f'{document.body[:-1]},"superseded":{before}}}')

    async def open_of(self, tx: Reading, service_id: UUID) -> Sequence[dict[str, Any]]:
        """Return the open outages of a service: id, severity and start, worst first, a hundred at most."""
        rows = await tx.all(_OPEN, service_id=service_id, most=SHOWN_MAX)
        return [{"id": str(row["id"]), "severity": row["severity"], "started_at": row["started_at"]} for row in rows]

    async def open_among(self, tx: Reading, service_ids: Sequence[UUID]) -> Mapping[UUID, frozenset[str]]:
        """Return the severities of the open outages of several services."""
        rows = await tx.all(_OPEN_AMONG, ids=list(service_ids))
        return {
            id_: frozenset(row["severity"] for row in rows if row["service_id"] == id_)
            for id_ in {row["service_id"] for row in rows}
        }


def _refuse_before_reopening(steps: Sequence[Entry], ended_at: datetime) -> None:
    """Refuse an end that lies before the outage was reopened."""
    if steps[-1].from_state == "ended" and ended_at < steps[-1].at:
        raise invalid(Fault("/ended_at", "before-last", "This lies before the last step of the outage."))
