"""How the items of a batch of problems are written, given what is known already."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.batch import Result, Upsert, identity_of
from chassis.history import Course
from chassis.past import Draft, Step, changes_what_is_over, faults_of, faults_of_course, steps_of, told_beside
from chassis.rejection import Fault, Rejection, invalid
from chassis.transitions import change_of
from service_catalog.incidents.priority import priority_of
from service_catalog.problems.course import identified
from service_catalog.problems.lifecycle import LIFECYCLE, OVER, begun, emptied, entered, is_reopened
from service_catalog.problems.schemas import ProblemItem
from service_catalog.problems.tables import PROBLEMS
from service_catalog.services.directory import Known

_INSTANTS = ("known_error_at", "resolved_at", "closed_at")
_IN_ORDER = ("identified_at", *_INSTANTS)
HISTORICAL = frozenset({"state", "history", "identified_at", *_INSTANTS})
_SERVICE = frozenset({"service_id", "service_key"})
_LEVELS = ("impact", "urgency")
_PLAIN = (
    *("external_source", "external_id", "description", *_LEVELS, "owner", "factor"),
    *("root_cause", "workaround", "resolution", "labels"),
)
STAYS = Rejection("conflict", "problem-over", "What was closed or cancelled stays as it is.")


def needs_import(items: Iterable[ProblemItem]) -> bool:
    """Whether some item tells of the past."""
    return any(not HISTORICAL.isdisjoint(item.model_fields_set) for item in items)


def drafted(
    item: ProblemItem | Rejection, known: Mapping[Any, Any], services: Known, *, now: datetime, actor: str
) -> Draft | Rejection:
    """Return how an item is written, or why not."""
    if isinstance(item, Rejection):
        return item
    row = known.get(identity_of(PROBLEMS, vars(item)))
    service = services.service_of(item, row)
    faults = list(service.faults) if isinstance(service, Rejection) else []
    title = item.title if row is None or item.title is not None else row["title"]
    if title is None:
        faults.append(Fault("/title", "missing", "This is needed."))
    named = item.model_fields_set
    steps = steps_of(item.history)
    identified_at = item.identified_at or (row["identified_at"] if row else steps[0].at if steps else now)
    faults += _faults(item, identified_at, now)
    if faults:
        return invalid(*faults)
    values: dict[str, Any] = {name: getattr(item, name) for name in _PLAIN}
    levels = (values[name] if row is None or name in named else row[name] for name in _LEVELS)
    course = _course(item, row, steps, identified_at, now)
    if faults := _faults_of_course(item, row, course | {"identified_at": identified_at}, steps):
        return invalid(*faults)
    values |= course | {
        "service_id": service,
        "title": title,
        "identified_at": identified_at,
        "priority": priority_of(*levels),
    }
    columns = _named(named, row, course)
    if row is not None and named.isdisjoint(HISTORICAL):
        if changes_what_is_over(row, OVER, values, columns):
            return STAYS
        if faults := emptied(row["state"], {name: values[name] for name in columns if row[name] != values[name]}):
            return invalid(*faults)
    change = change_of(row, values["state"], actor=actor)
    upsert = Upsert(
        values=values,
        named=columns,
        at=values["state_since"] if change or (row is None and steps) else None,
        change=change,
    )
    return Draft(upsert, steps)


def courses(drafts: Sequence[Draft | Rejection], results: Sequence[Result]) -> dict[UUID, Course]:
    """Return what makes of the steps of known problems those of ones that were identified at another time."""
    made: dict[UUID, Course] = {}
    for draft, result in zip(drafts, results, strict=True):
        if not isinstance(draft, Draft) or draft.steps or not result.written or result.id is None:
            continue
        if result.before is not None and "identified_at" in draft.upsert.named:
            made[result.id] = identified(result.before["identified_at"], draft.upsert.values["identified_at"])
    return made


def _named(fields: set[str], row: Any, course: Mapping[str, Any]) -> frozenset[str]:
    """Return the columns that a known problem changes in."""
    columns = fields & {*_PLAIN, "title", "identified_at"}
    if not fields.isdisjoint(_SERVICE):
        columns.add("service_id")
    if not fields.isdisjoint(_LEVELS):
        columns.add("priority")
    if "identified_at" in fields:
        columns.add("state_since")
    if not fields.isdisjoint(HISTORICAL - {"identified_at"}):
        columns.update(course)
        columns |= (
            {"resolution"} if row is not None and is_reopened(row, course["state"]) else set()
        )  # no longer solved
    return frozenset(columns)


def _faults(item: ProblemItem, identified_at: datetime, now: datetime) -> list[Fault]:
    """Return what is wrong with the past that an item tells: none of it comes before the problem was identified."""
    history = item.history or ()
    instants = {name: getattr(item, name) for name in _INSTANTS}
    faults = faults_of(history, item.state, instants | {"identified_at": item.identified_at}, now)
    places = [(f"/history/{place}/at", step.at) for place, step in enumerate(history)]
    places += [(f"/{name}", at) for name, at in instants.items() if at is not None]
    return faults + [
        Fault(place, "before-identification", "This lies before the problem was identified.")
        for place, at in places
        if at < identified_at
    ]


def _faults_of_course(item: ProblemItem, row: Any, course: Mapping[str, Any], steps: Sequence[Step]) -> list[Fault]:
    """Return what cannot be: what is out of order, or what its state has not (of an end, a history is right)."""
    faults = [
        Fault(f"/{name}", "state-not-reached", "A problem in this state has none.")
        for name in _INSTANTS
        if getattr(item, name) is not None and course[name] is None and (not steps or name == "known_error_at")
    ]
    if row is not None and _is_as_begun(row):
        row = {**row, "state_since": course["identified_at"]}
    elif row is not None and not steps and course["identified_at"] > row["state_since"]:
        message = "The problem entered its state before that; tell the whole history."
        faults.append(Fault("/identified_at", "out-of-order", message))
    if course["known_error_at"] is not None and item.known_error_at not in {None, course["known_error_at"]}:
        faults.append(Fault("/known_error_at", "instant-differs", "The history tells another instant."))
    return faults + faults_of_course(course, row, _IN_ORDER, item.model_fields_set, steps)


def _course(
    item: ProblemItem, row: Any, steps: Sequence[Step], identified_at: datetime, now: datetime
) -> dict[str, Any]:
    """Return the course of a problem as its item tells it, or as it was known."""
    told = told_beside(item, _INSTANTS, steps)
    course = begun(identified_at)
    if steps:
        for step in steps:
            course |= entered(course, step.state, step.at)
            course["cancellation_reason"] = step.reason
        return _settled(course, told, is_known=course["known_error_at"] is not None)
    if row is not None and not _is_as_begun(row):
        course = {name: row[name] for name in course}
    elif row is not None:
        course = {name: row[name] for name in course} | {"state_since": identified_at}
    if item.state not in {None, course["state"]}:
        at = max((at for at in told.values() if at is not None), default=identified_at if row is None else now)
        course |= entered(course, item.state or course["state"], at)
    return _settled(course, told)


def _settled(before: Mapping[str, Any], told: Mapping[str, Any], *, is_known: bool = False) -> dict[str, Any]:
    """Return a course with what is told of it, in which only what is solved has an end, what is cancelled a reason.

    Where it `is_known` when it became a known error, that stays; what is open became none unless it was one before.
    """
    course = {**before, **told}
    if is_known or course["state"] == LIFECYCLE.initial:
        course["known_error_at"] = before["known_error_at"]
    elif course["state"] == "known_error":
        course["known_error_at"] = course["known_error_at"] or course["state_since"]
    if course["state"] != "cancelled":
        course["cancellation_reason"] = None
    is_closed = course["state"] == "closed"
    is_solved = is_closed or course["state"] == "resolved"
    for name, is_reached in (("closed_at", is_closed), ("resolved_at", is_solved)):
        course[name] = (course[name] or before[name] or course["state_since"]) if is_reached else None
    return course


def _is_as_begun(row: Mapping[str, Any]) -> bool:
    """Tell whether nothing has become of a problem since it was identified."""
    return bool(row["state"] == LIFECYCLE.initial and row["state_since"] == row["identified_at"])
