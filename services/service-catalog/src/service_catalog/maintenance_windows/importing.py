"""How the items of a batch of maintenance windows are written, given what is known already."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.batch import Result, Upsert, identity_of
from chassis.history import Course
from chassis.past import Draft, Step, changes_what_is_over
from chassis.rejection import Fault, Rejection, invalid
from chassis.transitions import change_of
from service_catalog.maintenance_windows.course import course_of, is_moved
from service_catalog.maintenance_windows.lifecycle import CANCELLED
from service_catalog.maintenance_windows.schemas import MaintenanceWindowItem
from service_catalog.maintenance_windows.spans import REACHED, SPAN_FIELDS, Spans
from service_catalog.maintenance_windows.tables import WINDOWS
from service_catalog.services.directory import Known
from service_catalog.services.membership import services_of_item

_NEVER_NULL = frozenset({"planned_start", "planned_end", "announced_at", "state"})
_NEEDED = ("planned_start", "planned_end")
_SERVICES = frozenset({"service_ids", "service_keys"})
_HISTORICAL = frozenset({"state", *REACHED})
_ONWARD = ("scheduled", "in_progress", "completed")
STAYS = Rejection("conflict", "window-cancelled", "A maintenance window that was cancelled stays as it is.")


def drafted(
    item: MaintenanceWindowItem | Rejection, known: Mapping[Any, Any], services: Known, *, now: datetime, actor: str
) -> Draft | Rejection:
    """Return how an item is written, or why not."""
    if isinstance(item, Rejection):
        return item
    row = known.get(identity_of(WINDOWS, vars(item)))
    service_ids, faults = services_of_item(item.service_ids, item.service_keys, row, services)
    if row is None:
        faults += [Fault(f"/{name}", "missing", "This is needed.") for name in _NEEDED if getattr(item, name) is None]
    if faults:
        return invalid(*faults)
    named = {name for name in item.model_fields_set if not (name in _NEVER_NULL and getattr(item, name) is None)}
    columns = (named - _SERVICES) | ({"service_ids"} if named & _SERVICES else set())
    values = item.model_dump(exclude={"service_keys"}) | {"service_ids": service_ids, "cancellation_reason": None}
    if "state" not in named and changes_what_is_over(row, {CANCELLED}, values, columns):
        return STAYS
    told = {name: values[name] if row is None or name in named else row[name] for name in SPAN_FIELDS}
    spans = Spans(**told | {"announced_at": told["announced_at"] or now})
    state = row["state"] if row is not None else spans.state
    if row is None or named & _HISTORICAL:
        state = item.state or _reached(row, spans)
        spans = _settled(item, row, spans, state, now)
        faults = spans.faults_of_state(state)
        columns |= _HISTORICAL if row is not None else set()
    faults = spans.faults(now) or faults
    if faults:
        return invalid(*faults)
    values |= {name: getattr(spans, name) for name in SPAN_FIELDS} | {"state": state}
    if row is not None and row["state"] == CANCELLED != state:
        columns.add("cancellation_reason")
    change, since = change_of(row, state, actor=actor), spans.begun_at(state, now)
    upsert = Upsert(values=values, named=frozenset(columns), at=since if change else None, change=change)
    return Draft(upsert, [Step(state, since)] if row is None else ())


def _reached(row: Any, spans: Spans) -> str:
    """Return the state that the instants lead to, or the one there is where they lead no further."""
    if row is None:
        return spans.state
    return CANCELLED if row["state"] == CANCELLED else max(row["state"], spans.state, key=_ONWARD.index)


def _settled(item: MaintenanceWindowItem, row: Any, spans: Spans, state: str, now: datetime) -> Spans:
    """Return the spans without what was known of a state that is no longer reached, and as planned where it is now."""
    if row is not None:
        left = [name for name, states in REACHED.items() if state not in states and getattr(item, name) is None]
        gone: dict[str, Any] = dict.fromkeys(left)
        spans = replace(spans, **gone)
    is_news = row is None or item.state is not None or state != row["state"]
    return spans.as_planned(now) if state == "completed" and is_news else spans


def courses(drafts: Sequence[Draft | Rejection], results: Sequence[Result]) -> dict[UUID, Course]:
    """Return, for each known window of which a batch has changed the actual span, the function that dates its steps."""
    made: dict[UUID, Course] = {}
    for draft, result in zip(drafts, results, strict=True):
        if not isinstance(draft, Draft) or not result.written or result.id is None or result.before is None:
            continue
        changes = {name: draft.upsert.values[name] for name in draft.upsert.named}
        if is_moved(result.before, changes):
            made[result.id] = course_of(result.before, changes)
    return made
