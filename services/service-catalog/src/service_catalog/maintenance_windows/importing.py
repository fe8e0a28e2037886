"""How the items of a batch of maintenance windows are written, given what is known already."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from chassis.batch import Result, Upsert, identity_of
from chassis.history import Entry
from chassis.rejection import Fault, Rejection, invalid
from chassis.transitions import change_of
from service_catalog.maintenance_windows.schemas import MaintenanceWindowItem
from service_catalog.maintenance_windows.spans import SPAN_FIELDS, Spans
from service_catalog.maintenance_windows.tables import WINDOWS
from service_catalog.services.directory import Known

_NEVER_NULL = frozenset({"planned_start", "planned_end", "announced_at", "state"})
_NEEDED = ("planned_start", "planned_end")
_SERVICES = frozenset({"service_ids", "service_keys"})


def drafted(
    item: MaintenanceWindowItem | Rejection, known: Mapping[Any, Any], services: Known, *, now: datetime, actor: str
) -> Upsert | Rejection:
    """Return how an item is written, or why not."""
    if isinstance(item, Rejection):
        return item
    row = known.get(identity_of(WINDOWS, vars(item)))
    service_ids, faults = _services(item, row, services)
    if row is None:
        faults += [Fault(f"/{name}", "missing", "This is needed.") for name in _NEEDED if getattr(item, name) is None]
    if faults:
        return invalid(*faults)
    named = {name for name in item.model_fields_set if not (name in _NEVER_NULL and getattr(item, name) is None)}
    values = item.model_dump(exclude={"service_keys"}) | {"service_ids": service_ids, "cancellation_reason": None}
    told = {name: values[name] if row is None or name in named else row[name] for name in SPAN_FIELDS}
    spans = Spans(**told | {"announced_at": told["announced_at"] or now})
    faults = spans.faults(now)
    if faults:
        return invalid(*faults)
    state = item.state or (spans.state if row is None else row["state"])
    values |= {name: getattr(spans, name) for name in SPAN_FIELDS} | {"state": state}
    return Upsert(
        values=values,
        named=frozenset((named - _SERVICES) | ({"service_ids"} if named & _SERVICES else set())),
        change=change_of(row, state, actor=actor),
    )


def _services(item: MaintenanceWindowItem, row: Any, services: Known) -> tuple[list[str], list[Fault]]:
    """Return the services of an item, each once; a known window may leave them unsaid."""
    if item.service_ids is None and item.service_keys is None:
        if row is not None:
            return row["service_ids"], []
        return [], [Fault("/service_ids", "missing", "The services are named by service_ids or service_keys.")]
    found: dict[str, None] = {}
    faults: list[Fault] = []
    wanted = [("service_ids", place, id_, None) for place, id_ in enumerate(item.service_ids or ())]
    by_key = [("service_keys", place, None, key) for place, key in enumerate(item.service_keys or ())]
    for name, place, id_, key in [*wanted, *by_key]:
        service = services.id_of(id_, key)
        if isinstance(service, Rejection):
            faults.append(Fault(f"/{name}/{place}", "reference-unknown", "There is no such service."))
        else:
            found[str(service)] = None
    return list(found), faults


def steps(upserts: Sequence[Upsert | Rejection], results: Sequence[Result], now: datetime) -> list[Entry]:
    """Return the steps of history that a batch has made: how windows came, and which changed their state."""
    entries: list[Entry] = []
    for upsert, result in zip(upserts, results, strict=True):
        if not isinstance(upsert, Upsert) or not result.written or result.id is None:
            continue
        before = result.before["state"] if result.before else None
        state = upsert.values["state"]
        if before != state and (before is None or "state" in upsert.named):
            entries.append(Entry(resource_id=result.id, at=now, from_state=before, to_state=state))
    return entries
