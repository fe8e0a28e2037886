"""What an improvement came from, and what it promises, as they are kept."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from chassis.rejection import Fault
from chassis.schemas import instant_text
from service_catalog.improvements.schemas import BenefitChanges, Origin

NO_ORIGIN: dict[str, Any] = {"origin_type": None, "origin_id": None, "origin_incident_id": None}
_NEEDED = ("kpi", "target")


def problems_named(origins: Iterable[Origin | None]) -> set[UUID]:
    """Return the problems that these origins name."""
    ids = (_id_of(origin) for origin in origins if origin is not None and origin.type == "problem")
    return {id_ for id_ in ids if id_ is not None}


def origin_columns(origin: Origin | None, problems: Collection[UUID], faults: list[Fault]) -> dict[str, Any]:
    """Return the columns of an origin; an incident or a problem is named by its id. `problems` are those there are."""
    if origin is None:
        return NO_ORIGIN
    columns: dict[str, Any] = {"origin_type": origin.type, "origin_id": origin.id, "origin_incident_id": None}
    if origin.type == "incident":
        columns["origin_incident_id"] = _id_of(origin)
        if columns["origin_incident_id"] is None:
            faults.append(Fault("/origin/id", "reference-unknown", "An incident is named by its id."))
    if origin.type == "problem" and _id_of(origin) not in problems:
        faults.append(Fault("/origin/id", "reference-unknown", "There is no such problem; it is named by its id."))
    return columns


def _id_of(origin: Origin) -> UUID | None:
    try:
        return UUID(origin.id)
    except ValueError:
        return None


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
