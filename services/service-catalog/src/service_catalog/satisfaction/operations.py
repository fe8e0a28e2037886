"""The use cases of surveys."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select

from chassis.allowance import Allowance
from chassis.batch import identity_of, known_rows, write_batch
from chassis.caller import Caller, IdempotencyKey
from chassis.cursors import CursorSeal
from chassis.database import Database, Statement, Transaction
from chassis.keys import command, conclude
from chassis.outcome import Mode, Replayed, Written
from chassis.reader import Reader
from chassis.reading import find_to_change, get_to_change
from chassis.rejection import Fault, Rejection, invalid
from chassis.tracing import CURRENT
from chassis.writing import add, delete_one, revise
from service_catalog.incidents.directory import faults_of_incident, services_of
from service_catalog.satisfaction import importing, moments
from service_catalog.satisfaction.schemas import (
    NewSurveyInvitation,
    NewSurveyResponse,
    SurveyAnswer,
    SurveyResponseItem,
    SurveyResponsePatch,
)
from service_catalog.satisfaction.tables import INVITATIONS, RESPONSES, survey_response
from service_catalog.satisfaction.tokens import NOT_GOOD, AnswerTokens
from service_catalog.services.directory import find_services

IMPORT = "catalog:import"
_ANSWER_TO = Statement(
    select(survey_response.c.id).where(survey_response.c.invitation_id == bindparam("invitation_id", type_=Uuid))
)


class Invitations:
    """Invitations to say how a service is."""

    def __init__(self, database: Database, seal: CursorSeal, tokens: AnswerTokens) -> None:
        self._database = database
        reader = Reader(database, INVITATIONS, seal)
        self.get, self.list = reader.get, reader.list
        self._tokens = tokens

    async def create(self, caller: Caller, new: NewSurveyInvitation) -> Written:
        """Invite, and answer with the token; neither the event nor what is kept of the answer has it."""
        try:
            return self._with_token(caller.org, await self._create(caller, new))
        except Replayed as again:
            raise Replayed(self._with_token(caller.org, again.outcome)) from None

    async def _create(self, caller: Caller, new: NewSurveyInvitation) -> Written:
        async with command(self._database, caller) as tx:
            expires_at = new.expires_at or tx.now + moments.OPEN_FOR
            faults = moments.faults_of_expiry(expires_at, tx.now) + await _faults_of_incident(tx, new)
            if faults:
                raise invalid(*faults)
            values = vars(new) | {"expires_at": expires_at}
            return await add(tx, INVITATIONS, values)

    async def delete(self, caller: Caller, id_: UUID, expected: int | None) -> Written:
        """Take an invitation back that nobody has answered; its token is good for nothing then."""
        async with command(self._database, caller) as tx:
            return await conclude(tx, await delete_one(tx, INVITATIONS, id_, expected=expected))

    def _with_token(self, org: str, written: Written) -> Written:
        if written.id is None:
            raise RuntimeError("an invitation is one resource")
        token = json.dumps(self._tokens.issue(org, written.id))
        return replace(written, body=f'{written.body[:-1]},"token":{token}}}')


class Responses:
    """What is said of services; by those who may write, or by whom an invitation has reached."""

    def __init__(self, database: Database, seal: CursorSeal, tokens: AnswerTokens) -> None:
        self._database = database
        reader = Reader(database, RESPONSES, seal)
        self.get, self.list = reader.get, reader.list
        self._tokens = tokens
        self._by_address = Allowance("answers-by-address", burst=60, seconds=1)
        self._by_invitation = Allowance("answers-by-invitation", burst=20, seconds=10)

    async def create(self, caller: Caller, new: NewSurveyResponse) -> Written:
        """Record what somebody said."""
        async with command(self._database, caller) as tx:
            answered_at = new.answered_at or tx.now
            faults = moments.faults_of_answer(answered_at, tx.now) + await _faults_of_incident(tx, new)
            if faults:
                raise invalid(*faults)
            values = vars(new) | {"answered_at": answered_at, "invitation_id": None}
            return await add(tx, RESPONSES, values, at=answered_at)

    async def change(self, caller: Caller, id_: UUID, patch: SurveyResponsePatch, expected: int | None) -> Written:
        """Change what was said, as long as it may be changed."""
        async with command(self._database, caller) as tx:
            row = await get_to_change(tx, RESPONSES, id_, expected=expected)
            changes = patch.changes(row)
            if changes.keys() - {"labels"} and moments.is_settled(row["answered_at"], tx.now):
                raise moments.SETTLED.anew()
            return await conclude(tx, await revise(tx, RESPONSES, row, changes))

    async def batch(self, caller: Caller, items: Sequence[SurveyResponseItem | Rejection], mode: Mode) -> Written:
        """Add or change many; what tells of the past needs the scope of imports."""
        sound = [item for item in items if isinstance(item, SurveyResponseItem)]
        if any("answered_at" in item.model_fields_set for item in sound):
            caller.require(IMPORT)
        may_import = IMPORT in caller.scopes
        async with command(self._database, caller) as tx:
            services = await find_services(
                tx, keys=(item.service_key for item in sound), ids=(item.service_id for item in sound)
            )
            known = await known_rows(tx, RESPONSES, [identity_of(RESPONSES, vars(item)) for item in sound])
            about = [item.incident_id for item in sound] + [row["incident_id"] for row in known.values()]
            incidents = await services_of(tx, about)
            upserts = [
                importing.drafted(item, known, services, incidents, now=tx.now, may_import=may_import) for item in items
            ]
            return await conclude(tx, await write_batch(tx, RESPONSES, upserts, mode=mode, known=known))

    async def answer(self, address: str, given: SurveyAnswer, key: IdempotencyKey | None = None) -> Written:
        """Answer an invitation by its token, or change that answer as long as it may be changed."""
        self._by_address.take(address)
        org, invitation_id = self._tokens.read(given.token)
        self._by_invitation.take(str(invitation_id))
        trace = CURRENT.get()
        caller = Caller(
            org=org,
            subject=INVITATIONS.subject(invitation_id),
            correlation_id=trace.trace_id if trace else None,
            traceparent=trace.traceparent if trace else None,
            idempotency=key,
        )
        said: dict[str, Any] = {"score": given.score, "comment": given.comment}
        async with command(self._database, caller) as tx:
            invitation = await find_to_change(tx, INVITATIONS, invitation_id)
            if invitation is None:
                raise NOT_GOOD.anew()
            answered = await tx.one(_ANSWER_TO, invitation_id=invitation_id)
            if answered is not None:
                row = await get_to_change(tx, RESPONSES, answered["id"])
                if moments.is_settled(row["answered_at"], tx.now):
                    raise moments.SETTLED.anew()
                return await conclude(tx, await revise(tx, RESPONSES, row, said))
            if invitation["expires_at"] <= tx.now:
                raise NOT_GOOD.anew()
            about = {name: invitation[name] for name in ("service_id", "incident_id")}
            values = about | said | {"invitation_id": invitation_id, "answered_at": tx.now}
            return await add(tx, RESPONSES, values)


async def _faults_of_incident(tx: Transaction, new: NewSurveyInvitation | NewSurveyResponse) -> list[Fault]:
    return faults_of_incident(new.incident_id, new.service_id, await services_of(tx, [new.incident_id]))
