"""The use cases of service requests."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from chassis.batch import identity_of, known_rows
from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database, Reading, Transaction
from chassis.history import histories, history
from chassis.keys import command, conclude
from chassis.moving import begin, misplaced, moment_of, move
from chassis.outcome import Found, Mode, Written
from chassis.past import write_told
from chassis.reader import Reader
from chassis.reading import get_row, get_to_change, lock_free
from chassis.rejection import Rejection, invalid
from chassis.schemas import parse_instant
from chassis.transitions import transitions_document
from chassis.writing import revise
from service_catalog.catalogue_items.directory import find_items
from service_catalog.catalogue_items.forms import KnownForms
from service_catalog.clocks.reckoning import Step
from service_catalog.requests import importing
from service_catalog.requests.lifecycle import DECISIONS, LIFECYCLE, Candidate, begun, entered
from service_catalog.requests.schemas import (
    NewServiceRequest,
    ServiceRequestItem,
    ServiceRequestPatch,
    ServiceRequestTransition,
)
from service_catalog.requests.submission import NAMELESS, refused, values_of
from service_catalog.requests.tables import SERVICE_REQUESTS
from service_catalog.requests.timers import TIMERS

APPROVE = "catalog:approve"
IMPORT = "catalog:import"
_ONLY_WITH = {"hold_reason": ("on_hold",), "outcome": ("fulfilled",)}


class ServiceRequests:
    """What was asked of services."""

    def __init__(self, database: Database, seal: CursorSeal) -> None:
        self._database = database
        self._forms = KnownForms()
        reader = Reader(database, SERVICE_REQUESTS, seal)
        self.get, self.list = reader.get, reader.list

    async def create(self, caller: Caller, new: NewServiceRequest) -> Written:
        """Submit a request for a published item; where nobody has to approve it, it is approved."""
        if new.catalogue_item_id is None and new.catalogue_item_key is None:
            raise NAMELESS.anew()
        async with command(self._database, caller) as tx:
            items = await find_items(tx, ids=[new.catalogue_item_id], keys=[new.catalogue_item_key])
            item = items.named(new.catalogue_item_id, new.catalogue_item_key)
            refusal = item if isinstance(item, Rejection) else refused(item, new.form, self._forms)
            if refusal is not None:
                raise refusal
            course = begun(tx.now, approval_required=item["approval_required"])
            values = values_of(new, item, actor=caller.subject) | course | {"submitted_at": tx.now}
            written = await begin(tx, SERVICE_REQUESTS, values)
            await _mark(tx, written.id, item)
            return await conclude(tx, written)

    async def change(self, caller: Caller, id_: UUID, patch: ServiceRequestPatch, expected: int | None) -> Written:
        """Change what was sent."""
        async with command(self._database, caller) as tx:
            row = await get_to_change(tx, SERVICE_REQUESTS, id_, expected=expected)
            return await conclude(tx, await revise(tx, SERVICE_REQUESTS, row, patch.changes(row)))

    async def batch(self, caller: Caller, items: Sequence[ServiceRequestItem | Rejection], mode: Mode) -> Written:
        """Add or change many; what tells of the past needs the scope of imports."""
        sound = [item for item in items if isinstance(item, ServiceRequestItem)]
        if any(importing.tells_of_the_past(item) for item in sound):
            caller.require(IMPORT)
        async with command(self._database, caller) as tx:
            drafting = importing.Drafting(
                items=await find_items(
                    tx,
                    keys=(item.catalogue_item_key for item in sound),
                    ids=(item.catalogue_item_id for item in sound),
                ),
                known=await known_rows(
                    tx, SERVICE_REQUESTS, [identity_of(SERVICE_REQUESTS, vars(item)) for item in sound]
                ),
                forms=self._forms,
                now=tx.now,
                actor=caller.subject,
            )
            drafts = []
            for item in items:
                drafts.append(drafting.draft(item))
                await asyncio.sleep(0)  # holding many forms against their schemas holds nobody else up
            report = await write_told(tx, SERVICE_REQUESTS, drafts, mode=mode, known=drafting.known)
            await TIMERS.mark(tx, [(id_,) for id_ in importing.clocked(drafts, report.results)])
            return await conclude(tx, report.answer())

    async def transition(
        self, caller: Caller, id_: UUID, order: ServiceRequestTransition, expected: int | None
    ) -> Written:
        """Bring a request to another state, if nothing stands in the way; a decision needs its own scope."""
        if order.to in DECISIONS:
            caller.require(APPROVE)
        if faults := misplaced(order, _ONLY_WITH):
            raise invalid(*faults)
        async with command(self._database, caller) as tx:
            row = await get_to_change(tx, SERVICE_REQUESTS, id_, expected=expected)
            candidate = Candidate(request=row, actor=caller.subject, reason=order.reason, hold_reason=order.hold_reason)
            transition = LIFECYCLE.decide(row["state"], order.to, candidate)
            at = moment_of(order.at, row["state_since"], tx.now, SERVICE_REQUESTS.called)
            changes = entered(
                row, order.to, at, actor=caller.subject, reason=order.reason, hold_reason=order.hold_reason
            )
            details = {name: told for name in _ONLY_WITH if (told := getattr(order, name)) is not None}
            changes |= {name: told for name, told in details.items() if name == "outcome"}
            written = await move(
                tx, SERVICE_REQUESTS, row, transition, changes, at=at, reason=order.reason, details=details
            )
            await _mark(tx, id_, row)
            return await conclude(tx, written)

    async def transitions(self, caller: Caller, id_: UUID) -> Found:
        """Return where a request may go if this caller wants it, what stands in the way, and how it came here."""
        async with self._database.read(caller) as tx:
            row = await get_row(tx, SERVICE_REQUESTS, id_)
            candidate = Candidate(request=row, actor=caller.subject)
            steps = await history(tx, SERVICE_REQUESTS, id_)
            return transitions_document(LIFECYCLE, row["state"], candidate, steps)

    async def row(self, tx: Reading, id_: UUID) -> Any:
        """Return a request's row, or refuse as `not-found`."""
        return await get_row(tx, SERVICE_REQUESTS, id_)

    async def lock_free(self, tx: Transaction, ids: Sequence[UUID]) -> Sequence[Any]:
        """Lock those of the requests that nobody holds, and return their rows."""
        return await lock_free(tx, SERVICE_REQUESTS, ids)

    async def steps(self, tx: Reading, ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Step]]:
        """Return the states that requests went through, oldest first."""
        told = await histories(tx, [SERVICE_REQUESTS], ids)
        return {id_: [_step(one) for one in json.loads(steps)] for id_, (steps,) in told.items()}


def _step(told: Mapping[str, Any]) -> Step:
    return Step(told["to"], parse_instant(told["at"]), told["details"].get("hold_reason"))


async def _mark(tx: Transaction, id_: UUID | None, targeted: Any) -> None:
    """Have a request looked at, if it has a target."""
    if id_ is not None and targeted["fulfilment_target_minutes"] is not None:
        await TIMERS.mark(tx, [(id_,)])
