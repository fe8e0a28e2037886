"""How the items of a batch of incidents are written, given what is known already."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from chassis.batch import Result, Upsert, identity_of
from chassis.history import Course, Entry
from chassis.past import Draft, Step, faults_of_course, steps_of, told_beside
from chassis.rejection import Fault, Rejection, invalid
from chassis.transitions import change_of
from service_catalog.incidents.beginning import moved
from service_catalog.incidents.handling import FIELDS, handling_steps
from service_catalog.incidents.lifecycle import LIFECYCLE, UNRESOLVED, entered, faults_of_loss, once_over
from service_catalog.incidents.links import LINKED, child_step, link_steps
from service_catalog.incidents.past import INSTANTS, course_of, differing, faults_of, faults_of_reach, reached, told
from service_catalog.incidents.priority import priority_of
from service_catalog.incidents.schemas import IncidentItem
from service_catalog.incidents.tables import INCIDENTS
from service_catalog.services.directory import Known

HISTORICAL = frozenset({"occurred_at", "state", "history", *INSTANTS})
_NEVER_NULL = frozenset({"title", "occurred_at", "state", "history"})
_SERVICE = frozenset({"service_id", "service_key"})
_NOT_COLUMNS = {"service_key", "history", "state"}
_OPEN = (*UNRESOLVED, "resolved")
_OF_AN_END = {"cancel_reason": frozenset({"cancelled"}), "resolution": frozenset({"resolved", "closed"})}
_COURSE = ("state", "state_since", "hold_reason", *INSTANTS, "reopened_count", "resolved_before_reopening_seconds")


def needs_import(items: Sequence[IncidentItem]) -> bool:
    """Whether some item tells of the past."""
    return any(not HISTORICAL.isdisjoint(item.model_fields_set) for item in items)


def drafted(
    item: IncidentItem | Rejection, known: Mapping[Any, Any], services: Known, *, now: datetime, actor: str
) -> Draft | Rejection:
    """Return how an item is written, or why not."""
    if isinstance(item, Rejection):
        return item
    row = known.get(identity_of(INCIDENTS, item.__dict__))
    service = services.service_of(item, row)
    title = item.title if row is None or item.title is not None else row["title"]
    if isinstance(service, Rejection) or title is None:
        faults = list(service.faults) if isinstance(service, Rejection) else []
        return invalid(*faults, *([Fault("/title", "missing", "This is needed.")] if title is None else []))
    named = item.model_fields_set
    values = item.__dict__.copy()
    for name in _NOT_COLUMNS:
        del values[name]
    steps = steps_of(item.history)
    occurred_at = item.occurred_at or (row["occurred_at"] if row else steps[0].at if steps else now)
    instants = told_beside(item, INSTANTS, steps)
    faults = faults_of(steps, occurred_at, instants, now)
    if steps and item.state not in {None, steps[-1].state}:
        faults.append(Fault("/state", "state-differs", "The state is the last one of the history."))
    if faults:
        return invalid(*faults)
    course = _course(item, row, steps, occurred_at, instants, now)
    faults = faults_of_reach(course["state"], instants, steps) or differing(steps, occurred_at, instants)
    faults = faults or faults_of_course(course, row, INSTANTS, instants, steps) or late(row, course, occurred_at)
    faults = faults or _misplaced(item, course["state"])
    if faults:
        return invalid(*faults)
    impact, urgency = (values[name] if row is None or name in named else row[name] for name in ("impact", "urgency"))
    for name in _COURSE:
        values[name] = course[name]
    values["service_id"] = service
    values["title"] = title
    values["occurred_at"] = occurred_at
    values["priority"] = priority_of(impact, urgency)
    values["reported_by"] = actor if row is None else row["reported_by"]
    if refusal := _refused_once_over(row, values, named):
        return refusal
    change = change_of(row, values["state"], actor=actor)
    if row is not None and "occurred_at" in named and course["state_since"] == occurred_at:
        named = named | {"state_since"}
    upsert = Upsert(
        values=values,
        named=_named(frozenset(named)) | _left_behind(row, values["state"]),
        at=values["state_since"] if change or (row is None and steps) else None,
        change=change,
    )
    return Draft(upsert, steps)


def _misplaced(item: IncidentItem, state: str) -> list[Fault]:
    """Return what belongs to another state than the incident's."""
    if item.cancel_reason is None or state == "cancelled":
        return []
    return [Fault("/cancel_reason", "not-allowed", "Only what is cancelled has a cancel_reason.")]


def _refused_once_over(row: Any, values: Mapping[str, Any], named: Iterable[str]) -> Rejection | None:
    """Refuse of a known incident what is refused by PATCH too, where nothing is told of the past."""
    if row is None or not HISTORICAL.isdisjoint(named):
        return None
    changes = {name: values[name] for name in _named(frozenset(named)) if row[name] != values[name]}
    faults = faults_of_loss(row["state"], changes)
    return once_over(row, changes) or (invalid(*faults) if faults else None)


@lru_cache  # the items of a batch mostly name the same
def _named(fields: frozenset[str]) -> frozenset[str]:
    """Return the columns that a known incident changes in."""
    columns = set(fields - _NOT_COLUMNS - {"title"})
    columns.update(name for name in ("title", "occurred_at") if name in fields)
    if not _SERVICE.isdisjoint(fields):
        columns.add("service_id")
    if not fields.isdisjoint({"impact", "urgency"}):
        columns.add("priority")
    if not fields.isdisjoint({"state", "history", *INSTANTS}):
        columns.update(_COURSE)
    return frozenset(columns)


def _left_behind(row: Any, state: str) -> frozenset[str]:
    """Return what a known incident no longer has, unless its item says so, as it has left an end for this state."""
    if row is None or row["state"] == state:
        return frozenset()
    return frozenset(name for name, ends in _OF_AN_END.items() if row["state"] in ends and state not in ends)


def _course(
    item: IncidentItem,
    row: Any,
    steps: Sequence[Step],
    occurred_at: datetime,
    instants: dict[str, datetime | None],
    now: datetime,
) -> Mapping[str, Any]:
    """Return the course of an incident as its item tells it, or as it was known.

    A state that is not told follows from the instants that are.
    """
    if steps:
        return course_of(steps, occurred_at) | instants
    if row is None:
        return told(item.state or reached(LIFECYCLE.initial, instants), occurred_at, instants)
    course = {name: row[name] for name in _COURSE}
    if row["state"] == LIFECYCLE.initial and row["state_since"] == row["occurred_at"]:
        course["state_since"] = occurred_at
    state = item.state or reached(row["state"], instants)
    if state != row["state"]:
        following = (at for at in instants.values() if at is not None and at >= course["state_since"])
        course |= entered(course, state, instants.get(f"{state}_at") or max(following, default=now))
    return course | instants


def late(row: Any, course: Mapping[str, Any], occurred_at: datetime) -> list[Fault]:
    """Return what is wrong where a known incident is said to have occurred after what is known of it."""
    known = [at for name in ("state_since", *INSTANTS) if (at := course[name]) is not None]
    if row is None or occurred_at <= min(known):
        return []
    return [Fault("/occurred_at", "after-first", "This lies after the first step of the incident.")]


def beginnings(drafts: Sequence[Draft | Rejection], results: Sequence[Result]) -> dict[UUID, Course]:
    """Return what becomes of the histories of incidents of which a batch tells another beginning, and no steps."""
    return {
        result.id: moved(result.before, draft.upsert.values["occurred_at"])
        for draft, result in zip(drafts, results, strict=True)
        if isinstance(draft, Draft) and not draft.steps and result.written and result.before and result.id is not None
        if "occurred_at" in draft.upsert.named
    }


def reprioritised(before: Mapping[str, Any], changes: Mapping[str, Any], at: datetime) -> list[Entry]:
    """Return the step to another priority, if it is another one."""
    priority = changes.get("priority", before["priority"])
    if priority == before["priority"]:
        return []
    return [Entry(resource_id=before["id"], at=at, from_state=before["priority"], to_state=priority)]


def priorities(drafts: Sequence[Draft | Rejection], results: Sequence[Result], now: datetime) -> list[Entry]:
    """Return the steps to another priority that a batch has made."""
    return [
        entry
        for upsert, before in _changed(drafts, results, "priority")
        for entry in reprioritised(before, upsert.values, now)
    ]


def parents(drafts: Sequence[Draft | Rejection], results: Sequence[Result], now: datetime) -> list[Entry]:
    """Return the steps to another parent that a batch has made."""
    return [
        entry
        for upsert, before in _changed(drafts, results, "parent_id")
        for entry in link_steps(before, "parent_id", upsert.values, now)
    ]


def new_children(drafts: Sequence[Draft | Rejection], results: Sequence[Result], now: datetime) -> list[Entry]:
    """Return to their parents the steps by which a batch has added incidents as parts of others."""
    return [
        child_step(parent, result.id, LINKED, now)
        for draft, result in zip(drafts, results, strict=True)
        if isinstance(draft, Draft) and result.written and result.before is None and result.id is not None
        if (parent := draft.upsert.values["parent_id"]) is not None
    ]


def handling(drafts: Sequence[Draft | Rejection], results: Sequence[Result], now: datetime) -> list[Entry]:
    """Return the steps by which a batch has changed whose incidents are, and how grave."""
    return [
        entry
        for name in FIELDS
        for upsert, before in _changed(drafts, results, name)
        for entry in handling_steps(before, {name: upsert.values[name]}, now)
    ]


def _changed(
    drafts: Sequence[Draft | Rejection], results: Sequence[Result], name: str
) -> Iterator[tuple[Upsert, Mapping[str, Any]]]:
    """Give what was known before and has been changed by naming this column, and how it was."""
    for draft, result in zip(drafts, results, strict=True):
        if isinstance(draft, Draft) and result.written and result.before and name in draft.upsert.named:
            yield draft.upsert, result.before


def watched(drafts: Sequence[Draft | Rejection], results: Sequence[Result]) -> dict[UUID, UUID]:
    """Return the incidents that a batch has written and whose clocks are to be looked at, each with its service."""
    return {
        result.id: draft.upsert.values["service_id"]
        for draft, result in zip(drafts, results, strict=True)
        if isinstance(draft, Draft) and result.written and result.id is not None
        if _is_watched(draft.upsert.values, result.before)
    }


def _is_watched(incident: Mapping[str, Any], before: Mapping[str, Any] | None) -> bool:
    """Tell whether there may be something to tell of the clocks of an incident, or to take back.

    They run until it is resolved; then it closes by itself, unless another tool leads it. Of one that was known and
    open they may have been told of as they stood until now.
    """
    if before is None:
        return incident["state"] in (_OPEN if incident["external_source"] is None else UNRESOLVED)
    return not {incident["state"], before["state"]}.isdisjoint(_OPEN)
