"""The use cases of improvements."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from chassis.batch import identity_of, known_rows
from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database
from chassis.history import history
from chassis.keys import command, conclude
from chassis.merging import differing
from chassis.moving import begin, misplaced, moment_of, move
from chassis.outcome import Found, Mode, Written
from chassis.past import write_told
from chassis.reader import Reader
from chassis.reading import get_row, get_to_change
from chassis.rejection import Fault, Rejection, invalid
from chassis.transitions import transitions_document
from chassis.writing import revise
from service_catalog.improvements import importing
from service_catalog.improvements.lifecycle import LIFECYCLE, OVER, Candidate, begun, emptied, entered
from service_catalog.improvements.promises import benefit_document, origin_columns, problems_named
from service_catalog.improvements.schemas import (
    ImprovementItem,
    ImprovementPatch,
    ImprovementTransition,
    NewImprovement,
)
from service_catalog.improvements.tables import IMPROVEMENTS
from service_catalog.problems.directory import existing_problems
from service_catalog.services.directory import find_services

APPROVE = "catalog:approve"
IMPORT = "catalog:import"
_BY_HAND = frozenset({"benefit", "origin"})


class Improvements:
    """The register of improvements."""

    def __init__(self, database: Database, seal: CursorSeal) -> None:
        self._database = database
        reader = Reader(database, IMPROVEMENTS, seal)
        self.get, self.list = reader.get, reader.list

    async def create(self, caller: Caller, new: NewImprovement) -> Written:
        """Propose an improvement."""
        async with command(self._database, caller) as tx:
            faults: list[Fault] = []
            values: dict[str, Any] = {name: getattr(new, name) for name in type(new).model_fields.keys() - _BY_HAND}
            values["benefit"] = benefit_document(new.benefit, None, faults)
            problems = await existing_problems(tx, problems_named([new.origin]))
            values |= origin_columns(new.origin, problems, faults) | begun(tx.now)
            if faults:
                raise invalid(*faults)
            return await conclude(tx, await begin(tx, IMPROVEMENTS, values))

    async def change(self, caller: Caller, id_: UUID, patch: ImprovementPatch, expected: int | None) -> Written:
        """Change what was sent; what is over keeps all but its labels."""
        async with command(self._database, caller) as tx:
            row = await get_to_change(tx, IMPROVEMENTS, id_, expected=expected)
            changes = patch.changes(row)
            faults: list[Fault] = []
            if "benefit" in changes:
                changes["benefit"] = benefit_document(patch.benefit, row["benefit"], faults)
                changes = differing(row, changes)
            if row["state"] in OVER and changes.keys() - {"labels"}:
                raise importing.STAYS.anew()
            faults += emptied(row, changes)
            if faults:
                raise invalid(*faults)
            return await conclude(tx, await revise(tx, IMPROVEMENTS, row, changes))

    async def batch(self, caller: Caller, items: Sequence[ImprovementItem | Rejection], mode: Mode) -> Written:
        """Add or change many; what tells of the past needs the scope of imports."""
        sound = [item for item in items if isinstance(item, ImprovementItem)]
        if importing.needs_import(sound):
            caller.require(IMPORT)
        async with command(self._database, caller) as tx:
            services = await find_services(
                tx, keys=(item.service_key for item in sound), ids=(item.service_id for item in sound)
            )
            known = await known_rows(tx, IMPROVEMENTS, [identity_of(IMPROVEMENTS, vars(item)) for item in sound])
            problems = await existing_problems(tx, problems_named(item.origin for item in sound))
            drafts = [
                importing.drafted(item, known, services, problems, now=tx.now, actor=caller.subject) for item in items
            ]
            report = await write_told(tx, IMPROVEMENTS, drafts, mode=mode, known=known, details=importing.details_of)
            return await conclude(tx, report.answer())

    async def transition(
        self, caller: Caller, id_: UUID, order: ImprovementTransition, expected: int | None
    ) -> Written:
        """Bring an improvement to another state, if nothing stands in the way; an approval needs its own scope."""
        if order.to == "approved":
            caller.require(APPROVE)
        if faults := misplaced(order, {"outcome": ("closed",)}):
            raise invalid(*faults)
        async with command(self._database, caller) as tx:
            row = await get_to_change(tx, IMPROVEMENTS, id_, expected=expected)
            candidate = Candidate(improvement=row, reason=order.reason, outcome=order.outcome)
            transition = LIFECYCLE.decide(row["state"], order.to, candidate)
            at = moment_of(order.at, row["state_since"], tx.now, IMPROVEMENTS.called)
            changes = entered(row, order.to, at, row["planned_end"]) | {"outcome": order.outcome}
            if order.to == "cancelled":
                changes["cancellation_reason"] = order.reason
            details = {"outcome": order.outcome} if order.outcome else {}
            written = await move(
                tx, IMPROVEMENTS, row, transition, changes, at=at, reason=order.reason, details=details
            )
            return await conclude(tx, written)

    async def transitions(self, caller: Caller, id_: UUID) -> Found:
        """Return where an improvement may go, what stands in the way, and how it came here."""
        async with self._database.read(caller) as tx:
            row = await get_row(tx, IMPROVEMENTS, id_)
            steps = await history(tx, IMPROVEMENTS, id_)
            return transitions_document(LIFECYCLE, row["state"], Candidate(improvement=row), steps)
