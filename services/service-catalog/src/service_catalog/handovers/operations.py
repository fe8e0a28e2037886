"""The use cases of handovers: one is received from its project, and decided here."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import Uuid, bindparam, select, text

from chassis.calendars.operations import Calendars
from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database, Reading, Statement, Transaction
from chassis.history import history
from chassis.keys import command, conclude
from chassis.moving import begin, move
from chassis.outcome import Found, Written
from chassis.reader import Reader
from chassis.reading import get_row, get_to_change
from chassis.rejection import Fault, invalid
from chassis.transitions import transitions_document
from service_catalog.acceptance.operations import AcceptanceCriteria
from service_catalog.acceptance.schemas import NewCriterion
from service_catalog.handovers.lifecycle import LIFECYCLE, STATE_OF, Candidate, told_criteria
from service_catalog.handovers.schemas import HandoverDecision, ProposedLevel, RequestedHandover
from service_catalog.handovers.tables import HANDOVERS, handover
from service_catalog.levels.agreement import faults_of
from service_catalog.levels.operations import ServiceLevels
from service_catalog.services.directory import lock_service, service_card
from service_catalog.services.operations import Services

# Handovers of one project are recorded one after another, whichever service they name.
_ONE_PROJECT_AT_A_TIME = Statement(
    text("SELECT pg_advisory_xact_lock(hashtextextended('handovers ' || :org || ' ' || :project_id, 0))")
)
_OF_PROJECT = Statement(
    select(handover.c.id, handover.c.attempt, handover.c.state).where(
        handover.c.project_id == bindparam("project_id", type_=Uuid)
    )
)
_UNDECIDED: Mapping[str, Any] = {
    "decided_at": None,
    "decided_by": None,
    "decision_reason": None,
    "conditions": [],
    "unmet_criteria": [],
}
SMALL_THINGS = 1024  # bytes of states, instants and names
_AS_TOLD = (
    "deliverables",
    "acceptance_criteria",
    "support_documents",
    "known_errors",
    "residual_risks",
    "early_life_support_exit_criteria",
)


class Handovers:
    """What projects hand over. Whoever changes one holds the service's row, as the service's commands do."""

    def __init__(
        self,
        database: Database,
        seal: CursorSeal,
        *,
        services: Services,
        criteria: AcceptanceCriteria,
        levels: ServiceLevels,
        calendars: Calendars,
    ) -> None:
        self._database = database
        reader = Reader(database, HANDOVERS, seal)
        self.get, self.list = reader.get, reader.list
        self._services = services
        self._criteria = criteria
        self._levels = levels
        self._calendars = calendars

    async def receive(self, tx: Transaction, requested: RequestedHandover) -> bool:
        """Record what a project hands over, in the transaction of the event that tells it.

        The service is found or made, given the criteria it lacks, and delivered if nothing stands in the way. A newer
        attempt takes the place of an undecided older one. False says that it is known, or older than what is known.
        """
        if faults := list(_faults(requested.service_levels)):
            raise invalid(*faults)
        await tx.run(_ONE_PROJECT_AT_A_TIME, org=tx.caller.org, project_id=str(requested.project_id))
        known = await tx.all(_OF_PROJECT, project_id=requested.project_id)
        if any(one["attempt"] >= requested.attempt or one["id"] == requested.id for one in known):
            return False
        for level in requested.service_levels:
            if level.calendar_id is not None:
                await self._calendars.working_time_in(tx, level.calendar_id)
        service_id = await self._services.hand_over(
            tx,
            requested.service,
            project_id=requested.project_id,
            early_life_support_ends_on=requested.early_life_support_end,
        )
        for one in known:
            if one["state"] == LIFECYCLE.initial:
                await _supersede(tx, one["id"], requested.attempt)
        await begin(tx, HANDOVERS, _recorded(requested) | {"service_id": service_id}, id_=requested.id)
        await self._criteria.demand(tx, service_id, _demanded(requested))
        await self._services.deliver_if_ready(tx, service_id, "The project has handed it over.")
        return True

    async def decide(self, caller: Caller, id_: UUID, order: HandoverDecision, expected: int | None) -> Written:
        """Accept or reject a handover, once; what it proposes as service levels is agreed with its acceptance."""
        async with command(self._database, caller) as tx:
            found = await get_row(tx, HANDOVERS, id_)
            await lock_service(tx, found["service_id"])
            row = await get_to_change(tx, HANDOVERS, id_, expected=expected)
            candidate = await self._candidate(tx, row, order.reason)
            transition = LIFECYCLE.decide(row["state"], STATE_OF[order.decision], candidate)
            values = {
                "decided_at": tx.now,
                "decided_by": caller.subject,
                "decision_reason": order.reason,
                "conditions": order.conditions,
            }
            if transition.target == "accepted":
                await self._levels.agree_where_none(tx, row["service_id"], map(_agreed, row["service_levels"]))
            else:
                values["unmet_criteria"] = told_criteria(candidate, _room_beside(row, order))
            details = {"conditions": order.conditions} if order.conditions else {}
            written = await move(tx, HANDOVERS, row, transition, values, reason=order.reason, details=details)
            return await conclude(tx, written)

    async def decisions(self, caller: Caller, id_: UUID) -> Found:
        """Return how a handover may be decided, what stands in the way, and how it was."""
        async with self._database.read(caller) as tx:
            row = await get_row(tx, HANDOVERS, id_)
            candidate = await self._candidate(tx, row, None)
            return transitions_document(LIFECYCLE, row["state"], candidate, await history(tx, HANDOVERS, id_))

    async def _candidate(self, tx: Reading, row: Any, reason: str | None) -> Candidate:
        return Candidate(
            handover=row,
            service_state=(await service_card(tx, row["service_id"]))["state"],
            criteria=await self._criteria.of_service(tx, row["service_id"]),
            reason=reason,
        )


async def _supersede(tx: Transaction, id_: UUID, attempt: int) -> None:
    """Let a newer attempt take the place of an older one, unless that was decided at this moment."""
    row = await get_to_change(tx, HANDOVERS, id_)
    if row["state"] == LIFECYCLE.initial:
        transition = LIFECYCLE.decide(row["state"], "superseded", Candidate(handover=row, newer_attempt=True))
        await move(tx, HANDOVERS, row, transition, {}, reason=f"Attempt {attempt} of the project takes its place.")


def _room_beside(row: Any, order: HandoverDecision) -> int:
    """Return how many bytes are left for what a rejection tells beside the handover and what was said of it."""
    reason_twice = 2 * len(to_json(order.reason))  # in the handover, and in the change that the event tells
    said = reason_twice + len(to_json(order.conditions)) + SMALL_THINGS
    return HANDOVERS.room - len(row["body"].encode()) - said


def _faults(proposed: list[ProposedLevel]) -> Iterator[Fault]:
    """Tell what is wrong with proposed levels, so that none is found out when the handover is accepted."""
    seen = set()
    for place, one in enumerate(proposed):
        pointer = f"/service_levels/{place}"
        for fault in faults_of(one.model_dump() | {"valid_from": None, "valid_to": None}):
            yield Fault(f"{pointer}{fault.pointer}", fault.code, fault.message)
        if (one.metric, one.priority) in seen:
            yield Fault(pointer, "repeated", "Another one is proposed for the same thing.")
        seen.add((one.metric, one.priority))


def _recorded(requested: RequestedHandover) -> dict[str, Any]:
    levels = [
        one.model_dump(mode="json") | {"target": format(one.target, "f")}  # to the digit, as it was proposed
        for one in requested.service_levels
    ]
    return {
        **requested.model_dump(include={"project_id", "project_key", "attempt", "state"}),
        **requested.model_dump(include={"requested_by", "requested_at", "early_life_support_end"}),
        **requested.model_dump(mode="json", include=set(_AS_TOLD)),
        **_UNDECIDED,
        "service_levels": levels,
    }


def _demanded(requested: RequestedHandover) -> Iterator[NewCriterion]:
    """Return what the service has to meet: to be accepted, and for early-life support to end."""
    for one in requested.acceptance_criteria:
        yield NewCriterion(dimension=one.dimension, text=one.text, mandatory=one.mandatory)
    for exit_criterion in requested.early_life_support_exit_criteria:
        yield NewCriterion(dimension="people", text=exit_criterion, needed_for="early_life_support_exit")


def _agreed(proposed: dict[str, Any]) -> dict[str, Any]:
    """Return a proposed level as one that is agreed."""
    calendar = proposed["calendar_id"]
    return {
        "metric": proposed["metric"],
        "target": Decimal(proposed["target"]),
        "priority": proposed["priority"],
        "calendar_id": None if calendar is None else UUID(calendar),
        "labels": {},
    }
