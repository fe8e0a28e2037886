"""The use cases of catalogue items."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from chassis.batch import identity_of, known_rows
from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database, Reading, Transaction
from chassis.history import history
from chassis.keys import command, conclude
from chassis.moving import begin, move
from chassis.outcome import Found, Mode, Written
from chassis.past import write_told
from chassis.putting import Precondition, put_by_key
from chassis.reader import Reader
from chassis.reading import get_by, get_row, get_to_change, get_to_delete
from chassis.rejection import Fault, Rejection, invalid
from chassis.transitions import transitions_document
from chassis.writing import delete_one, revise
from service_catalog.catalogue_items import importing
from service_catalog.catalogue_items.changing import NO_FORM, columns_of, sound
from service_catalog.catalogue_items.lifecycle import LIFECYCLE, Candidate
from service_catalog.catalogue_items.schemas import (
    CatalogueItemItem,
    CatalogueItemPatch,
    CatalogueItemReplacement,
    CatalogueItemTransition,
    NewCatalogueItem,
)
from service_catalog.catalogue_items.tables import CATALOGUE_ITEMS
from service_catalog.services.directory import find_services, service_card

IMPORT = "catalog:import"


class CatalogueItems:
    """What users may ask services for."""

    def __init__(self, database: Database, seal: CursorSeal) -> None:
        self._database = database
        reader = Reader(database, CATALOGUE_ITEMS, seal)
        self.get, self.list = reader.get, reader.list

    async def create(self, caller: Caller, new: NewCatalogueItem) -> Written:
        """Add an item, as `draft`."""
        async with command(self._database, caller) as tx:
            return await conclude(tx, await _add(tx, new.key, new))

    async def get_by_key(self, caller: Caller, key: str) -> Found:
        """Return the item with this key."""
        async with self._database.read(caller) as tx:
            return await get_by(tx, CATALOGUE_ITEMS, "key", key)

    async def change(self, caller: Caller, id_: UUID, patch: CatalogueItemPatch, expected: int | None) -> Written:
        """Change what was sent; another form has the next version."""
        async with command(self._database, caller) as tx:
            row = await get_to_change(tx, CATALOGUE_ITEMS, id_, expected=expected)
            changes = sound(columns_of(patch.changes(row), row), row, row["state"])
            return await conclude(tx, await revise(tx, CATALOGUE_ITEMS, row, changes))

    async def put(self, caller: Caller, key: str, new: CatalogueItemReplacement, condition: Precondition) -> Written:
        """Create or replace the item with this key."""

        async def add(tx: Transaction) -> Written:
            return await _add(tx, key, new)

        async def replace(tx: Transaction, row: Any) -> Written:
            if new.service_id != row["service_id"]:
                raise invalid(Fault("/service_id", "immutable", "The service of a catalogue item never changes."))
            changes = sound(columns_of(_values(new), row), row, row["state"])
            return await revise(tx, CATALOGUE_ITEMS, row, changes)

        return await put_by_key(self._database, caller, CATALOGUE_ITEMS, key, condition, add=add, replace=replace)

    async def delete(self, caller: Caller, id_: UUID, expected: int | None) -> Written:
        """Delete an item that was never published and that nobody asked for."""
        async with command(self._database, caller) as tx:
            row = await get_to_delete(tx, CATALOGUE_ITEMS, id_, expected=expected)
            if row["state"] != LIFECYCLE.initial:
                raise Rejection("conflict", "item-was-published", "What was published is withdrawn, not deleted.")
            return await conclude(tx, await delete_one(tx, CATALOGUE_ITEMS, id_, expected=expected))

    async def batch(self, caller: Caller, items: Sequence[CatalogueItemItem | Rejection], mode: Mode) -> Written:
        """Add or change many; a state needs the scope of imports."""
        named = [item for item in items if isinstance(item, CatalogueItemItem)]
        if importing.needs_import(named):
            caller.require(IMPORT)
        async with command(self._database, caller) as tx:
            services = await find_services(
                tx, keys=(item.service_key for item in named), ids=(item.service_id for item in named)
            )
            known = await known_rows(tx, CATALOGUE_ITEMS, [identity_of(CATALOGUE_ITEMS, vars(item)) for item in named])
            drafts = [importing.drafted(item, known, services, actor=caller.subject) for item in items]
            report = await write_told(tx, CATALOGUE_ITEMS, drafts, mode=mode, known=known)
            return await conclude(tx, report.answer())

    async def transition(
        self, caller: Caller, id_: UUID, order: CatalogueItemTransition, expected: int | None
    ) -> Written:
        """Publish or withdraw an item, if nothing stands in the way."""
        async with command(self._database, caller) as tx:
            row = await get_to_change(tx, CATALOGUE_ITEMS, id_, expected=expected)
            transition = LIFECYCLE.decide(row["state"], order.to, await _candidate(tx, row))
            return await conclude(tx, await move(tx, CATALOGUE_ITEMS, row, transition, {}, reason=order.reason))

    async def transitions(self, caller: Caller, id_: UUID) -> Found:
        """Return where an item may go, what stands in the way, and how it came here."""
        async with self._database.read(caller) as tx:
            row = await get_row(tx, CATALOGUE_ITEMS, id_)
            steps = await history(tx, CATALOGUE_ITEMS, id_)
            return transitions_document(LIFECYCLE, row["state"], await _candidate(tx, row), steps)


async def _add(tx: Transaction, key: str, new: CatalogueItemReplacement) -> Written:
    columns = sound(columns_of(_values(new)), NO_FORM, LIFECYCLE.initial)
    return await begin(tx, CATALOGUE_ITEMS, columns | {"key": key, "state": LIFECYCLE.initial})


def _values(new: CatalogueItemReplacement) -> dict[str, Any]:
    return {name: getattr(new, name) for name in CatalogueItemReplacement.model_fields}


async def _candidate(tx: Reading, row: Any) -> Candidate:
    service = await service_card(tx, row["service_id"])
    return Candidate(item=row, service_state=service["state"])
