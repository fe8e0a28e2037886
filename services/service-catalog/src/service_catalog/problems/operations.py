"""The use cases of problems."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from chassis.batch import Report, identity_of, known_rows
from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database
from chassis.history import correct, history
from chassis.keys import command, conclude
from chassis.listing import Listing
from chassis.moving import begin, misplaced, moment_of, move
from chassis.outcome import Found, Mode, Page, Written
from chassis.past import Draft, write_told
from chassis.reader import Reader
from chassis.reading import get_row, get_to_change
from chassis.rejection import Fault, Rejection, invalid
from chassis.transitions import transitions_document
from chassis.writing import revise
from service_catalog.incidents.linked import LinkedIncidents, News
from service_catalog.incidents.priority import priority_of
from service_catalog.problems import importing
from service_catalog.problems.lifecycle import LIFECYCLE, OVER, TOLD, Candidate, begun, emptied, entered, is_reopened
from service_catalog.problems.schemas import NewProblem, ProblemItem, ProblemPatch, ProblemTransition
from service_catalog.problems.tables import PROBLEMS
from service_catalog.services.directory import find_services

IMPORT = "catalog:import"
_LEVELS = ("impact", "urgency")
_FOUND = ("known_error", "resolved", "closed")
_ONLY_WITH = {"root_cause": _FOUND, "workaround": _FOUND, "factor": _FOUND, "resolution": ("resolved", "closed")}


class Problems:
    """Problems of services, and the incidents that come from them."""

    def __init__(self, database: Database, seal: CursorSeal, *, incidents: LinkedIncidents) -> None:
        self._database = database
        self._incidents = incidents
        reader = Reader(database, PROBLEMS, seal)
        self.get, self.list = reader.get, reader.list

    async def create(self, caller: Caller, new: NewProblem) -> Written:
        """Record a problem as `open`."""
        async with command(self._database, caller) as tx:
            identified_at = new.identified_at or tx.now
            if identified_at > tx.now:
                raise invalid(Fault("/identified_at", "in-the-future", "This is told when it has happened."))
            values = vars(new) | begun(identified_at)
            values |= {"identified_at": identified_at, "priority": priority_of(new.impact, new.urgency)}
            return await conclude(tx, await begin(tx, PROBLEMS, values, at=new.identified_at))

    async def change(self, caller: Caller, id_: UUID, patch: ProblemPatch, expected: int | None) -> Written:
        """Change what was sent; what is over keeps all but its labels, and each state what it rests on."""
        async with command(self._database, caller) as tx:
            row = await get_to_change(tx, PROBLEMS, id_, expected=expected)
            changes = patch.changes(row)
            if row["state"] in OVER and changes.keys() - {"labels"}:
                raise importing.STAYS.anew()
            if faults := emptied(row["state"], changes):
                raise invalid(*faults)
            if not changes.keys().isdisjoint(_LEVELS):
                changes["priority"] = priority_of(*(changes.get(name, row[name]) for name in _LEVELS))
            return await conclude(tx, await revise(tx, PROBLEMS, row, changes))

    async def batch(self, caller: Caller, items: Sequence[ProblemItem | Rejection], mode: Mode) -> Written:
        """Add or change many; what tells of the past needs the scope of imports."""
        sound = [item for item in items if isinstance(item, ProblemItem)]
        if importing.needs_import(sound):
            caller.require(IMPORT)
        async with command(self._database, caller) as tx:
            services = await find_services(
                tx, keys=(item.service_key for item in sound), ids=(item.service_id for item in sound)
            )
            known = await known_rows(tx, PROBLEMS, [identity_of(PROBLEMS, vars(item)) for item in sound])
            drafts = [importing.drafted(item, known, services, now=tx.now, actor=caller.subject) for item in items]
            report = await write_told(tx, PROBLEMS, drafts, mode=mode, known=known)
            await correct(tx, PROBLEMS, importing.courses(drafts, report.results))
            await self._incidents.tell(tx, _news(drafts, report))
            return await conclude(tx, report.answer())

    async def transition(self, caller: Caller, id_: UUID, order: ProblemTransition, expected: int | None) -> Written:
        """Bring a problem to another state, if nothing stands in the way, and tell its incidents what they should know.

        They are told in the same transaction; none of them changes its state.
        """
        if faults := misplaced(order, _ONLY_WITH):
            raise invalid(*faults)
        async with command(self._database, caller) as tx:
            row = await get_to_change(tx, PROBLEMS, id_, expected=expected)
            said = {name: told for name in _ONLY_WITH if (told := getattr(order, name)) is not None}
            transition = LIFECYCLE.decide(
                row["state"], order.to, Candidate(problem=row, reason=order.reason, said=said)
            )
            at = moment_of(order.at, row["state_since"], tx.now, PROBLEMS.called)
            changes = entered(row, order.to, at) | said
            if order.to == "cancelled":
                changes["cancellation_reason"] = order.reason
            if is_reopened(row, order.to):
                changes["resolution"] = None
            written = await move(tx, PROBLEMS, row, transition, changes, at=at, reason=order.reason, details=said)
            if order.to in TOLD:
                news = News(order.to, transition.verb, at, dict(row) | changes, reason=order.reason)
                await self._incidents.tell(tx, [news])
            return await conclude(tx, written)

    async def transitions(self, caller: Caller, id_: UUID) -> Found:
        """Return where a problem may go, what stands in the way, and how it came here."""
        async with self._database.read(caller) as tx:
            row = await get_row(tx, PROBLEMS, id_)
            steps = await history(tx, PROBLEMS, id_)
            return transitions_document(LIFECYCLE, row["state"], Candidate(problem=row), steps)

    async def incidents_of(self, caller: Caller, id_: UUID, listing: Listing) -> Page:
        """Return a page of the incidents of a problem."""
        async with self._database.read(caller) as tx:
            await get_row(tx, PROBLEMS, id_)
            return await self._incidents.page(tx, listing)


def _news(drafts: Sequence[Draft | Rejection], report: Report) -> list[News]:
    """Return what the incidents of the problems of a batch are to know: those that were known and went on."""
    verbs = {transition.target: transition.verb for transition in LIFECYCLE.transitions}
    made = []
    for draft, result in zip(drafts, report.results, strict=True):
        if not isinstance(draft, Draft) or not result.written or result.before is None:
            continue
        now_so: Mapping[str, Any] = dict(result.before) | {
            name: draft.upsert.values[name] for name in draft.upsert.named
        }
        state = now_so["state"]
        if state in TOLD and state != result.before["state"]:
            made.append(News(state, verbs[state], now_so["state_since"], now_so))
    return made
