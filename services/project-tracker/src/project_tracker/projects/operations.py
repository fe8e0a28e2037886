"""The use cases of projects, and what the slices of its parts ask of them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, Select, Uuid, bindparam, literal_column, select

from chassis.batch import Identity, Upsert, identity_of, known_rows, write_batch
from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database, Reading, Statement, Transaction
from chassis.keys import command, conclude
from chassis.merging import whole
from chassis.outcome import Found, Mode, Written
from chassis.putting import Precondition, put_by_key
from chassis.reader import Reader
from chassis.reading import get_by, get_to_change, get_to_delete
from chassis.rejection import Fault, Rejection, invalid, not_found
from chassis.writing import add, delete_one, insert_one, revise
from project_tracker.projects import lifecycle
from project_tracker.projects.drafts import columns, incomplete, refuse_other_currency, with_labels_merged
from project_tracker.projects.schemas import NewProject, ProjectItem, ProjectPatch, ProjectPlanning, ProjectReplacement
from project_tracker.projects.tables import IN_USE, PROJECTS, project

IMPORT = "projects:import"
_IDENTITY = frozenset({"key", "external_source", "external_id", "currency"})
_PLANNING = frozenset(ProjectPlanning.model_fields)
_HISTORICAL = frozenset({"state", "on_hold", "outcome"})
_NEVER_NULL = frozenset({"name", "currency", "start_at", "state", "on_hold"})
_BLANK = {"state": lifecycle.INITIAL, "on_hold": False, "outcome": None}

_SEEN_BY_PARTS = (
    *("id", "key", "name", "currency", "calendar_id", "start_at", "deadline_at", "constraint_policy"),
    *("state", "on_hold", "outcome"),
)
_OF_PARTS = select(*(project.c[name] for name in _SEEN_BY_PARTS)).where(project.c.id == bindparam("id", type_=Uuid))
_HELD = Statement(_OF_PARTS.with_for_update(of=project, key_share=True))
_SHARED = Statement(_OF_PARTS.with_for_update(of=project, read=True))
_READ = Statement(_OF_PARTS)


def holding(id_: BindParameter[UUID]) -> Select[Any]:
    """Select the currency of a project and hold it, within a larger statement; no row where `hold` would refuse."""
    is_open = project.c.state.not_in([literal_column(f"'{state}'") for state in sorted(lifecycle.FINAL)])
    return select(project.c.currency).where(project.c.id == id_, is_open).with_for_update(of=project, key_share=True)


class Projects:
    """Projects; the slices of their parts lock and ask through it."""

    def __init__(self, database: Database, seal: CursorSeal) -> None:
        self._database = database
        reader = Reader(database, PROJECTS, seal)
        self.get, self.list = reader.get, reader.list

    async def create(self, caller: Caller, new: NewProject) -> Written:
        """Add a project, as `proposed`."""
        async with command(self._database, caller) as tx:
            values = _whole(new, new.currency, tx) | {"key": new.key}
            return await add(tx, PROJECTS, values)

    async def get_by_key(self, caller: Caller, key: str) -> Found:
        """Return the project with this key."""
        async with self._database.read(caller) as tx:
            return await get_by(tx, PROJECTS, "key", key)

    async def change(self, caller: Caller, id_: UUID, patch: ProjectPatch, expected: int | None) -> Written:
        """Change what was sent."""
        async with command(self._database, caller) as tx:
            row = await get_to_change(tx, PROJECTS, id_, expected=expected)
            changes = with_labels_merged(
                row, columns(whole(patch, row), frozenset(patch.model_fields_set), row["currency"])
            )
            _refuse_itself(id_, changes)
            return await conclude(tx, await revise(tx, PROJECTS, row, changes))

    async def put(self, caller: Caller, key: str, new: ProjectReplacement, condition: Precondition) -> Written:
        """Create or replace the project with this key."""

        async def add(tx: Transaction) -> Written:
            return await insert_one(tx, PROJECTS, _whole(new, new.currency, tx) | {"key": key})

        async def replace(tx: Transaction, row: Any) -> Written:
            refuse_other_currency(row, new.currency)
            changes = columns(new, _PLANNING | {"name", "external_source", "external_id"}, new.currency)
            if new.start_at is None:
                del changes["start_at"]
            _refuse_itself(row["id"], changes)
            return await revise(tx, PROJECTS, row, changes)

        return await put_by_key(self._database, caller, PROJECTS, key, condition, add=add, replace=replace)

    async def delete(self, caller: Caller, id_: UUID, expected: int | None) -> Written:
        """Delete a project that was never begun and has no parts yet."""
        async with command(self._database, caller) as tx:
            lifecycle.refuse_begun(await get_to_delete(tx, PROJECTS, id_))
            try:
                return await conclude(tx, await delete_one(tx, PROJECTS, id_, expected=expected))
            except Rejection as refusal:
                if refusal.kind != "invalid":  # the reference of a project that follows this one
                    raise
                raise IN_USE.anew() from refusal

    async def batch(self, caller: Caller, items: Sequence[ProjectItem | Rejection], mode: Mode) -> Written:
        """Add or change many."""
        if any(isinstance(item, ProjectItem) and item.model_fields_set & _HISTORICAL for item in items):
            caller.require(IMPORT)
        async with command(self._database, caller) as tx:
            identities = [None if isinstance(item, Rejection) else _identity(item) for item in items]
            known = await known_rows(tx, PROJECTS, identities)
            upserts = [
                _judged(item, known.get(_identity(item)), tx) if isinstance(item, ProjectItem) else item
                for item in items
            ]
            return await conclude(tx, await write_batch(tx, PROJECTS, upserts, mode=mode, known=known))

    async def read(self, tx: Reading, id_: UUID) -> Any:
        """Return what the parts of a project see of it, or refuse as `not-found`."""
        return _there(await tx.one(_READ, id=id_))

    async def share(self, tx: Transaction, id_: UUID) -> Any:
        """Return what is seen of a project that still takes reports and costs, and will until the transaction ends."""
        row = _there(await tx.one(_SHARED, id=id_))
        lifecycle.refuse_final(row)
        return row

    async def hold(self, tx: Transaction, id_: UUID) -> Any:
        """Return what is seen of a project whose plan may be changed, by this transaction alone."""
        if tx.alone_in != id_:
            raise RuntimeError("who changes a plan is alone in its project from the first message on")
        row = _there(await tx.one(_HELD, id=id_))
        lifecycle.refuse_final(row)
        return row


def _refuse_itself(id_: UUID, changes: Mapping[str, Any]) -> None:
    if changes.get("predecessor_project_id") == id_:
        raise invalid(Fault("/predecessor_project_id", "own-predecessor", "A project does not follow itself."))


def _there(row: Any) -> Any:
    if row is None:
        raise not_found(PROJECTS.called)
    return row


def _whole(new: ProjectReplacement, currency: str, tx: Transaction) -> dict[str, Any]:
    values = columns(new, _PLANNING | {"name", "currency", "external_source", "external_id"}, currency)
    return values | _BLANK | {"start_at": new.start_at or tx.now}


def _identity(item: ProjectItem) -> Identity | None:
    return identity_of(PROJECTS, {name: getattr(item, name) for name in ("key", "external_source", "external_id")})


def _judged(item: ProjectItem, row: Any, tx: Transaction) -> Upsert | Rejection:
    """Return how an item is written; `row` is the project it means, if there is one, else defaults fill in."""
    currency = row["currency"] if row else item.currency
    missing = None if row else incomplete(item, "name", "currency")
    if missing is not None:
        return missing
    named = {name for name in item.model_fields_set if not (name in _NEVER_NULL and getattr(item, name) is None)}
    try:
        if row and item.currency:
            refuse_other_currency(row, item.currency)
        values = columns(item, _PLANNING | _IDENTITY | _HISTORICAL | {"name"}, currency or "")
    except Rejection as refusal:
        return refusal
    values |= {name: value for name, value in _BLANK.items() if values[name] is None}
    values |= {"start_at": item.start_at or tx.now, "currency": currency}
    return Upsert(values=values, named=frozenset(named), change=_move(row, item, tx.caller))


def _move(row: Any, item: ProjectItem, caller: Caller) -> dict[str, Any] | None:
    if row is None or item.state is None or row["state"] == item.state:
        return None
    return {"from": row["state"], "to": item.state, "reason": None, "actor": caller.subject}
