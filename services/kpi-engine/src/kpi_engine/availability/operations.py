"""Availability KPIs of services and of whole organisations, computed from the facts."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database, Transaction
from chassis.rejection import Fault, invalid, not_found
from kpi_engine.availability.evidence import Item, evidence
from kpi_engine.availability.facts import Policy
from kpi_engine.availability.figures import availability_figures
from kpi_engine.availability.rules import Account, Timeline
from kpi_engine.definitions.answers import envelope
from kpi_engine.definitions.envelope import Envelope, Figure, Period, Status, Subject, SubjectType
from kpi_engine.definitions.pages import Answered, Evidence, page_of_items
from kpi_engine.definitions.periods import split
from kpi_engine.definitions.questions import Question, unfit
from kpi_engine.facts.in_force import AsOf, snapshot
from kpi_engine.facts.services import Service, ServiceRecord, records, services
from kpi_engine.policies.operations import policies_of

CALENDAR_UNKNOWN = "calendar_unknown"
VALUES_MAX = 5000
CHUNK = 200


@dataclass(frozen=True, slots=True)
class _Study:
    """What all values of one answer have in common."""

    question: Question
    as_of: AsOf
    periods: Sequence[Period]
    policies: Sequence[Policy]
    now: datetime

    @property
    def start(self) -> datetime:
        return self.periods[0].start

    @property
    def end(self) -> datetime:
        return self.periods[-1].end

    def accounts(self, record: ServiceRecord) -> Iterator[Account]:
        timeline = Timeline(record.facts, self.policies, self.now)
        return (timeline.account(period.start, period.end) for period in self.periods)

    def envelopes(self, subject: Subject, accounts: Sequence[Account], *, complete: bool = True) -> Iterator[Envelope]:
        for period, account in zip(self.periods, accounts, strict=True):
            figure = availability_figures(account)[self.question.kpi.code]
            if not complete and figure.status is Status.OK:
                figure = replace(figure, status=Status.PARTIAL, reason=CALENDAR_UNKNOWN)
            yield self.envelope(subject, period, figure)

    def envelope(self, subject: Subject, period: Period, figure: Figure) -> Envelope:
        link = self.question.evidence_of(subject, period)
        return envelope(self.question.kpi, subject, period, figure, as_of=self.as_of.positions, evidence=link)


class Availability:
    """The KPIs that follow from outages, maintenance and agreed hours."""

    def __init__(self, database: Database, seal: CursorSeal) -> None:
        self._database = database
        self._seal = seal

    async def values(self, caller: Caller, question: Question) -> Answered:
        """Return the series of one service, of a page of services, or of the whole organisation."""
        question.refuse("status_at", "baseline")
        match question.subject_type:
            case SubjectType.SERVICE:
                return await self._of_services(caller, question)
            case SubjectType.ORGANISATION:
                return await self._of_organisation(caller, question)
            case SubjectType.PROJECT:
                raise unfit(question.subject_type, question.kpi)

    async def evidence(self, caller: Caller, question: Question) -> Evidence:
        """Return the facts behind the value of one service over the whole period."""
        question.refuse("status_at", "baseline")
        if question.subject_type is not SubjectType.SERVICE:
            return await self._services_behind(caller, question)
        if question.subject_id is None:
            raise invalid(Fault("subject_id", "missing", "Evidence is about one subject."))
        async with self._database.begin(caller, read_only=True) as tx:
            study = await self._study(tx, question)
            known = await services(tx, study.as_of.filling, size=1, id_=question.id_asked)
            if not known:
                raise not_found("service")
            (record,) = await records(tx, study.as_of.filling, known, study.start, study.end)
        items = evidence(record, study.policies, study.start, study.end, study.now)
        return page_of_items(items, question, study.as_of, self._seal)

    async def _services_behind(self, caller: Caller, question: Question) -> Evidence:
        """Return the accounts of the services that an organisation's value is summed from.

        A service whose calendar nobody has told of is not among them, as it is not in the value.
        """
        if question.subject_type is not SubjectType.ORGANISATION:
            raise unfit(question.subject_type, question.kpi)
        _refuse_other(question, caller)
        items: list[Item] = []
        async with self._database.begin(caller, read_only=True) as tx:
            study = await self._study(tx, question)
            async for record in _all_records(tx, study):
                if record.service.hours_unknown:
                    continue
                (account,) = study.accounts(record)
                items.append(Item.of_service(record.service.id, account))
        return page_of_items(items, question, study.as_of, self._seal)

    async def _study(self, tx: Transaction, question: Question) -> _Study:
        start, end, timezone = question.span()
        periods = split(start, end, question.grain, timezone)
        as_of = await snapshot(tx)
        policies = [policy.outages for policy in await policies_of(tx)]
        return _Study(question, as_of, periods, policies, tx.now)

    async def _of_services(self, caller: Caller, question: Question) -> Answered:
        wanted = question.id_asked
        async with self._database.begin(caller, read_only=True) as tx:
            study = await self._study(tx, question)
            size = max(1, min(question.limit, VALUES_MAX // len(study.periods)))
            after = self._after(question)
            found = await services(tx, study.as_of.filling, size=size + 1, id_=wanted, after=after)
            if wanted is not None and not found:
                raise not_found("service")
            page = found[:size]
            known = await records(tx, study.as_of.filling, page, study.start, study.end)
        items: list[Envelope] = []
        for record in known:
            items.extend(_series(study, record))
            await asyncio.sleep(0)
        following = self._seal.seal(question.binding, "", page[-1].id) if len(found) > size else None
        return Answered(tuple(items), following)

    async def _of_organisation(self, caller: Caller, question: Question) -> Answered:
        _refuse_other(question, caller)
        async with self._database.begin(caller, read_only=True) as tx:
            study = await self._study(tx, question)
            totals = [Account()] * len(study.periods)
            complete = True
            async for record in _all_records(tx, study):
                if record.service.hours_unknown:
                    complete = False
                else:
                    totals = [total + own for total, own in zip(totals, study.accounts(record), strict=True)]
        subject = Subject(SubjectType.ORGANISATION, caller.org)
        return Answered(tuple(study.envelopes(subject, totals, complete=complete)), None)

    def _after(self, question: Question) -> UUID | None:
        return None if question.after is None else self._seal.open(question.binding, question.after)[1]


async def _all_records(tx: Transaction, study: _Study) -> AsyncIterator[ServiceRecord]:
    """Read what is known about all services of the organisation, some of them at a time."""
    after: UUID | None = None
    while True:
        some: list[Service] = await services(tx, study.as_of.filling, size=CHUNK, after=after)
        if not some:
            return
        for record in await records(tx, study.as_of.filling, some, study.start, study.end):
            yield record
        after = some[-1].id
        await asyncio.sleep(0)


def _series(study: _Study, record: ServiceRecord) -> Iterator[Envelope]:
    subject = Subject(SubjectType.SERVICE, str(record.service.id))
    if record.service.hours_unknown:
        unknown = Figure.missing(CALENDAR_UNKNOWN)
        return (study.envelope(subject, period, unknown) for period in study.periods)
    return study.envelopes(subject, list(study.accounts(record)))


def _refuse_other(question: Question, caller: Caller) -> None:
    """Refuse another organisation: nobody sees that it exists."""
    if question.subject_id not in {None, caller.org}:
        raise not_found("organisation")
