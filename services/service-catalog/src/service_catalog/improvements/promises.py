"""What an improvement came from, and what it promises, as they are kept."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from chassis.rejection import Fault
from chassis.schemas import instant_text
from service_catalog.improvements.schemas import BenefitChanges, Origin

NO_ORIGIN: dict[str, Any] = {"origin_type": None, "origin_id": None, "origin_incident_id": None}
_NEEDED = ("kpi", "target")


def origin_columns(origin: Origin | None, faults: list[Fault]) -> dict[str, Any]:
    """Return the columns of an origin; one that is an incident names it by its id."""
    if origin is None:
        return NO_ORIGIN
    columns: dict[str, Any] = {"origin_type": origin.type, "origin_id": origin.id, "origin_incident_id": None}
    if origin.type == "incident":
        try:
            columns["origin_incident_id"] = UUID(origin.id)
        except ValueError:
            faults.append(Fault("/origin/id", "reference-unknown", "An incident is named by its id."))
    return columns


def benefit_document(
    changes: BenefitChanges | None, present: Mapping[str, Any] | None, faults: list[Fault]
) -> dict[str, Any] | None:
    """Return a benefit as it is kept: what was sent over what is there."""
    if changes is None:
        return None
    document = {"kpi": None, "before_window": None, "target": None} | dict(present or {})
    for name in changes.model_fields_set:
        document[name] = getattr(changes, name)
    window = document["before_window"]
    if window is not None and not isinstance(window, Mapping):
        if window.until <= window.since:
            faults.append(Fault("/benefit/before_window/to", "before-start", "A window ends after its start."))
        document["before_window"] = {"from": instant_text(window.since), "to": instant_text(window.until)}
    if document["target"] is not None and not isinstance(document["target"], str):
        document["target"] = format(document["target"], "f")
    missing = [name for name in _NEEDED if document[name] is None]
    faults += [
        Fault(f"/benefit/{name}", "missing", "A benefit says which KPI reaches which value.") for name in missing
    ]
    return document
