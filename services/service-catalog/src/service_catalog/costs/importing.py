"""How the items of a batch of costs are written, given what is known already."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from chassis.batch import Upsert, identity_of
from chassis.rejection import Fault, Rejection, invalid
from service_catalog.costs.accounting import faults_of
from service_catalog.costs.schemas import CostItem
from service_catalog.costs.tables import COSTS
from service_catalog.services.directory import Known

NEEDED = ("category", "nature", "amount", "period_start", "period_end")
_SERVICE = frozenset({"service_id", "service_key"})
_JUDGED = ("nature", "useful_life_months", "period_start", "period_end")
REVERSED = Rejection("conflict", "cost-reversed", "A cost that was reversed stays as it is.")


def drafted(
    item: CostItem | Rejection, known: Mapping[Any, Any], services: Known, reversed_ids: Collection[UUID]
) -> Upsert | Rejection:
    """Return how an item is written, or why not."""
    if isinstance(item, Rejection):
        return item
    row = known.get(identity_of(COSTS, vars(item)))
    service = services.service_of(item, row)
    missing = [name for name in NEEDED if row is None and getattr(item, name) is None]
    if isinstance(service, Rejection) or missing:
        faults = list(service.faults) if isinstance(service, Rejection) else []
        return invalid(*faults, *(Fault(f"/{name}", "missing", "This is needed.") for name in missing))
    named = {name for name in item.model_fields_set - _SERVICE if not (name in NEEDED and getattr(item, name) is None)}
    values: dict[str, Any] = {name: getattr(item, name) for name in type(item).model_fields if name not in _SERVICE}
    amount = values.pop("amount")
    values |= {"service_id": service, "reversal_of": None}
    values |= {"amount": amount.amount, "currency": amount.currency} if amount else {"amount": None, "currency": None}
    faults = faults_of(*(values[name] if row is None or name in named else row[name] for name in _JUDGED))
    if faults:
        return invalid(*faults)
    named |= {"currency"} if "amount" in named else set()
    named |= {"service_id"} if item.model_fields_set & _SERVICE else set()
    if row is not None and row["id"] in reversed_ids and any(row[name] != values[name] for name in named):
        return REVERSED
    return Upsert(values=values, named=frozenset(named))
