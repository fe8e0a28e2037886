"""The use cases of maintenance windows."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Uuid, bindparam, func, literal_column, select

from chassis.batch import identity_of, known_rows
from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database, Reading, Statement, Transaction
from chassis.history import Entry, correct, history, record, steps_in_force
from chassis.keys import command, conclude
from chassis.lifecycle import Transition
from chassis.merging import differing
from chassis.moving import moment_of, move
from chassis.outcome import Found, Mode, Written
from chassis.past import write_told
from chassis.reader import Reader
from chassis.reading import find_to_change, get_row, get_to_change
from chassis.rejection import Fault, Rejection, invalid
from chassis.resource import Instant, shown
from chassis.transitions import transitions_document
from chassis.writing import insert_one, revise
from service_catalog.changes.directory import leading
from service_catalog.maintenance_windows import importing
from service_catalog.maintenance_windows.course import begun_by, course_of, is_moved
from service_catalog.maintenance_windows.lifecycle import CANCELLED, LIFECYCLE, Candidate
from service_catalog.maintenance_windows.schemas import (
    MaintenanceWindowItem,
    MaintenanceWindowPatch,
    MaintenanceWindowTransition,
    NewMaintenanceWindow,
)
from service_catalog.maintenance_windows.spans import REACHED, SPAN_FIELDS, Spans, lacking
from service_catalog.maintenance_windows.tables import WINDOWS, maintenance_window
from service_catalog.services.directory import find_services
from service_catalog.services.membership import Span, claims, existing_services, in_order_of, names

IMPORT = "catalog:import"
SHOWN_MAX = 100
_PLANNED = ("service_ids", "planned_start", "planned_end")
_NAMES_SERVICE = names(maintenance_window.c.service_ids, bindparam("service_id", type_=Uuid))
_SHOWN = ("planned_start", "planned_end", "actual_start")
_RUNNING = Statement(
    select(
        maintenance_window.c.id,
        *(shown(maintenance_window.c[name]).label(name) for name in _SHOWN),
        (maintenance_window.c.planned_end < bindparam("now", type_=Instant)).label("overrun"),
    )
    .where(_NAMES_SERVICE, maintenance_window.c.state == literal_column("'in_progress'"))
    .order_by(maintenance_window.c.planned_start)
    .limit(bindparam("most", type_=Integer))
)
_ANY = Statement(select(maintenance_window.c.id).where(_NAMES_SERVICE).limit(1))
_ALL_RUNNING = Statement(
    select(func.jsonb_array_elements_text(maintenance_window.c.service_ids).label("service_id"))
    .where(maintenance_window.c.state == literal_column("'in_progress'"))
    .distinct()
)
_OPEN_OVER = Statement(
    claims(maintenance_window, ("scheduled", "in_progress"), running="in_progress").order_by(literal_column("begin"))
)


class MaintenanceWindows:
    """Maintenance windows over one or several services."""

    def __init__(self, database: Database, seal: CursorSeal) -> None:
        self._database = database
        reader = Reader(database, WINDOWS, seal)
        self.get, self.list = reader.get, reader.list

    async def create(self, caller: Caller, new: NewMaintenanceWindow) -> Written:
        """Add a window, in the state that its actual span tells of."""
        async with command(self._database, caller) as tx:
            return await conclude(tx, await _add(tx, new))

    async def change(self, caller: Caller, id_: UUID, patch: MaintenanceWindowPatch, expected: int | None) -> Written:
        """Change what was sent; what really happened can be corrected once it has happened, but not taken back."""
        async with command(self._database, caller) as tx:
            row = await get_to_change(tx, WINDOWS, id_, expected=expected)
            changes = patch.changes(row)
            if "service_ids" in changes:
                changes["service_ids"] = in_order_of(row, await existing_services(tx, changes["service_ids"]))
                changes = differing(row, changes)
            if row["state"] == CANCELLED and changes.keys() - {"labels"}:
                raise importing.STAYS.anew()
            await _refuse_led(tx, row, changes)
            faults = _faults_of_actual(row, changes)
            if faults:
                raise invalid(*faults)
            _sound({name: changes.get(name, row[name]) for name in SPAN_FIELDS}, tx.now)
            written = await revise(tx, WINDOWS, row, changes)
            if is_moved(row, changes):
                await correct(tx, WINDOWS, {id_: course_of(row, changes)})
            return await conclude(tx, written)

    async def batch(self, caller: Caller, items: Sequence[MaintenanceWindowItem | Rejection], mode: Mode) -> Written:
        """Add or change many; a state needs the scope of imports."""
        sound = [item for item in items if isinstance(item, MaintenanceWindowItem)]
        if any("state" in item.model_fields_set for item in sound):
            caller.require(IMPORT)
        async with command(self._database, caller) as tx:
            services = await find_services(
                tx,
                keys=(key for item in sound for key in item.service_keys or ()),
                ids=(id_ for item in sound for id_ in item.service_ids or ()),
            )
            known = await known_rows(tx, WINDOWS, [identity_of(WINDOWS, vars(item)) for item in sound])
            drafts = [importing.drafted(item, known, services, now=tx.now, actor=caller.subject) for item in items]
            report = await write_told(tx, WINDOWS, drafts, mode=mode, known=known)
            await correct(tx, WINDOWS, importing.courses(drafts, report.results))
            return await conclude(tx, report.answer())

    async def transition(
        self, caller: Caller, id_: UUID, order: MaintenanceWindowTransition, expected: int | None
    ) -> Written:
        """Start, complete or cancel a window."""
        async with command(self._database, caller) as tx:
            row = await get_to_change(tx, WINDOWS, id_, expected=expected)
            transition = LIFECYCLE.decide(row["state"], order.to, Candidate(order.reason))
            is_beginning = order.to == "in_progress"  # which may have been before it was written down
            last = order.at or tx.now if is_beginning else await _last(tx, row)
            at = moment_of(order.at, last, tx.now, WINDOWS.called)
            return await conclude(tx, await _enter(tx, row, transition, at, order.reason))

    async def transitions(self, caller: Caller, id_: UUID) -> Found:
        """Return where a window may go, what stands in the way, and how it came here."""
        async with self._database.read(caller) as tx:
            row = await get_row(tx, WINDOWS, id_)
            return transitions_document(LIFECYCLE, row["state"], Candidate(), await history(tx, WINDOWS, id_))

    async def announce(
        self, tx: Transaction, *, title: str, service_ids: Sequence[str], span: tuple[datetime, datetime]
    ) -> UUID:
        """Add a scheduled window over services that exist, announced now, as part of something larger."""
        ids = [UUID(id_) for id_ in service_ids]
        new = NewMaintenanceWindow(title=title, service_ids=ids, planned_start=span[0], planned_end=span[1])
        written = await _add(tx, new)
        if written.id is None:
            raise RuntimeError("a window that was added has an id")
        return written.id

    async def lead(self, tx: Transaction, id_: UUID, to: str, *, at: datetime, reason: str | None) -> None:
        """Bring a window to another state as part of something larger, if there is a way there from where it is now."""
        row = await find_to_change(tx, WINDOWS, id_)
        transition = LIFECYCLE.way(row["state"], to) if row is not None else None
        if transition is not None:
            at = at if to == "in_progress" else max(at, await _last(tx, row))
            await _enter(tx, row, transition, at, reason)

    async def open_over(
        self, tx: Reading, service_ids: Collection[UUID], span: Span, *, but: UUID | None, most: int
    ) -> Sequence[Any]:
        """Return the windows over any of the services that are not over and overlap a span, all but one."""
        ids = sorted(str(id_) for id_ in service_ids)
        since, until = span
        return await tx.all(_OPEN_OVER, claimed=ids, since=since, until=until, but=but, now=tx.now, most=most)

    async def running_of(self, tx: Reading, service_id: UUID) -> Sequence[dict[str, Any]]:
        """Return the windows of a service that are in progress, a hundred at most."""
        rows = await tx.all(_RUNNING, service_id=service_id, now=tx.now, most=SHOWN_MAX)
        return [{"id": str(row["id"])} | {name: row[name] for name in (*_SHOWN, "overrun")} for row in rows]

    async def running_among(self, tx: Reading, service_ids: Sequence[UUID]) -> frozenset[UUID]:
        """Return those of the services over which some window is in progress."""
        rows = await tx.all(_ALL_RUNNING)
        return frozenset(service_ids) & {UUID(row["service_id"]) for row in rows}

    async def any_names(self, tx: Transaction, service_id: UUID) -> bool:
        """Tell whether any window names a service."""
        return await tx.one(_ANY, service_id=service_id) is not None


async def _add(tx: Transaction, new: NewMaintenanceWindow) -> Written:
    values = new.model_dump() | {"announced_at": new.announced_at or tx.now, "cancellation_reason": None}
    values["service_ids"] = await existing_services(tx, new.service_ids)
    spans = _sound(values, tx.now)
    state = spans.state
    if faults := spans.faults_of_state(state):
        raise invalid(*faults)
    written = await insert_one(tx, WINDOWS, values | {"state": state})
    if written.id is not None:
        await record(tx, WINDOWS, [Entry(resource_id=written.id, at=spans.begun_at(state, tx.now), to_state=state)])
    return written


async def _last(tx: Transaction, row: Any) -> datetime:
    """Return when the last step of a window was; one that has begun has no later one before that."""
    last = (await steps_in_force(tx, WINDOWS, row["id"]))[-1].at
    return max(last, row["actual_start"] or last)


async def _enter(
    tx: Transaction, row: Any, transition: Transition[Candidate], at: datetime, reason: str | None
) -> Written:
    """Bring a window to another state at an instant."""
    changes: dict[str, Any] = {}
    match transition.target:
        case "in_progress":
            changes["actual_start"] = at
            await correct(tx, WINDOWS, {row["id"]: begun_by(at)})
        case "completed":
            changes["actual_end"] = at
        case "cancelled":
            changes["cancellation_reason"] = reason
        case _:  # nothing leads there
            pass
    return await move(tx, WINDOWS, row, transition, changes, at=at, reason=reason)


async def _refuse_led(tx: Transaction, row: Any, changes: Mapping[str, Any]) -> None:
    """Refuse to plan a window otherwise that a change leads."""
    fields = sorted(name for name in _PLANNED if changes.get(name, row[name]) != row[name])
    change_id = await leading(tx, row["id"]) if fields else None
    if change_id is not None:
        message = f"These stay as they are while changes/{change_id} leads the window: {', '.join(fields)}."
        raise Rejection("conflict", "window-led", message, extra={"change_id": str(change_id), "fields": fields})


def _faults_of_actual(row: Any, changes: Mapping[str, Any]) -> list[Fault]:
    """Return which changes tell what has not happened yet, or take back what has."""
    state, faults = row["state"], []
    for name, states in REACHED.items():
        if changes.get(name) is not None and state not in states:
            faults.append(Fault(f"/{name}", "state-not-reached", "Use a transition to say that this happened."))
        elif name in changes and changes[name] is None and row[name] is not None:
            faults.append(lacking(state, name))
    return faults


def _sound(values: Mapping[str, Any], now: datetime) -> Spans:
    spans = Spans(**{name: values[name] for name in SPAN_FIELDS})
    faults = spans.faults(now)
    if faults:
        raise invalid(*faults)
    return spans
