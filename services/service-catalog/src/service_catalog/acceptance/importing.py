"""How the items of a batch of acceptance criteria are written, given what is known already."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from chassis.batch import Upsert, identity_of
from chassis.rejection import Fault, Rejection, invalid
from service_catalog.acceptance.lifecycle import DECIDED, OPEN
from service_catalog.acceptance.schemas import CriterionItem
from service_catalog.acceptance.tables import CRITERIA

ALWAYS = frozenset({"evidence", "labels"})
UNDECIDED = {"status": OPEN, "decided_at": None, "decision_reason": None, "approver": None}
_NEEDED = ("dimension", "text")
_NEVER_NULL = frozenset({*_NEEDED, "mandatory"})


def drafted(item: CriterionItem | Rejection, known: Mapping[Any, Any], service_id: UUID) -> Upsert | Rejection:
    """Return how an item is written, or why not; what a decided criterion demands does not change any more."""
    if isinstance(item, Rejection):
        return item
    values: dict[str, Any] = item.model_dump() | {"service_id": service_id, **UNDECIDED}
    values["mandatory"] = item.mandatory is not False
    row = known.get(identity_of(CRITERIA, values))
    named = {name for name in item.model_fields_set if not (name in _NEVER_NULL and getattr(item, name) is None)}
    if row is None:
        missing = [Fault(f"/{name}", "missing", "This is needed.") for name in _NEEDED if values[name] is None]
        return invalid(*missing) if missing else Upsert(values=values, named=frozenset(named))
    if row["status"] != OPEN and any(row[name] != values[name] for name in named - ALWAYS):
        return DECIDED
    return Upsert(values=values, named=frozenset(named))
