"""How the items of a batch of services are written, given what is known already."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.batch import Result, Upsert, identity_of
from chassis.past import Draft, Step, faults_of, steps_of
from chassis.rejection import Fault, Rejection, invalid
from chassis.transitions import change_of
from service_catalog.services import lifecycle
from service_catalog.services.lifecycle import LIFECYCLE, SUPPORTED
from service_catalog.services.schemas import ServiceDescription, ServiceItem
from service_catalog.services.tables import SERVICES

_TOLD = ("live_from", "retired_at")
HISTORICAL = frozenset({"state", "history", *_TOLD})
_PLAIN = frozenset({"key", "name", "external_source", "external_id", *ServiceDescription.model_fields})
CLOCKING = frozenset({"calendar_id", "incidents_close_after_days"})
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
) -> Draft | Rejection:
    """Return how an item is written, or why not; what it leaves out of a new service has its default.

    `undecided` are the known services with a handover that nobody has decided: none of them becomes supported.
    """
    if isinstance(item, Rejection):
        return item
    row = known.get(_identity(item))
    if row is None and item.name is None:
        return invalid(Fault("/name", "missing", "This is needed."))
    if row is not None and row["key"] != item.key:
        return invalid(Fault("/key", "immutable", "The key of a service never changes."))
    values = item.model_dump(include=set(_PLAIN))
    named = {name for name in item.model_fields_set if not (name in _NEVER_NULL and getattr(item, name) is None)}
    steps = steps_of(item.history)
    past = _walked(item, steps) if steps else _past(item, row, now)
    faults = faults_of(item.history or (), item.state, {name: getattr(item, name) for name in _TOLD}, now)
    faults += _faults(item, past)
    if row is not None and not named & HISTORICAL:
        faults += lifecycle.faults_of_loss(row, {name: values[name] for name in named & values.keys()})
    if faults:
        return invalid(*faults)
    state = past["state"]
    if row is not None and row["id"] in undecided and state in SUPPORTED and row["state"] not in SUPPORTED:
        return Rejection("conflict", "handover-undecided", "The project's handover is to be decided first.")
    change = change_of(row, state, actor=actor)
    upsert = Upsert(
        values=values | past,
        named=frozenset((named - HISTORICAL) | (past.keys() if named & HISTORICAL else set())),
        at=steps[-1].at if steps and (change or row is None) else None,
        change=change,
    )
    return Draft(upsert, steps)


def _identity(item: ServiceItem) -> Any:
    return identity_of(SERVICES, {name: getattr(item, name) for name in ("key", "external_source", "external_id")})


def _past(item: ServiceItem, row: Any, now: datetime) -> dict[str, Any]:
    """Return the state of a service with what follows from it, as the item and what was known tell."""
    before = row or {"state": LIFECYCLE.initial, "live_from": None, "retired_at": None}
    state = item.state or before["state"]
    said = {name: getattr(item, name) or before[name] for name in _TOLD}
    return {"state": state} | lifecycle.entered(state, **said, at=now)


def _walked(item: ServiceItem, steps: Sequence[Step]) -> dict[str, Any]:
    """Return the state that these steps lead to.

    Since when the service is live and when it ended follow from the steps, unless the item says so itself.
    """
    times: dict[str, datetime | None] = dict.fromkeys(_TOLD)
    for step in steps:
        times = lifecycle.entered(step.state, **times, at=step.at)
    said = {name: getattr(item, name) or times[name] for name in _TOLD}
    return {"state": steps[-1].state} | lifecycle.entered(steps[-1].state, **said, at=steps[-1].at)


def _faults(item: ServiceItem, past: Mapping[str, Any]) -> list[Fault]:
    """Return what of the past cannot have been: a beginning before any delivery, an end without or before one."""
    faults = []
    if item.live_from is not None and past["live_from"] is None:
        message = f"A service that is {past['state']} has not been delivered."
        faults.append(Fault("/live_from", "state-not-reached", message))
    if item.retired_at is not None and past["retired_at"] is None:
        faults.append(Fault("/retired_at", "state-not-reached", "Only a service that is over was retired."))
    if past["retired_at"] and past["live_from"] and past["retired_at"] < past["live_from"]:
        faults.append(Fault("/retired_at", "before-start", "A service is retired after it went live."))
    return faults


def with_other_clocks(drafts: Sequence[Draft | Rejection], results: Sequence[Result]) -> list[UUID]:
    """Return the known services of which a batch has changed what the clocks of their incidents run by."""
    return [
        result.id
        for draft, result in zip(drafts, results, strict=True)
        if isinstance(draft, Draft)
        and result.written
        and result.id is not None
        and result.before is not None
        and any(result.before[name] != draft.upsert.values[name] for name in CLOCKING & draft.upsert.named)
    ]
