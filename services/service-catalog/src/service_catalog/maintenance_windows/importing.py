"""How the items of a batch of maintenance windows are written, given what is known already."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chassis.batch import Upsert, identity_of
from chassis.past import Draft
from chassis.rejection import Fault, Rejection, invalid
from chassis.transitions import change_of
from service_catalog.maintenance_windows.schemas import MaintenanceWindowItem
from service_catalog.maintenance_windows.spans import SPAN_FIELDS, Spans
from service_catalog.maintenance_windows.tables import WINDOWS
from service_catalog.services.directory import Known
from service_catalog.services.membership import services_of_item

_NEVER_NULL = frozenset({"planned_start", "planned_end", "announced_at", "state"})
_NEEDED = ("planned_start", "planned_end")
_SERVICES = frozenset({"service_ids", "service_keys"})


def drafted(
    item: MaintenanceWindowItem | Rejection, known: Mapping[Any, Any], services: Known, *, now: datetime, actor: str
) -> Draft | Rejection:
    """Return how an item is written, or why not."""
    if isinstance(item, Rejection):
        return item
    row = known.get(identity_of(WINDOWS, vars(item)))
    service_ids, faults = services_of_item(item.service_ids, item.service_keys, row, services)
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
    columns = (named - _SERVICES) | ({"service_ids"} if named & _SERVICES else set())
    return Draft(Upsert(values=values, named=frozenset(columns), change=change_of(row, state, actor=actor)))
