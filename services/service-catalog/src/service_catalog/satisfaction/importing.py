"""How the items of a batch of responses are written, given what is known already."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.batch import Upsert, identity_of
from chassis.rejection import Fault, Rejection, invalid
from service_catalog.incidents.directory import faults_of_incident
from service_catalog.satisfaction.moments import SETTLED, faults_of_answer, is_settled
from service_catalog.satisfaction.schemas import SurveyResponseItem
from service_catalog.satisfaction.tables import RESPONSES
from service_catalog.services.directory import Known

_SERVICE = frozenset({"service_id", "service_key"})
_NEVER_NULL = frozenset({"score", "answered_at"})


def drafted(
    item: SurveyResponseItem | Rejection,
    known: Mapping[Any, Any],
    services: Known,
    incidents: Mapping[UUID, UUID],
    *,
    now: datetime,
    may_import: bool,
) -> Upsert | Rejection:
    """Return how an item is written, or why not; what is settled changes by imports only.

    `incidents` are the services of those that are named or known.
    """
    if isinstance(item, Rejection):
        return item
    row = known.get(identity_of(RESPONSES, vars(item)))
    service = services.service_of(item, row)
    incident_id = item.incident_id if row is None or "incident_id" in item.model_fields_set else row["incident_id"]
    if isinstance(service, Rejection):
        faults = list(service.faults)
    else:
        faults = faults_of_incident(incident_id, service, incidents)
    if row is None and item.score is None:
        faults.append(Fault("/score", "missing", "This is needed."))
    if item.answered_at is not None:
        faults += faults_of_answer(item.answered_at, now)
    if faults:
        return invalid(*faults)
    values: dict[str, Any] = {name: getattr(item, name) for name in type(item).model_fields if name not in _SERVICE}
    values |= {"service_id": service, "invitation_id": None, "answered_at": item.answered_at or now}
    fields = item.model_fields_set
    named = {name for name in fields - _SERVICE if not (name in _NEVER_NULL and getattr(item, name) is None)}
    named |= {"service_id"} if fields & _SERVICE else set()
    if row is not None and not may_import and is_settled(row["answered_at"], now) and _differs(row, values, named):
        return SETTLED
    return Upsert(values=values, named=frozenset(named), at=values["answered_at"] if row is None else None)


def _differs(row: Mapping[str, Any], values: Mapping[str, Any], named: Iterable[str]) -> bool:
    return any(row[name] != values[name] for name in named if name != "labels")
