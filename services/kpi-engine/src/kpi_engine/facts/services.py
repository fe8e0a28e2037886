"""Facts about services, read as the rules of availability take them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis.database import Statement, Transaction
from chassis.working_time import WorkingCalendar
from kpi_engine.availability.facts import MaintenanceWindow, Outage, ServiceFacts, Severity
from kpi_engine.facts.calendars import working_calendar

_SERVICES = Statement(
    text(
        """SELECT service.id, service.live_from, service.retired_at, service.calendar_id,
            hours.document::text AS hours
        FROM service_fact AS service
        LEFT JOIN calendar_fact AS hours
            ON hours.org = service.org AND hours.projection = service.projection
            AND hours.id = service.calendar_id AND NOT hours.deleted
        WHERE service.projection = cast(:filling AS integer) AND NOT service.deleted
            AND (cast(:id AS uuid) IS NULL OR service.id = cast(:id AS uuid))
            AND (cast(:after AS uuid) IS NULL OR service.id > cast(:after AS uuid))
        ORDER BY service.id LIMIT cast(:size AS bigint)"""
    )
)
_OUTAGES = Statement(
    text(
        """SELECT id, service_id, severity, started_at, ended_at, incident_id FROM outage_fact
        WHERE projection = cast(:filling AS integer) AND service_id = ANY (cast(:services AS uuid[]))
            AND started_at < cast(:end AS timestamptz)
            AND (ended_at IS NULL OR ended_at > cast(:start AS timestamptz))
            AND NOT deleted AND state IS DISTINCT FROM 'withdrawn'
        ORDER BY service_id, started_at, id"""
    )
)
_WINDOWS = Statement(
    text(
        """SELECT id, service_ids, planned_start, planned_end, actual_start, actual_end, announced_at, state
        FROM maintenance_window_fact
        WHERE projection = cast(:filling AS integer) AND service_ids && cast(:services AS uuid[])
            AND planned_start < cast(:end AS timestamptz) AND planned_end > cast(:start AS timestamptz)
            AND NOT deleted AND state <> 'cancelled'
        ORDER BY planned_start, id"""
    )
)


@dataclass(frozen=True, slots=True)
class Service:
    """A service with its agreed hours; `hours_unknown` where its calendar has not been told of."""

    id: UUID
    live_from: datetime | None
    retired_at: datetime | None
    calendar_id: UUID | None
    hours: WorkingCalendar | None

    @property
    def hours_unknown(self) -> bool:
        """Whether the service names a calendar that nobody has told of."""
        return self.calendar_id is not None and self.hours is None


@dataclass(frozen=True, slots=True)
class KnownOutage:
    """An outage with what names it."""

    id: UUID
    incident_id: UUID | None
    fact: Outage


@dataclass(frozen=True, slots=True)
class KnownWindow:
    """A maintenance window with what names it."""

    id: UUID
    state: str
    fact: MaintenanceWindow


@dataclass(frozen=True, slots=True)
class ServiceRecord:
    """What is known about one service between two instants."""

    service: Service
    outages: tuple[KnownOutage, ...]
    windows: tuple[KnownWindow, ...]

    @property
    def facts(self) -> ServiceFacts:
        """The same as the rules take it."""
        return ServiceFacts(
            live_from=self.service.live_from,
            retired_at=self.service.retired_at,
            hours=self.service.hours,
            outages=tuple(outage.fact for outage in self.outages),
            windows=tuple(window.fact for window in self.windows),
        )


async def services(
    tx: Transaction, filling: int, *, size: int, id_: UUID | None = None, after: UUID | None = None
) -> list[Service]:
    """Return services in the order of their ids: the one with an id, or a page after one."""
    rows = await tx.all(_SERVICES, filling=filling, id=id_, after=after, size=size)
    return [
        Service(
            id=row["id"],
            live_from=row["live_from"],
            retired_at=row["retired_at"],
            calendar_id=row["calendar_id"],
            hours=None if row["hours"] is None else working_calendar(row["hours"]),
        )
        for row in rows
    ]


async def records(
    tx: Transaction, filling: int, wanted: Sequence[Service], start: datetime, end: datetime
) -> list[ServiceRecord]:
    """Return what is known about services between two instants, in the order given."""
    span = {"filling": filling, "services": [service.id for service in wanted], "start": start, "end": end}
    outages: dict[UUID, list[KnownOutage]] = defaultdict(list)
    for row in await tx.all(_OUTAGES, **span):
        outages[row["service_id"]].append(_outage(row))
    windows: dict[UUID, list[KnownWindow]] = defaultdict(list)
    for row in await tx.all(_WINDOWS, **span):
        window = _window(row)
        for service_id in set(row["service_ids"]):
            windows[service_id].append(window)
    return [ServiceRecord(service, tuple(outages[service.id]), tuple(windows[service.id])) for service in wanted]


def _outage(row: Any) -> KnownOutage:
    fact = Outage(Severity(row["severity"]), row["started_at"], row["ended_at"])
    return KnownOutage(row["id"], row["incident_id"], fact)


def _window(row: Any) -> KnownWindow:
    fact = MaintenanceWindow(
        planned_start=row["planned_start"],
        planned_end=row["planned_end"],
        announced_at=row["announced_at"],
        actual_start=row["actual_start"],
        actual_end=row["actual_end"],
    )
    return KnownWindow(row["id"], row["state"], fact)
