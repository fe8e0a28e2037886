"""How the items of a batch of service requests are written, given what is known already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.batch import Result, Upsert, identity_of
from chassis.past import Draft, Step, steps_of
from chassis.rejection import Fault, Rejection, invalid
from chassis.transitions import change_of
from service_catalog.catalogue_items.directory import KnownItems
from service_catalog.catalogue_items.forms import KnownForms
from service_catalog.requests.lifecycle import OVER, begun, entered
from service_catalog.requests.past import course_of, faults_of, with_beginning
from service_catalog.requests.schemas import ServiceRequestItem
from service_catalog.requests.submission import NAMELESS, refused, values_of
from service_catalog.requests.tables import COLUMNS, SERVICE_REQUESTS

HISTORICAL = frozenset({"state", "history", "submitted_at", "outcome"})
_CHANGING = frozenset({"comment", "assigned_team", "assignee", "labels", "external_source", "external_id"})
_FIXED = ("requester", "requested_for", "form", "submitted_at")
_FIXED_SENTENCE = "What was asked for, by whom and when never changes."


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafting:
    """What items are judged by: what is known of them, what may be asked for, who brings them, and when."""

    known: Mapping[Any, Any]
    items: KnownItems
    forms: KnownForms
    now: datetime
    actor: str

    def draft(self, item: ServiceRequestItem | Rejection) -> Draft | Rejection:
        """Return how an item is written, or why not."""
        if isinstance(item, Rejection):
            return item
        row = self.known.get(identity_of(SERVICE_REQUESTS, vars(item)))
        return self._new(item) if row is None else self._known(item, row)

    def _new(self, item: ServiceRequestItem) -> Draft | Rejection:
        asked = self._asked_for(item)
        told, is_past = steps_of(item.history), tells_of_the_past(item)
        submitted_at = item.submitted_at or min((step.at for step in told), default=self.now)
        faults = list(asked.faults) if isinstance(asked, Rejection) else []
        faults += faults_of(told, submitted_at, self.now)
        if item.form is None:
            faults.append(Fault("/form", "missing", "This is needed."))
        if item.state in OVER and not told:
            faults.append(Fault("/history", "missing", "What is fulfilled tells when, in its history."))
        if isinstance(asked, Rejection) or item.form is None or faults:
            return invalid(*faults)
        refusal = None if is_past else refused(asked, item.form, self.forms)
        if refusal is not None:
            return refusal
        if item.state is not None and not told:
            told = [Step(item.state, submitted_at)]
        steps = with_beginning(told, submitted_at, approval_required=asked["approval_required"])
        course = course_of(steps) | {"outcome": item.outcome}
        faults = _course_faults(item, course)
        if faults:
            return invalid(*faults)
        values = values_of(item, asked, actor=self.actor) | course | {"submitted_at": submitted_at}
        if is_past:
            values["form_version"] = None
        upsert = Upsert(
            values=values,
            named=frozenset(item.model_fields_set & _CHANGING),
            at=course["state_since"] if is_past else None,
        )
        return Draft(upsert, steps)

    def _known(self, item: ServiceRequestItem, row: Any) -> Draft | Rejection:
        told, named = steps_of(item.history), item.model_fields_set
        course = {name: row[name] for name in begun(self.now, approval_required=False)}
        steps: Sequence[Step] = []
        if told:
            steps = with_beginning(told, row["submitted_at"], approval_required=row["approval_required"])
            course = course_of(steps) | {"outcome": row["outcome"]}
            if _decision(course) == _decision(row):
                course["approver"] = row["approver"]
        elif item.state not in {None, row["state"]}:
            course |= entered(course, str(item.state), self.now)
        if "outcome" in named:
            course["outcome"] = item.outcome
        elif course["state"] not in OVER:
            course["outcome"] = None
        faults = [*_changed(item, row), *self._moved(item, row)]
        faults += [*faults_of(told, row["submitted_at"], self.now), *_course_faults(item, course)]
        if faults:
            return invalid(*faults)
        changing = named & _CHANGING
        columns = changing | (course.keys() if named & HISTORICAL else set())
        values = {name: row[name] for name in COLUMNS} | {name: getattr(item, name) for name in changing} | course
        change = change_of(row, course["state"], actor=self.actor)
        at = course["state_since"] if change else None
        return Draft(Upsert(values=values, named=frozenset(columns), at=at, change=change), steps)

    def _asked_for(self, item: ServiceRequestItem) -> Any:
        """Return the catalogue item that an item names, or why there is none."""
        if item.catalogue_item_id is None and item.catalogue_item_key is None:
            return NAMELESS
        return self.items.named(item.catalogue_item_id, item.catalogue_item_key)

    def _moved(self, item: ServiceRequestItem, row: Any) -> Sequence[Fault]:
        """Return what is wrong where a known request names what it asks for, which it may leave unsaid."""
        if item.catalogue_item_id is None and item.catalogue_item_key is None:
            return ()
        asked = self._asked_for(item)
        if isinstance(asked, Rejection):
            return asked.faults
        place = "/catalogue_item_id" if item.catalogue_item_id is not None else "/catalogue_item_key"
        return [] if asked["id"] == row["catalogue_item_id"] else [Fault(place, "immutable", _FIXED_SENTENCE)]


def _decision(course: Mapping[str, Any]) -> tuple[datetime | None, bool]:
    """Return when a request was approved, and whether it was rejected."""
    return course["approved_at"], course["state"] == "rejected"


def tells_of_the_past(item: ServiceRequestItem) -> bool:
    """Whether an item tells of the past."""
    return not HISTORICAL.isdisjoint(item.model_fields_set)


def clocked(drafts: Sequence[Draft | Rejection], results: Sequence[Result]) -> list[UUID]:
    """Return the requests that a batch has written and that have a clock."""
    return [
        result.id
        for draft, result in zip(drafts, results, strict=True)
        if isinstance(draft, Draft)
        and result.written
        and result.id is not None
        and draft.upsert.values["fulfilment_target_minutes"] is not None
    ]


def _course_faults(item: ServiceRequestItem, course: Mapping[str, Any]) -> list[Fault]:
    faults = []
    if item.state not in {None, course["state"]}:
        faults.append(Fault("/state", "state-differs", "The state is the last one of the history."))
    if item.outcome is not None and course["state"] not in OVER:
        faults.append(Fault("/outcome", "not-allowed", "Only what is fulfilled has an outcome."))
    return faults


def _changed(item: ServiceRequestItem, row: Any) -> list[Fault]:
    """Return which of what never changes an item would change; null leaves unsaid what nobody lacks."""
    return [
        Fault(f"/{name}", "immutable", _FIXED_SENTENCE)
        for name in _FIXED
        if name in item.model_fields_set
        and getattr(item, name) != row[name]
        and (getattr(item, name) is not None or name == "requested_for")
    ]
