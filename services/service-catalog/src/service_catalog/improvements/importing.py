"""How the items of a batch of improvements are written, given what is known already."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.batch import Result, Upsert, identity_of
from chassis.history import Entry
from chassis.rejection import Fault, Rejection, invalid
from chassis.transitions import change_of
from service_catalog.improvements.lifecycle import APPROVED, OVER, begun, entered
from service_catalog.improvements.promises import NO_ORIGIN, benefit_document, origin_columns
from service_catalog.improvements.schemas import ImprovementItem, PastState
from service_catalog.improvements.tables import IMPROVEMENTS
from service_catalog.services.directory import Known

_INSTANTS = ("approved_at", "started_at", "closed_at")
_TOLD = ("outcome", "first_planned_end", *_INSTANTS)
HISTORICAL = frozenset({"state", "history", *_TOLD})
_SERVICE = frozenset({"service_id", "service_key"})
_PLAIN = (
    *("external_source", "external_id", "description", "owner", "planned_end", "project_id", "labels"),
    *("service_id", "title"),
)
STAYS = Rejection("conflict", "improvement-over", "What was closed or cancelled stays as it is.")


@dataclass(frozen=True, slots=True)
class Draft:
    """How an item is written, and the steps it tells of."""

    upsert: Upsert
    steps: Sequence[PastState] = ()


def needs_import(items: Sequence[ImprovementItem]) -> bool:
    """Whether some item tells of the past."""
    return any(not HISTORICAL.isdisjoint(item.model_fields_set) for item in items)


def drafted(
    item: ImprovementItem | Rejection, known: Mapping[Any, Any], services: Known, *, now: datetime, actor: str
) -> Draft | Rejection:
    """Return how an item is written, or why not."""
    if isinstance(item, Rejection):
        return item
    row = known.get(identity_of(IMPROVEMENTS, vars(item)))
    service = _service(item, row, services)
    faults = list(service.faults) if isinstance(service, Rejection) else []
    title = item.title if row is None or item.title is not None else row["title"]
    if title is None:
        faults.append(Fault("/title", "missing", "This is needed."))
    steps = sorted(item.history or (), key=lambda step: step.at)
    present = row["benefit"] if row is not None else None
    values: dict[str, Any] = {name: getattr(item, name) for name in _PLAIN} | {"service_id": service, "title": title}
    values["benefit"] = benefit_document(item.benefit, present, faults)
    values |= origin_columns(item.origin, faults)
    faults += _faults(item, steps, now)
    named = set(item.model_fields_set)
    planned_end = item.planned_end if row is None or "planned_end" in named else row["planned_end"]
    course = _course(item, row, steps, planned_end, now)
    if course["state"] == "closed" and course["outcome"] is None:
        faults.append(Fault("/outcome", "missing", "What is closed was successful, partial or unsuccessful."))
    if course["state"] != "closed" and item.outcome is not None:
        faults.append(Fault("/outcome", "not-allowed", "Only what is closed has an outcome."))
    if faults:
        return invalid(*faults)
    columns = _named(named, course)
    if _changes_what_is_over(row, values | course, columns - {"labels"}, named):
        return STAYS
    change = change_of(row, course["state"], actor=actor)
    upsert = Upsert(
        values=values | course,
        named=columns,
        at=course["state_since"] if change or (row is None and steps) else None,
        change=change,
    )
    return Draft(upsert, steps)


def _changes_what_is_over(row: Any, values: Mapping[str, Any], columns: frozenset[str], fields: set[str]) -> bool:
    """Tell whether something else than its past is changed of what was closed or cancelled."""
    if row is None or row["state"] not in OVER or not fields.isdisjoint(HISTORICAL):
        return False
    return any(row[name] != values[name] for name in columns)


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


def _faults(item: ImprovementItem, steps: Sequence[PastState], now: datetime) -> list[Fault]:
    """Return what is wrong with the past that an item tells: nothing of it lies in the future."""
    places = [(f"/history/{place}/at", step.at) for place, step in enumerate(item.history or ())]
    places += [(f"/{name}", at) for name in _INSTANTS if (at := getattr(item, name)) is not None]
    faults = [Fault(place, "in-the-future", "A history tells of the past.") for place, at in places if at > now]
    if steps and item.state not in {None, steps[-1].state}:
        faults.append(Fault("/state", "state-differs", "The state is the last one of the history."))
    return faults


def _course(
    item: ImprovementItem, row: Any, steps: Sequence[PastState], planned_end: datetime | None, now: datetime
) -> dict[str, Any]:
    """Return the course of an improvement as its item tells it, or as it was known."""
    told = {name: getattr(item, name) for name in _TOLD if name in item.model_fields_set}
    if steps:
        return _settled(_walked(steps, planned_end) | told)
    course = begun(now) if row is None else {name: row[name] for name in begun(now)}
    if item.state not in {None, course["state"]}:
        at = max((at for name in _INSTANTS if (at := told.get(name)) is not None), default=now)
        course |= {"state": item.state, "state_since": at}
        if item.state in APPROVED:
            course["first_planned_end"] = course["first_planned_end"] or planned_end
    return _settled(course | told)


def _walked(steps: Sequence[PastState], planned_end: datetime | None) -> dict[str, Any]:
    """Return the course that these steps make, in the order of their instants."""
    course = begun(steps[0].at)
    for step in steps:
        course |= entered(course, step.state, step.at, planned_end)
        course["cancellation_reason"] = step.reason if step.state == "cancelled" else None
    return course


def _settled(course: dict[str, Any]) -> dict[str, Any]:
    """Return a course in which only what is closed has an end and an outcome, only what is cancelled a reason."""
    if course["state"] != "cancelled":
        course["cancellation_reason"] = None
    if course["state"] != "closed":
        return course | {"closed_at": None, "outcome": None}
    return course | {"closed_at": course["closed_at"] or course["state_since"]}


def _service(item: ImprovementItem, row: Any, services: Known) -> UUID | Rejection:
    """Return whose improvement it is; a known one may leave it unsaid."""
    if item.service_id is None and item.service_key is None:
        if row is not None:
            found: UUID = row["service_id"]
            return found
        return invalid(Fault("/service_id", "missing", "The service is named by service_id or service_key."))
    return services.id_of(item.service_id, item.service_key)


def entries(drafts: Sequence[Draft | Rejection], results: Sequence[Result]) -> list[Entry]:
    """Return the steps of history that a batch has made; of a known improvement only those later than its last."""
    made: list[Entry] = []
    for draft, result in zip(drafts, results, strict=True):
        if isinstance(draft, Draft) and result.written and result.id is not None:
            made += _entries(draft, result.id, result.before)
    return made


def _entries(draft: Draft, id_: UUID, before: Any) -> Iterator[Entry]:
    values = draft.upsert.values
    state = None if before is None else before["state"]
    steps = [(one.state, one.at, one.reason) for one in draft.steps if before is None or one.at > before["state_since"]]
    if not draft.steps and state != values["state"]:
        steps = [(values["state"], values["state_since"], None)]
    for to, at, reason in steps:
        details = {"outcome": values["outcome"]} if to == "closed" and values["outcome"] else {}
        yield Entry(resource_id=id_, at=at, from_state=state, to_state=to, reason=reason, details=details)
        state = to
