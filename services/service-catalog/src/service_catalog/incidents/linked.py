"""The incidents of problems: which problem an incident belongs to, and what it is told of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database, Reading, Statement, Transaction
from chassis.events.notices import Notice, tell_all
from chassis.history import Entry, record
from chassis.keys import command, conclude
from chassis.listing import Listing
from chassis.outcome import Page, Written
from chassis.reading import get_to_change, list_page, refuse_unknown
from chassis.rejection import Rejection, not_found
from chassis.schemas import instant_text
from chassis.writing import Row, revise, update_many
from service_catalog.incidents.links import link_steps
from service_catalog.incidents.tables import INCIDENTS, PROBLEM_LINKS, incident
from service_catalog.problems.directory import hold_problem

_OF_PROBLEM = replace(INCIDENTS, under=("problems", "problem_id"))
_SHOWN = ("title", "state", "workaround", "resolution")
_KNOWLEDGE = ("root_cause", "workaround", "resolution", "factor")
_CANCELLED = Rejection("conflict", "problem-cancelled", "No incident belongs to a problem that was cancelled.")
_LINKED = (
    select(incident.c.id, incident.c.service_id, incident.c.problem_id)
    .where(incident.c.problem_id == func.any(bindparam("problem_ids", type_=ARRAY(Uuid, dimensions=1))))
    .order_by(incident.c.id)
)
_OF_PROBLEMS = Statement(_LINKED)
_TO_UNLINK = Statement(_LINKED.with_for_update(key_share=True))


@dataclass(frozen=True, slots=True)
class News:
    """A state that a problem has entered and that its incidents are to know of; `problem` is how it is now."""

    state: str
    verb: str
    at: datetime
    problem: Mapping[str, Any]
    reason: str | None = None

    def knowledge(self) -> dict[str, Any]:
        """Return what is known of the problem now."""
        known = {name: self.problem[name] for name in _KNOWLEDGE if self.problem[name] is not None}
        return {"problem_id": str(self.problem["id"]), "title": self.problem["title"], **known}


class LinkedIncidents:
    """Incidents as parts of the problem they come from. An incident is locked before its problem is held."""

    def __init__(self, database: Database, seal: CursorSeal) -> None:
        self._database = database
        self._seal = seal

    async def link(self, caller: Caller, problem_id: UUID, id_: UUID, expected: int | None) -> Written:
        """Let an incident belong to a problem, whichever it belonged to before."""
        async with command(self._database, caller) as tx:
            row = await get_to_change(tx, INCIDENTS, id_, expected=expected)
            if await hold_problem(tx, problem_id) is None:
                raise not_found("problem")
            return await conclude(tx, await _relink(tx, row, problem_id))

    async def unlink(self, caller: Caller, problem_id: UUID, id_: UUID, expected: int | None) -> Written:
        """Let an incident of a problem belong to it no longer."""
        async with command(self._database, caller) as tx:
            row = await get_to_change(tx, _OF_PROBLEM, id_, owner=problem_id, expected=expected)
            return await conclude(tx, await _relink(tx, row, None))

    async def page(self, tx: Reading, listing: Listing) -> Page:
        """Return a page of the incidents of the problem that the listing names as their owner."""
        return await list_page(tx, _OF_PROBLEM, listing, self._seal)

    async def tell(self, tx: Transaction, news: Sequence[News]) -> None:
        """Let the incidents of problems know what became of these: on their timelines, and by an event each.

        Those of a problem that was cancelled are then unlinked from it. They are locked after it here; where that
        meets a link under way, one of the two begins anew.
        """
        if not news:
            return
        by_problem = {one.problem["id"]: one for one in news}
        rows = [(row, by_problem[row["problem_id"]]) for row in await tx.all(_OF_PROBLEMS, problem_ids=[*by_problem])]
        await record(tx, PROBLEM_LINKS, [_step(row, one) for row, one in rows])
        await tell_all(tx, [_notice(row, one, tx.caller.subject) for row, one in rows])
        await _unlink(tx, [id_ for id_, one in by_problem.items() if one.state == "cancelled"])


async def problem_steps(tx: Transaction, row: Mapping[str, Any], changes: Mapping[str, Any]) -> list[Entry]:
    """Return the step of a locked incident to another problem, or to none, if the changes name another one.

    Refuses a problem that does not exist or was cancelled; what incidents of the problem were told before is in the
    step.
    """
    after = changes.get("problem_id")
    if after is None or after == row["problem_id"]:
        return link_steps(row, "problem_id", changes, tx.now)
    problem = await hold_problem(tx, after)
    if problem is None:
        raise refuse_unknown("problem", "/problem_id")
    if problem["state"] == "cancelled":
        raise _CANCELLED.anew()
    told = {name: problem[name] for name in _SHOWN if problem[name]}
    return link_steps(row, "problem_id", changes, tx.now, **told)


async def _relink(tx: Transaction, row: Any, problem_id: UUID | None) -> Written:
    changes = {"problem_id": problem_id}
    steps = await problem_steps(tx, row, changes)
    written = await revise(tx, INCIDENTS, row, changes)
    await record(tx, PROBLEM_LINKS, steps)
    return written


async def _unlink(tx: Transaction, problem_ids: Sequence[UUID]) -> None:
    if not problem_ids:
        return
    changes = {"problem_id": None}
    rows = await tx.all(_TO_UNLINK, problem_ids=problem_ids)
    await update_many(tx, INCIDENTS, [Row(id=row["id"], values=changes, verb="updated") for row in rows])
    await record(tx, PROBLEM_LINKS, [step for row in rows for step in link_steps(row, "problem_id", changes, tx.now)])


def _step(row: Any, news: News) -> Entry:
    details = news.knowledge()
    return Entry(resource_id=row["id"], at=news.at, to_state=news.state, reason=news.reason, details=details)


def _notice(row: Any, news: News, actor: str) -> Notice:
    about = {"incident_id": str(row["id"]), "service_id": str(row["service_id"])}
    told = {"state": news.state, "at": instant_text(news.at), "reason": news.reason, "actor": actor}
    return Notice(
        noun="incident_problem",
        verb=news.verb,
        subject=f"incident-problems/{row['id']}/{news.problem['id']}",
        about=row["id"],
        at=news.at,
        data=about | news.knowledge() | told,
    )
