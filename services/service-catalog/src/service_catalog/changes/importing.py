"""How the items of a batch of changes are written, given what is known already."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from chassis.batch import Upsert, identity_of
from chassis.past import Draft, Step, faults_of, faults_of_course, faults_of_reach, reached, steps_of, told_beside
from chassis.rejection import Fault, Rejection, invalid
from chassis.transitions import change_of
from service_catalog.changes.lifecycle import begun, entered
from service_catalog.changes.planning import fixed, span_faults
from service_catalog.changes.schemas import ChangeItem
from service_catalog.changes.tables import CHANGES
from service_catalog.services.directory import Known
from service_catalog.services.membership import services_of_item

_ENDED = frozenset({"review", "closed"})
_BEGUN = _ENDED | {"implementing"}
_APPROVED = _BEGUN | {"approved", "scheduled", "cancelled"}
_REACHED: Mapping[str, frozenset[str]] = {
    "approved_at": _APPROVED,
    "approved_by": _APPROVED,
    "actual_start": _BEGUN,
    "actual_end": _ENDED,
    "outcome": _ENDED,
}
_REASONS = {"rejection_reason": frozenset({"rejected"}), "cancellation_reason": frozenset({"cancelled"})}
_INSTANTS = ("approved_at", "actual_start", "actual_end")
HISTORICAL = frozenset({"state", "history", *_REACHED})
_SERVICES = frozenset({"service_ids", "service_keys"})
_PLAIN = (
    *("external_source", "external_id", "title", "description", "type", "risk", "reason", "implementation_plan"),
    *("backout_plan", "test_plan", "requester", "implementer", "planned_start", "planned_end", "incident_id"),
    *("opens_maintenance_window", "labels"),
)
_NEVER_NULL = ("title", "requester")


def needs_import(items: Sequence[ChangeItem]) -> bool:
    """Whether some item tells of the past."""
    return any(not HISTORICAL.isdisjoint(item.model_fields_set) for item in items)


def drafted(
    item: ChangeItem | Rejection, known: Mapping[Any, Any], services: Known, *, now: datetime, actor: str
) -> Draft | Rejection:
    """Return how an item is written, or why not."""
    if isinstance(item, Rejection):
        return item
    row = known.get(identity_of(CHANGES, vars(item)))
    service_ids, faults = services_of_item(item.service_ids, item.service_keys, row, services)
    values: dict[str, Any] = {name: getattr(item, name) for name in _PLAIN} | {"service_ids": service_ids}
    for name, fallback in zip(_NEVER_NULL, (None, actor), strict=True):
        values[name] = values[name] or (fallback if row is None else row[name])
    if values["title"] is None:
        faults.append(Fault("/title", "missing", "This is needed."))
    named = item.model_fields_set
    faults += span_faults(
        *(values[name] if row is None or name in named else row[name] for name in ("planned_start", "planned_end"))
    )
    steps = steps_of(item.history)
    course = _course(item, row, steps, now)
    faults += faults_of(item.history or (), item.state, {name: getattr(item, name) for name in _INSTANTS}, now)
    faults += _faults(item, course)
    faults += faults_of_course(course, row, (), named, steps)
    if faults:
        return invalid(*faults)
    columns = _named(named, course)
    if row is not None and named.isdisjoint(HISTORICAL):
        refusal = fixed(row, {name: values[name] for name in columns})
        if refusal is not None:
            return refusal
    change = change_of(row, course["state"], actor=actor)
    upsert = Upsert(
        values=values | course | {"maintenance_window_id": None},
        named=columns,
        at=course["state_since"] if change or (row is None and steps) else None,
        change=change,
    )
    return Draft(upsert, steps)


def details_of(state: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what belongs to the step into a state: the outcome to the last one that may have one."""
    return {"outcome": values["outcome"]} if values["outcome"] and state == values["state"] else {}


def _named(fields: set[str], course: Mapping[str, Any]) -> frozenset[str]:
    """Return the columns that a known change changes in."""
    columns = fields & {*_PLAIN}
    if not fields.isdisjoint(_SERVICES):
        columns.add("service_ids")
    if not fields.isdisjoint(HISTORICAL):
        columns.update(course)
    return frozenset(columns)


def _course(item: ChangeItem, row: Any, steps: Sequence[Step], now: datetime) -> dict[str, Any]:
    """Return the course of a change as its item tells it, or as it was known."""
    told = told_beside(item, _REACHED, steps)
    if steps:
        course = begun(steps[0].at)
        for step in steps:
            course |= entered(course, step.state, step.at, step.reason)
        if row is not None:  # what steps do not tell stays, as far as it is still of them
            course["outcome"] = row["outcome"]
            if course["approved_at"] == row["approved_at"]:
                course["approved_by"] = row["approved_by"]
        return _settled(course | told)
    course = begun(now) if row is None else {name: row[name] for name in begun(now)}
    if item.state not in {None, course["state"]}:
        at = max((at for name in _INSTANTS if (at := told.get(name)) is not None), default=now)
        course |= {"state": item.state, "state_since": at}
    return _settled(course | told)


def _settled(course: dict[str, Any]) -> dict[str, Any]:
    """Return a course that holds what belongs to its state, and nothing that does not."""
    course = reached(course, {**_REACHED, **_REASONS})
    if course["state"] == "approved":
        course["approved_at"] = course["approved_at"] or course["state_since"]
    return course


def _faults(item: ChangeItem, course: Mapping[str, Any]) -> list[Fault]:
    """Return what is wrong with the past that an item tells: nothing is told of a state that was not reached."""
    told = {name: getattr(item, name) for name in _REACHED}
    faults = faults_of_reach(course["state"], told, _REACHED, "A change")
    start, end = course["actual_start"], course["actual_end"]
    if start is not None and end is not None and end < start:
        faults.append(Fault("/actual_end", "before-start", "A change ends at or after its start."))
    if course["state"] == "closed" and course["outcome"] is None:
        faults.append(Fault("/outcome", "missing", "What is closed has an outcome."))
    return faults
