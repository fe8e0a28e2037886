"""The use cases of acceptance criteria."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select

from chassis.batch import identity_of, known_rows, write_items
from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database, Reading, Statement, Transaction
from chassis.history import Entry, correct, history, record
from chassis.keys import command, conclude
from chassis.listing import Listing
from chassis.outcome import Found, Mode, Page, Written
from chassis.reading import get, get_row, get_to_change, list_page
from chassis.rejection import Rejection, not_found
from chassis.schemas import merged_labels
from chassis.transitions import transitions_document
from chassis.writing import delete_one, insert_one, revise, update_one
from service_catalog.acceptance import importing
from service_catalog.acceptance.importing import ALWAYS, UNDECIDED
from service_catalog.acceptance.lifecycle import DECIDED, LIFECYCLE, OPEN, Candidate
from service_catalog.acceptance.schemas import CriterionDecision, CriterionItem, CriterionPatch, NewCriterion
from service_catalog.acceptance.tables import CRITERIA, acceptance_criterion
from service_catalog.services.directory import lock_service, service_card
from service_catalog.services.lifecycle import UNCOMMITTED

APPROVE, IMPORT = "catalog:approve", "catalog:import"
_SEEN = ("id", "dimension", "text", "mandatory", "needed_for", "status")
_OF_SERVICE = Statement(
    select(*(acceptance_criterion.c[name] for name in _SEEN))
    .where(acceptance_criterion.c.service_id == bindparam("service_id", type_=Uuid))
    .order_by(acceptance_criterion.c.created_at, acceptance_criterion.c.id)
)


class AcceptanceCriteria:
    """What a service has to meet; whoever changes it holds the service's row, as the service's commands do."""

    def __init__(self, database: Database, seal: CursorSeal) -> None:
        self._database = database
        self._seal = seal

    async def create(self, caller: Caller, service_id: UUID, new: NewCriterion) -> Written:
        """Add a criterion, as `open`."""
        async with command(self._database, caller) as tx:
            await _hold(tx, service_id)
            return await conclude(tx, await _add(tx, service_id, new))

    async def get(self, caller: Caller, service_id: UUID, id_: UUID) -> Found:
        """Return one criterion of a service."""
        async with self._database.read(caller) as tx:
            return await get(tx, CRITERIA, id_, owner=service_id)

    async def list(self, caller: Caller, service_id: UUID, listing: Listing) -> Page:
        """Return a page of a service's criteria."""
        async with self._database.read(caller) as tx:
            await service_card(tx, service_id)
            return await list_page(tx, CRITERIA, listing, self._seal)

    async def change(
        self, caller: Caller, service_id: UUID, id_: UUID, patch: CriterionPatch, expected: int | None
    ) -> Written:
        """Change what was sent; a decided criterion takes only evidence and labels.

        To demand it no more, once the service is created, needs the scope of approvals, as waiving it does.
        """
        async with command(self._database, caller) as tx:
            row = await _row_to_change(tx, service_id, id_, expected)
            changes = patch.model_dump(include=patch.model_fields_set)
            if row["status"] != OPEN and any(row[name] != changes[name] for name in changes.keys() - ALWAYS):
                raise DECIDED.anew()
            if row["mandatory"] and not changes.get("mandatory", True):
                await _require_approval(tx, service_id)
            if "labels" in changes:
                changes["labels"] = merged_labels(row["labels"], changes["labels"])
            return await conclude(tx, await revise(tx, CRITERIA, row, changes))

    async def batch(
        self, caller: Caller, service_id: UUID, items: Sequence[CriterionItem | Rejection], mode: Mode
    ) -> Written:
        """Add many criteria to a service or change those that are known; a decision needs the scope of imports."""
        sound = [item for item in items if isinstance(item, CriterionItem)]
        if importing.needs_import(sound):
            caller.require(IMPORT)
        async with command(self._database, caller) as tx:
            await _hold(tx, service_id)
            known = await known_rows(
                tx, CRITERIA, [identity_of(CRITERIA, vars(item)) for item in sound], owner=service_id
            )
            if any(importing.eases(item, known) for item in sound):
                await _require_approval(tx, service_id)
            upserts = [importing.drafted(item, known, service_id, now=tx.now, actor=caller.subject) for item in items]
            report = await write_items(tx, CRITERIA, upserts, mode=mode, owner=service_id, known=known)
            await correct(tx, CRITERIA, importing.going_back(upserts, report.results))
            await record(tx, CRITERIA, list(importing.steps_made(upserts, report.results, tx.now)))
            return await conclude(tx, report.answer())

    async def delete(self, caller: Caller, service_id: UUID, id_: UUID, expected: int | None) -> Written:
        """Delete a criterion that nobody has decided; what has to be met needs approval for it, as in `change`."""
        async with command(self._database, caller) as tx:
            row = await _row_to_change(tx, service_id, id_, expected)
            if row["status"] != OPEN:
                raise Rejection("conflict", "criterion-decided", "A decided criterion is kept.")
            if row["mandatory"]:
                await _require_approval(tx, service_id)
            return await conclude(tx, await delete_one(tx, CRITERIA, id_, expected=expected))

    async def decide(
        self, caller: Caller, service_id: UUID, id_: UUID, order: CriterionDecision, expected: int | None
    ) -> Written:
        """Decide a criterion; to waive one needs the scope of approvals."""
        if order.decision == "waived":
            caller.require(APPROVE)
        async with command(self._database, caller) as tx:
            row = await _row_to_change(tx, service_id, id_, expected)
            move = LIFECYCLE.decide(row["status"], order.decision, Candidate(order.reason))
            approver = order.approver or caller.subject
            values = {
                "status": order.decision,
                "decided_at": tx.now,
                "decision_reason": order.reason,
                "approver": approver,
            }
            change = {"from": row["status"], "to": order.decision, "reason": order.reason, "actor": caller.subject}
            written = await update_one(tx, CRITERIA, id_, values, verb=move.verb, change=change)
            step = Entry(
                resource_id=id_,
                at=tx.now,
                from_state=row["status"],
                to_state=order.decision,
                reason=order.reason,
                details={"approver": approver},
            )
            await record(tx, CRITERIA, [step])
            return await conclude(tx, written)

    async def decisions(self, caller: Caller, service_id: UUID, id_: UUID) -> Found:
        """Return how a criterion may be decided, and how it was."""
        async with self._database.read(caller) as tx:
            row = await get_row(tx, CRITERIA, id_, owner=service_id)
            return transitions_document(LIFECYCLE, row["status"], Candidate(), await history(tx, CRITERIA, id_))

    async def of_service(self, tx: Reading, service_id: UUID) -> Sequence[Any]:
        """Return all criteria of a service: what each demands, what it is needed for, and its status."""
        return await tx.all(_OF_SERVICE, service_id=service_id)

    async def demand(self, tx: Transaction, service_id: UUID, demanded: Iterable[NewCriterion]) -> None:
        """Add those criteria that a service, whose row is locked, does not have yet."""
        known = {(one["dimension"], one["text"]) for one in await self.of_service(tx, service_id)}
        for new in demanded:
            if (new.dimension, new.text) not in known:
                known.add((new.dimension, new.text))
                await _add(tx, service_id, new)


async def _add(tx: Transaction, service_id: UUID, new: NewCriterion) -> Written:
    written = await insert_one(tx, CRITERIA, new.model_dump() | UNDECIDED | {"service_id": service_id})
    if written.id is not None:
        await record(tx, CRITERIA, [Entry(resource_id=written.id, at=tx.now, to_state=OPEN)])
    return written


async def _hold(tx: Transaction, service_id: UUID) -> None:
    if not await lock_service(tx, service_id):
        raise not_found("service")


async def _require_approval(tx: Transaction, service_id: UUID) -> None:
    """Refuse without the scope of approvals, once the criteria of a service have been agreed on."""
    service = await service_card(tx, service_id)
    if service["state"] not in UNCOMMITTED:
        tx.caller.require(APPROVE)


async def _row_to_change(tx: Transaction, service_id: UUID, id_: UUID, expected: int | None) -> Any:
    await _hold(tx, service_id)
    return await get_to_change(tx, CRITERIA, id_, owner=service_id, expected=expected)
