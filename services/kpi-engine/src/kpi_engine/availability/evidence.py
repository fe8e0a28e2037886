"""The facts behind the availability of one service: its span and hours, windows and outages, as far as they count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from chassis.schemas import instant_text
from kpi_engine.availability.facts import Policy
from kpi_engine.availability.rules import Account, Timeline
from kpi_engine.definitions.answers import part
from kpi_engine.facts.services import KnownOutage, KnownWindow, ServiceRecord
from kpi_engine.policies.holding import holding


@dataclass(frozen=True, slots=True)
class Item:
    """One fact, in the order in which facts are told."""

    order: str
    id: UUID
    shown: dict[str, Any]

    def document(self) -> dict[str, Any]:
        """Write it as JSON."""
        return self.shown

    @classmethod
    def of_service(cls, service_id: UUID, account: Account) -> Item:
        """Tell of one service what an organisation's value is summed from."""
        shown = {"kind": "service", "service_id": str(service_id), **times(account)}
        return cls("0", service_id, shown)


def evidence(
    record: ServiceRecord, policies: Sequence[Policy], start: datetime, end: datetime, now: datetime
) -> Iterator[Item]:
    """Tell the agreed time first, then maintenance windows, then outages, as far as they count.

    What counts lies in the period and in the time the service was live. An outage that a change of policy gave another
    weight is told once for each weight. Where the calendar is unknown nothing counts, and there are no times.
    """
    service = record.service
    account = Account() if service.hours_unknown else Timeline(record.facts, policies, now).account(start, end)
    shown = {
        "kind": "agreed_time",
        "service_id": str(service.id),
        "calendar_id": None if service.calendar_id is None else str(service.calendar_id),
        "live_from": _text(service.live_from),
        "retired_at": _text(service.retired_at),
        **times(account),
    }
    yield Item("0", service.id, shown)
    first = end if service.live_from is None or service.hours_unknown else max(start, service.live_from)
    last = end if service.retired_at is None else min(end, service.retired_at)
    for window in record.windows:
        yield _of_window(window, policies, first, last)
    for outage in record.outages:
        yield from _of_outage(outage, policies, first, min(last, now))


def times(account: Account) -> dict[str, Any]:
    """Write the times of an account, in seconds."""
    return {
        "agreed_seconds": part(account.agreed),
        "unmeasured_seconds": part(account.unmeasured),
        "downtime_seconds": part(account.downtime),
        "down_seconds": part(account.down),
        "down_periods": account.down_periods,
        "outages": account.outages,
    }


def _of_window(window: KnownWindow, policies: Sequence[Policy], start: datetime, end: datetime) -> Item:
    fact = window.fact
    policy = holding(policies, fact.planned_start)
    first, last = fact.excused
    first, last = max(first, start), min(last, end)
    qualifies = fact.qualifies(policy.notice) and first < last
    shown = {
        "kind": "maintenance_window",
        "maintenance_window_id": str(window.id),
        "state": window.state,
        "planned_start": instant_text(fact.planned_start),
        "planned_end": instant_text(fact.planned_end),
        "actual_start": _text(fact.actual_start),
        "actual_end": _text(fact.actual_end),
        "announced_at": _text(fact.announced_at),
        "qualifies": qualifies,
        "counted_from": instant_text(first) if qualifies else None,
        "counted_to": instant_text(last) if qualifies else None,
    }
    return Item(f"1 {instant_text(fact.planned_start)}", window.id, shown)


def _of_outage(outage: KnownOutage, policies: Sequence[Policy], start: datetime, end: datetime) -> Iterator[Item]:
    fact = outage.fact
    first = max(fact.started_at, start)
    last = end if fact.ended_at is None else min(fact.ended_at, end)
    if first >= last:
        yield _of_weight(outage, _weight(outage, policies, fact.started_at), None)
        return
    weights = [(first, _weight(outage, policies, first))]
    for at in sorted(at for policy in policies if (at := policy.valid_from) is not None and first < at < last):
        if (weight := _weight(outage, policies, at)) != weights[-1][1]:
            weights.append((at, weight))
    ends = [*(since for since, _ in weights[1:]), last]
    for (since, weight), until in zip(weights, ends, strict=True):
        yield _of_weight(outage, weight, (since, until))


def _weight(outage: KnownOutage, policies: Sequence[Policy], at: datetime) -> Decimal:
    return holding(policies, at).weights.get(outage.fact.severity, Decimal(0))


def _of_weight(outage: KnownOutage, weight: Decimal, counted: tuple[datetime, datetime] | None) -> Item:
    fact = outage.fact
    since, until = counted or (None, None)
    shown = {
        "kind": "outage",
        "outage_id": str(outage.id),
        "incident_id": None if outage.incident_id is None else str(outage.incident_id),
        "severity": fact.severity,
        "weight": format(weight, "f"),
        "started_at": instant_text(fact.started_at),
        "ended_at": _text(fact.ended_at),
        "counted_from": _text(since),
        "counted_to": _text(until),
    }
    order = [instant_text(fact.started_at), str(outage.id), *([] if since is None else [instant_text(since)])]
    return Item(f"2 {' '.join(order)}", outage.id, shown)


def _text(at: datetime | None) -> str | None:
    return None if at is None else instant_text(at)
