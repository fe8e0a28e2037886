"""How the items of a batch of acceptance criteria are written, given what is known already."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.batch import Result, Upsert, identity_of
from chassis.history import Course, Entry
from chassis.rejection import Fault, Rejection, invalid
from service_catalog.acceptance.lifecycle import DECIDED, NEED_REASON, NEVER_OPEN_AGAIN, OPEN
from service_catalog.acceptance.schemas import CriterionItem
from service_catalog.acceptance.tables import CRITERIA

ALWAYS = frozenset({"evidence", "labels"})
UNDECIDED = {"status": OPEN, "decided_at": None, "decision_reason": None, "approver": None}
_TOLD = ("decided_at", "decision_reason", "approver")
_NEEDED = ("dimension", "text")
_NEVER_NULL = frozenset({*_NEEDED, "mandatory", "needed_for"})


def needs_import(items: Iterable[CriterionItem]) -> bool:
    """Whether some item tells of a decision."""
    return any(not item.model_fields_set.isdisjoint(UNDECIDED) for item in items)


def eases(item: CriterionItem, known: Mapping[Any, Any]) -> bool:
    """Whether an item demands no more what a known criterion does."""
    row = known.get(identity_of(CRITERIA, vars(item)))
    return row is not None and row["mandatory"] and item.mandatory is False


def drafted(
    item: CriterionItem | Rejection, known: Mapping[Any, Any], service_id: UUID, *, now: datetime, actor: str
) -> Upsert | Rejection:
    """Return how an item is written, or why not; what a decided criterion demands does not change any more."""
    if isinstance(item, Rejection):
        return item
    row = known.get(identity_of(CRITERIA, vars(item)))
    missing = [Fault(f"/{name}", "missing", "This is needed.") for name in _NEEDED if getattr(item, name) is None]
    decision = _decision(item, row, now=now, actor=actor)
    faults = (missing if row is None else _before_last(decision, row)) + _faults(item, decision, now)
    if faults:
        return invalid(*faults)
    named = {name for name in item.model_fields_set if not (name in _NEVER_NULL and getattr(item, name) is None)}
    tells = not named.isdisjoint(UNDECIDED)
    named -= UNDECIDED.keys()
    values: dict[str, Any] = item.model_dump() | {"service_id": service_id, **decision}
    values |= {"mandatory": item.mandatory is not False, "needed_for": item.needed_for or "acceptance"}
    if row is not None and row["status"] != OPEN:
        if decision["status"] == OPEN:
            return NEVER_OPEN_AGAIN
        if any(row[name] != values[name] for name in named - ALWAYS):
            return DECIDED
    changes = row is not None and row["status"] != decision["status"]
    return Upsert(
        values=values,
        named=frozenset(named | (UNDECIDED.keys() if tells else set())),
        change_verb=decision["status"] if changes else "updated",
        at=decision["decided_at"] if changes or row is None else None,
        change=_change(row, decision, actor) if changes else None,
    )


def steps_made(upserts: Sequence[Upsert | Rejection], results: Sequence[Result], now: datetime) -> Iterator[Entry]:
    """Tell the steps of history that a batch has made: where criteria begin, and how they were decided."""
    for upsert, result in zip(upserts, results, strict=True):
        if not isinstance(upsert, Upsert) or not result.written or result.id is None:
            continue
        decision, row = {name: upsert.values[name] for name in UNDECIDED}, result.before
        if row is not None and (UNDECIDED.keys().isdisjoint(upsert.named) or _is_of(decision, row)):
            continue
        yield Entry(
            resource_id=result.id,
            at=decision["decided_at"] or now,
            from_state=None if row is None else row["status"],
            to_state=decision["status"],
            reason=decision["decision_reason"],
            details={} if decision["status"] == OPEN else {"approver": decision["approver"]},
        )


def going_back(upserts: Sequence[Upsert | Rejection], results: Sequence[Result]) -> dict[UUID, Course]:
    """Return what becomes of the steps known of criteria that were decided before these: they end with the decision."""
    return {
        result.id: _until(upsert.values["decided_at"])
        for upsert, result in zip(upserts, results, strict=True)
        if isinstance(upsert, Upsert) and result.written and result.before is not None and result.id is not None
        if (at := upsert.values["decided_at"]) is not None and "status" in upsert.named
        if at < (result.before["decided_at"] or result.before["created_at"])
    }


def _until(at: datetime) -> Course:
    return lambda steps: [replace(step, at=min(step.at, at)) for step in steps]


def _decision(item: CriterionItem, row: Any, *, now: datetime, actor: str) -> dict[str, Any]:
    """Return how a criterion is decided: as the item tells it, else as it was known, unless that was otherwise."""
    before = UNDECIDED if row is None else {name: row[name] for name in UNDECIDED}
    status = item.status or before["status"]
    if status == OPEN:
        return UNDECIDED
    kept = before if status == before["status"] else UNDECIDED
    reason = item.decision_reason if "decision_reason" in item.model_fields_set else kept["decision_reason"]
    return {
        "status": status,
        "decided_at": item.decided_at or kept["decided_at"] or now,
        "decision_reason": reason,
        "approver": item.approver or kept["approver"] or actor,
    }


def _faults(item: CriterionItem, decision: Mapping[str, Any], now: datetime) -> list[Fault]:
    """Return what is wrong with a decision that an item tells."""
    status, reason = decision["status"], decision["decision_reason"]
    if status == OPEN:
        told = [name for name in _TOLD if getattr(item, name) is not None]
        return [Fault(f"/{name}", "state-not-reached", "Only what was decided has this.") for name in told]
    faults = []
    if decision["decided_at"] > now:
        faults.append(Fault("/decided_at", "in-the-future", "A history tells of the past."))
    if status in NEED_REASON and not (reason and reason.strip()):
        faults.append(Fault("/decision_reason", "missing", "This decision needs a reason."))
    return faults


def _before_last(decision: Mapping[str, Any], row: Any) -> list[Fault]:
    """Return that a decision which replaces another one is told to have been made before it."""
    is_another = decision["status"] not in {OPEN, row["status"]} and row["status"] != OPEN
    if not is_another or decision["decided_at"] >= row["decided_at"]:
        return []
    return [Fault("/decided_at", "before-last", "This lies before the decision that it replaces.")]


def _change(row: Any, decision: Mapping[str, Any], actor: str) -> dict[str, Any]:
    return {"from": row["status"], "to": decision["status"], "reason": decision["decision_reason"], "actor": actor}


def _is_of(decision: Mapping[str, Any], row: Any) -> bool:
    """Tell whether a criterion was decided just so before."""
    return all(row[name] == value for name, value in decision.items())
