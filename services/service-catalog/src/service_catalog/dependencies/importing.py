"""How the items of a batch of dependencies are written, given what is known already."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chassis.batch import Identity, Upsert, identity_of
from chassis.rejection import Fault, Rejection, invalid
from service_catalog.dependencies import soundness
from service_catalog.dependencies.schemas import DependencyItem
from service_catalog.dependencies.tables import DEPENDENCIES
from service_catalog.services.directory import Known

_ENDS = ("service_id", "depends_on_id")
_NAMES = ("service", "depends_on")


@dataclass(frozen=True, slots=True)
class Said:
    """What an item says: the values of its columns, and which of them were sent beside the ends."""

    values: Mapping[str, Any]
    sent: frozenset[str]

    @property
    def identity(self) -> Identity | None:
        """What its dependency is found by."""
        return identity_of(DEPENDENCIES, self.values)


def said(item: DependencyItem | Rejection, services: Known) -> Said | Rejection:
    """Return what an item says, or why it makes no sense; with an external id it may leave its ends unsaid."""
    if isinstance(item, Rejection):
        return item
    values = item.model_dump(exclude={f"{name}_key" for name in _NAMES})
    faults: list[Fault] = []
    for name in _NAMES:
        id_, key = getattr(item, f"{name}_id"), getattr(item, f"{name}_key")
        if id_ is not None or key is not None:
            found = services.id_of(id_, key, name)
            faults += found.faults if isinstance(found, Rejection) else []
            values[f"{name}_id"] = found
        elif item.external_id is None:
            faults.append(_missing(f"{name}_id"))
    if not faults and values["service_id"] is not None and values["service_id"] == values["depends_on_id"]:
        faults.append(soundness.itself("/depends_on_id" if item.depends_on_id else "/depends_on_key"))
    unsaid = {f"{name}_{what}" for name in _NAMES for what in ("id", "key")} | (
        {"type"} if item.type is None else set()
    )
    return invalid(*faults) if faults else Said(values, frozenset(item.model_fields_set - unsaid))


def drafted(
    item: Said | Rejection, known: Mapping[Any, Any], cards: Mapping[UUID, Mapping[str, Any]]
) -> Upsert | Rejection:
    """Return how an item is written, or why not; between which services a known one is never changes."""
    if isinstance(item, Rejection):
        return item
    row, values = known.get(item.identity), item.values
    if row is not None:
        moved = [name for name in _ENDS if values[name] not in {None, row[name]}]
        if moved:
            return invalid(
                *(Fault(f"/{name}", "immutable", "The ends of a dependency never change.") for name in moved)
            )
        return Upsert(values={**values, **{name: row[name] for name in _ENDS}}, named=item.sent)
    missing = [name for name in (*_ENDS, "type") if values[name] is None]
    if missing:
        return invalid(*map(_missing, missing))
    return soundness.over(cards[values["depends_on_id"]]) or Upsert(values=values, named=item.sent)


def _missing(name: str) -> Fault:
    return Fault(f"/{name}", "missing", "This is needed.")
