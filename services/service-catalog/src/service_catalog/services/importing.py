"""How the items of a batch of services are written, given what is known already."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.batch import Result, Upsert, identity_of
from chassis.rejection import Fault, Rejection, invalid
from chassis.transitions import change_of
from service_catalog.services import lifecycle
from service_catalog.services.lifecycle import SUPPORTED
from service_catalog.services.schemas import ServiceDescription, ServiceItem
from service_catalog.services.tables import SERVICES

HISTORICAL = frozenset({"state", "live_from", "retired_at"})
_PLAIN = frozenset({"key", "name", "external_source", "external_id", *ServiceDescription.model_fields})
_NEVER_NULL = frozenset({"name", "state"})


def needs_import(items: Sequence[ServiceItem | Rejection]) -> bool:
    """Whether some item tells of the past."""
    return any(isinstance(item, ServiceItem) and item.model_fields_set & HISTORICAL for item in items)


def drafted(
    item: ServiceItem | Rejection,
    known: Mapping[Any, Any],
    *,
    undecided: Collection[UUID] = (),
    now: datetime,
    actor: str,
) -> Upsert | Rejection:
    """Return how an item is written, or why not; what it leaves out of a new service has its default.

    `undecided` are the known services with a handover that nobody has decided: none of them becomes supported.
    """
    if isinstance(item, Rejection):
        return item
    row = known.get(identity_of(SERVICES, item.model_dump(include={"key", "external_source", "external_id"})))
    if row is None and item.name is None:
        return invalid(Fault("/name", "missing", "This is needed."))
    if row is not None and row["key"] != item.key:
        return invalid(Fault("/key", "immutable", "The key of a service never changes."))
    values = item.model_dump(include=set(_PLAIN))
    named = {name for name in item.model_fields_set if not (name in _NEVER_NULL and getattr(item, name) is None)}
    past = _past(item, row, named, now)
    faults = _faults_of(item, past, now)
    if faults:
        return invalid(*faults)
    state = past["state"]
    if row is not None and row["id"] in undecided and state in SUPPORTED and row["state"] not in SUPPORTED:
        return Rejection("conflict", "handover-undecided", "The project's handover is to be decided first.")
    return Upsert(
        values=values | past,
        named=frozenset((named - HISTORICAL) | (past.keys() if named & HISTORICAL else set())),
        change=change_of(row, state, actor=actor),
    )


def _past(item: ServiceItem, row: Any, named: set[str], now: datetime) -> dict[str, Any]:
    """Return the state of a service with what follows from it, as the item and what was known tell."""
    before = row or {"state": lifecycle.LIFECYCLE.initial, "live_from": None, "retired_at": None}
    told = {name: getattr(item, name) if name in named else before[name] for name in HISTORICAL}
    return {"state": told["state"]} | lifecycle.entered(
        told["state"], live_from=told["live_from"], retired_at=told["retired_at"], at=now
    )


def _faults_of(item: ServiceItem, past: Mapping[str, Any], now: datetime) -> list[Fault]:
    """Return what of the past cannot have been: what is still to come, and an end without or before a beginning."""
    faults = [
        Fault(f"/{name}", "in-the-future", "This is told when it has happened.")
        for name in ("live_from", "retired_at")
        if past[name] is not None and past[name] > now
    ]
    if item.retired_at is not None and past["retired_at"] is None:
        faults.append(Fault("/retired_at", "state-not-reached", "Only a service that is over was retired."))
    if past["retired_at"] and past["live_from"] and past["retired_at"] < past["live_from"]:
        faults.append(Fault("/retired_at", "before-start", "A service is retired after it went live."))
    return faults


def with_other_hours(upserts: Sequence[Upsert | Rejection], results: Sequence[Result]) -> list[UUID]:
    """Return the known services whose calendar a batch has exchanged."""
    return [
        result.id
        for upsert, result in zip(upserts, results, strict=True)
        if isinstance(upsert, Upsert)
        and result.written
        and result.id is not None
        and result.before is not None
        and "calendar_id" in upsert.named
        and result.before["calendar_id"] != upsert.values["calendar_id"]
    ]
