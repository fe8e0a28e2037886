"""How the items of a batch of catalogue items are written, given what is known already."""

from collections.abc import Mapping, Sequence
from typing import Any

from chassis.batch import Upsert, identity_of
from chassis.past import Draft
from chassis.rejection import Fault, Rejection, invalid
from chassis.transitions import change_of
from service_catalog.catalogue_items.changing import NO_FORM, columns_of, faults_of
from service_catalog.catalogue_items.lifecycle import LIFECYCLE
from service_catalog.catalogue_items.schemas import CatalogueItemItem
from service_catalog.catalogue_items.tables import CATALOGUE_ITEMS
from service_catalog.services.directory import Known

_NEVER_NULL = frozenset({"name", "state"})
_SERVICE = frozenset({"service_id", "service_key"})
_BESIDE = {"price": {"price_amount", "price_currency"}, "form_schema": {"form_schema", "form_version"}}


def needs_import(items: Sequence[CatalogueItemItem]) -> bool:
    """Whether some item tells of the past."""
    return any("state" in item.model_fields_set for item in items)


def drafted(
    item: CatalogueItemItem | Rejection, known: Mapping[Any, Any], services: Known, *, actor: str
) -> Draft | Rejection:
    """Return how an item is written, or why not."""
    if isinstance(item, Rejection):
        return item
    row = known.get(identity_of(CATALOGUE_ITEMS, vars(item)))
    service = services.service_of(item, row)
    faults = list(service.faults) if isinstance(service, Rejection) else []
    if row is None and item.name is None:
        faults.append(Fault("/name", "missing", "This is needed."))
    if row is not None:
        faults += _moved(item, row, service)
    named = {name for name in item.model_fields_set if not (name in _NEVER_NULL and getattr(item, name) is None)}
    before = row or NO_FORM | {"state": LIFECYCLE.initial}
    state = item.state or before["state"]
    values = columns_of({name: getattr(item, name) for name in type(item).model_fields if name not in _SERVICE}, before)
    told = values if row is None else {name: values[name] for name in named & {"form_schema"}}
    faults += faults_of(told, before, state)
    if faults:
        return invalid(*faults)
    columns = set().union(*(_BESIDE.get(name, {name}) for name in named - _SERVICE))
    values |= {"service_id": service, "state": state}
    return Draft(Upsert(values=values, named=frozenset(columns), change=change_of(row, state, actor=actor)))


def _moved(item: CatalogueItemItem, row: Any, service: Any) -> list[Fault]:
    """Return which of what never changes an item would change."""
    faults = []
    if row["key"] != item.key:
        faults.append(Fault("/key", "immutable", "The key of a catalogue item never changes."))
    if not isinstance(service, Rejection) and row["service_id"] != service:
        place = "/service_id" if item.service_id is not None else "/service_key"
        faults.append(Fault(place, "immutable", "The service of a catalogue item never changes."))
    return faults
