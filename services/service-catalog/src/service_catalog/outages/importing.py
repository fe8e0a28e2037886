"""How the items of a batch of outages are written, given what is known already."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.batch import Result, Upsert, identity_of
from chassis.history import Course, Entry
from chassis.past import changes_what_is_over
from chassis.rejection import Fault, Rejection, invalid
from chassis.transitions import change_of
from service_catalog.outages import spans
from service_catalog.outages.course import course_of, is_moved
from service_catalog.outages.lifecycle import WITHDRAWN
from service_catalog.outages.schemas import OutageItem
from service_catalog.outages.tables import OUTAGES
from service_catalog.services.directory import Known

_NEVER_NULL = frozenset({"severity", "started_at"})
_SPAN = ("started_at", "ended_at")
_VERBS = {"open": "reopened", "ended": "ended"}
_SERVICE = frozenset({"service_id", "service_key"})
WITHDRAWN_STAYS = Rejection("conflict", "outage-withdrawn", "An outage that was withdrawn stays as it is.")


def drafted(
    item: OutageItem | Rejection, known: Mapping[Any, Any], services: Known, *, now: datetime, actor: str
) -> Upsert | Rejection:
    """Return how an item is written, or why not."""
    if isinstance(item, Rejection):
        return item
    row = known.get(identity_of(OUTAGES, vars(item)))
    service = services.service_of(item, row)
    missing = [name for name in sorted(_NEVER_NULL) if row is None and getattr(item, name) is None]
    if isinstance(service, Rejection) or missing:
        faults = list(service.faults) if isinstance(service, Rejection) else []
        return invalid(*faults, *(Fault(f"/{name}", "missing", "This is needed.") for name in missing))
    named = {
        name
        for name in item.model_fields_set
        if name not in _SERVICE and not (name in _NEVER_NULL and getattr(item, name) is None)
    }
    values = item.model_dump(exclude={"service_key"}) | {"service_id": service}
    started_at, ended_at = (values[name] if row is None or name in named else row[name] for name in _SPAN)
    faults = spans.faults_of(started_at, ended_at, now)
    if faults:
        return invalid(*faults)
    state = spans.state_of(ended_at)
    values |= {"started_at": started_at, "ended_at": ended_at, "state": state, "withdrawal_reason": None}
    named |= {"service_id"} if item.model_fields_set & _SERVICE else set()
    if row is not None and row["state"] == WITHDRAWN:
        is_changed = changes_what_is_over(row, {WITHDRAWN}, values, named)
        return WITHDRAWN_STAYS if is_changed else Upsert(values=values, named=frozenset(named))
    change = change_of(row, state, actor=actor)
    return Upsert(
        values=values,
        named=frozenset(named | {"state"}),
        change_verb=_VERBS[state] if change else "updated",
        at=ended_at if change else None,
        change=change,
    )


def first_steps(upserts: Sequence[Upsert | Rejection], results: Sequence[Result]) -> list[Entry]:
    """Return the steps of the outages that a batch has added: where they begin and where they end."""
    entries: list[Entry] = []
    for upsert, result in zip(upserts, results, strict=True):
        if not isinstance(upsert, Upsert) or not result.written or result.id is None or result.before is not None:
            continue
        started_at, ended_at = (upsert.values[name] for name in _SPAN)
        entries.append(Entry(resource_id=result.id, at=started_at, to_state="open"))
        if ended_at is not None:
            entries.append(Entry(resource_id=result.id, at=ended_at, from_state="open", to_state="ended"))
    return entries


def courses(upserts: Sequence[Upsert | Rejection], results: Sequence[Result], now: datetime) -> dict[UUID, Course]:
    """Return, for each known outage of which a batch has changed the span, the function that dates its steps anew."""
    made: dict[UUID, Course] = {}
    for upsert, result in zip(upserts, results, strict=True):
        if not isinstance(upsert, Upsert) or not result.written or result.id is None or result.before is None:
            continue
        changes = {name: upsert.values[name] for name in upsert.named}
        if is_moved(result.before, changes):
            made[result.id] = course_of(result.before, changes, now)
    return made
