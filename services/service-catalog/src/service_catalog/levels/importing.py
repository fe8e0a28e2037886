"""How the items of a batch of service levels are written, given what is known already."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chassis.batch import Upsert, identity_of
from chassis.reading import refuse_unknown
from chassis.rejection import Fault, Rejection, invalid
from service_catalog.levels.agreement import clash, faults_of, matter_of
from service_catalog.levels.schemas import ServiceLevelItem
from service_catalog.levels.tables import SERVICE_LEVELS
from service_catalog.services.directory import Known

NEEDED = ("metric", "target")
_SERVICE = frozenset({"service_id", "service_key"})


@dataclass(frozen=True, slots=True)
class Draft:
    """How an item is written, the level as it is then, and the row there is of it."""

    upsert: Upsert
    level: Mapping[str, Any]
    row: Any


def drafted(
    item: ServiceLevelItem | Rejection, known: Mapping[Any, Any], services: Known, calendars: Collection[UUID]
) -> Draft | Rejection:
    """Return how an item is written, or why not; of which service and metric a known one is never changes."""
    if isinstance(item, Rejection):
        return item
    service = services.id_of(item.service_id, item.service_key)
    if isinstance(service, Rejection):
        return service
    values = item.model_dump(exclude={"service_key"}) | {"service_id": service}
    row = known.get(identity_of(SERVICE_LEVELS, values))
    named = {name for name in item.model_fields_set - _SERVICE if name not in NEEDED or values[name] is not None}
    if row is None:
        faults = [Fault(f"/{name}", "missing", "This is needed.") for name in NEEDED if values[name] is None]
        level = values
    else:
        fixed = [name for name in ("service_id", "metric") if values[name] not in {None, row[name]}]
        faults = [Fault(f"/{name}", "immutable", "Service and metric of a level never change.") for name in fixed]
        level = dict(row) | {name: values[name] for name in named}
    if not faults:
        faults = faults_of(level)
        if item.calendar_id is not None and item.calendar_id not in calendars:
            faults += refuse_unknown("calendar", "/calendar_id").faults
    return invalid(*faults) if faults else Draft(Upsert(values=values, named=frozenset(named)), level, row)


def agreed(
    drafts: Sequence[Draft | Rejection], upserts: Sequence[Upsert | Rejection], present: Iterable[Mapping[str, Any]]
) -> list[Upsert | Rejection]:
    """Return how the items are written once each was held, in their order, against what is in force by then."""
    in_force: defaultdict[Any, list[Mapping[str, Any]]] = defaultdict(list)
    for level in present:
        in_force[matter_of(level)].append(level)
    return [
        upsert if isinstance(draft, Rejection) or isinstance(upsert, Rejection) else _held(draft, in_force)
        for draft, upsert in zip(drafts, upserts, strict=True)
    ]


def _held(draft: Draft, in_force: Mapping[Any, list[Mapping[str, Any]]]) -> Upsert | Rejection:
    own = None if draft.row is None else draft.row["id"]
    others = [level for level in in_force[matter_of(draft.level)] if own is None or level.get("id") != own]
    refusal = clash(draft.level, others)
    if refusal is not None:
        return refusal
    if draft.row is not None:
        before = in_force[matter_of(draft.row)]
        before[:] = [level for level in before if level.get("id") != own]
    in_force[matter_of(draft.level)].append(draft.level)
    return draft.upsert
