"""How the items of a batch of improvements are written, given what is known already."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.batch import Upsert, identity_of
from chassis.past import (
    Draft,
    Step,
    changes_what_is_over,
    faults_of,
    faults_of_course,
    faults_of_reach,
    reached,
    steps_of,
    told_beside,
)
from chassis.rejection import Fault, Rejection, invalid
from chassis.transitions import change_of
from service_catalog.improvements.lifecycle import APPROVED, OVER, STARTED, begun, emptied, entered
from service_catalog.improvements.promises import NO_ORIGIN, benefit_document, origin_columns
from service_catalog.improvements.schemas import ImprovementItem
from service_catalog.improvements.tables import IMPROVEMENTS
from service_catalog.services.directory import Known

_INSTANTS = ("approved_at", "started_at", "closed_at")
_TOLD = ("outcome", "first_planned_end", *_INSTANTS)
_CANCELLED = frozenset({"cancelled"})
_CLOSED = frozenset({"closed"})
_REACHED: Mapping[str, frozenset[str]] = {
    "first_planned_end": APPROVED | _CANCELLED,
    "approved_at": APPROVED | _CANCELLED,
    "started_at": STARTED | _CANCELLED,
    "closed_at": _CLOSED,
    "outcome": _CLOSED,
    "cancellation_reason": _CANCELLED,
}
HISTORICAL = frozenset({"state", "history", *_TOLD})
_SERVICE = frozenset({"service_id", "service_key"})
_PLAIN = (
    *("external_source", "external_id", "description", "owner", "planned_end", "project_id", "labels"),
    *("service_id", "title"),
)
STAYS = Rejection("conflict", "improvement-over", "What was closed or cancelled stays as it is.")


def needs_import(items: Sequence[ImprovementItem]) -> bool:
    """Whether some item tells of the past."""
    return any(not HISTORICAL.isdisjoint(item.model_fields_set) for item in items)


def drafted(
    item: ImprovementItem | Rejection,
    known: Mapping[Any, Any],
    services: Known,
    problems: Collection[UUID],
    *,
    now: datetime,
    actor: str,
) -> Draft | Rejection:
    """Return how an item is written, or why not; `problems` are those of the named ones that exist."""
    if isinstance(item, Rejection):
        return item
    row = known.get(identity_of(IMPROVEMENTS, vars(item)))
    service = services.service_of(item, row)
    faults = list(service.faults) if isinstance(service, Rejection) else []
    title = item.title if row is None or item.title is not None else row["title"]
    if title is None:
        faults.append(Fault("/title", "missing", "This is needed."))
    steps = steps_of(item.history)
    present = row["benefit"] if row is not None else None
    values: dict[str, Any] = {name: getattr(item, name) for name in _PLAIN} | {"service_id": service, "title": title}
    values["benefit"] = benefit_document(item.benefit, present, faults)
    values |= origin_columns(item.origin, problems, faults)
    faults += faults_of(item.history or (), item.state, {name: getattr(item, name) for name in _INSTANTS}, now)
    named = set(item.model_fields_set)
    planned_end = item.planned_end if row is None or "planned_end" in named else row["planned_end"]
    course = _course(item, row, steps, planned_end, now)
    dated = {name: getattr(item, name) for name in ("first_planned_end", *_INSTANTS)}
    faults += faults_of_reach(course["state"], dated, _REACHED, "An improvement")
    faults += faults_of_course(course, row, _INSTANTS, named, steps)
    if not faults and row is not None and row["state"] in APPROVED and service != row["service_id"]:
        place = "/service_key" if item.service_id is None else "/service_id"
        faults.append(Fault(place, "immutable", "What is approved stays with its service."))
    if row is not None and named.isdisjoint(HISTORICAL):
        faults += emptied(row, {"planned_end": planned_end})
    if course["state"] == "closed" and course["outcome"] is None:
        faults.append(Fault("/outcome", "missing", "What is closed was successful, partial or unsuccessful."))
    if course["state"] != "closed" and item.outcome is not None:
        faults.append(Fault("/outcome", "not-allowed", "Only what is closed has an outcome."))
    if faults:
        return invalid(*faults)
    columns = _named(named, course)
    if named.isdisjoint(HISTORICAL) and changes_what_is_over(row, OVER, values | course, columns):
        return STAYS
    change = change_of(row, course["state"], actor=actor)
    upsert = Upsert(
        values=values | course,
        named=columns,
        at=course["state_since"] if change or (row is None and steps) else None,
        change=change,
    )
    return Draft(upsert, steps)


def _named(fields: set[str], course: Mapping[str, Any]) -> frozenset[str]:
    """Return the columns that a known improvement changes in."""
    columns = fields & {*_PLAIN, "benefit"}
    if not fields.isdisjoint(_SERVICE):
        columns.add("service_id")
    if "origin" in fields:
        columns.update(NO_ORIGIN)
    if not fields.isdisjoint(HISTORICAL):
        columns.update(course)
    return frozenset(columns)


def _course(
    item: ImprovementItem, row: Any, steps: Sequence[Step], planned_end: datetime | None, now: datetime
) -> dict[str, Any]:
    """Return the course of an improvement as its item tells it, or as it was known."""
    told = told_beside(item, _TOLD, steps)
    if steps:
        return _settled(_walked(steps, planned_end) | told)
    course = begun(now) if row is None else {name: row[name] for name in begun(now)}
    if item.state not in {None, course["state"]}:
        at = max((at for name in _INSTANTS if (at := told.get(name)) is not None), default=now)
        course |= {"state": item.state, "state_since": at}
        if item.state in APPROVED:
            course["first_planned_end"] = course["first_planned_end"] or planned_end
    return _settled(course | told)


def _walked(steps: Sequence[Step], planned_end: datetime | None) -> dict[str, Any]:
    """Return the course that these steps make, in the order of their instants."""
    course = begun(steps[0].at)
    for step in steps:
        course |= entered(course, step.state, step.at, planned_end) | {"cancellation_reason": step.reason}
        course = reached(course, _REACHED)
    return course


def _settled(course: Mapping[str, Any]) -> dict[str, Any]:
    """Return a course with nothing that its state has not reached; what is closed was so at some time."""
    if course["state"] == "closed":
        course = {**course, "closed_at": course["closed_at"] or course["state_since"]}
    return reached(course, _REACHED)


def details_of(state: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what belongs to a step: the outcome, where it is the end."""
    return {"outcome": values["outcome"]} if state == "closed" and values["outcome"] else {}
