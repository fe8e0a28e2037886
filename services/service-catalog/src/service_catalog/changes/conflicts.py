"""What a change conflicts with: what claims the same services, or ones they hang on, at the same time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from chassis.schemas import instant_text

Kind = Literal["change", "maintenance_window"]
_COLLECTIONS: Mapping[Kind, str] = {"change": "changes", "maintenance_window": "maintenance-windows"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A change or a maintenance window that overlaps a change.

    `shared` are the services of both; `linked` are those of the other one that are a hard dependency away.
    """

    kind: Kind
    id: UUID
    title: str | None
    state: str
    planned_start: datetime
    planned_end: datetime
    approved_at: datetime | None
    shared: tuple[str, ...]
    linked: tuple[str, ...]

    @classmethod
    def of(cls, kind: Kind, row: Any, own: frozenset[UUID], around: frozenset[UUID]) -> Self:
        """Return the conflict with a row, seen from the services of a change and those around them."""
        services = [UUID(id_) for id_ in row["service_ids"]]
        return cls(
            kind=kind,
            id=row["id"],
            title=row["title"],
            state=row["state"],
            planned_start=row["planned_start"],
            planned_end=row["planned_end"],
            approved_at=row["approved_at"] if kind == "change" else None,
            shared=tuple(str(id_) for id_ in services if id_ in own),
            linked=tuple(str(id_) for id_ in services if id_ in around - own),
        )

    @property
    def name(self) -> str:
        """The path of what is in conflict."""
        return f"{_COLLECTIONS[self.kind]}/{self.id}"

    def is_in_the_way_of(self, change: Mapping[str, Any]) -> bool:
        """Tell whether a change has to give way: always, but to a change that was only approved, and later.

        So of two that were approved for one time, the one approved first gets it.
        """
        if self.state != "approved" or self.approved_at is None or change["approved_at"] is None:
            return True
        return (self.approved_at, self.id) < (change["approved_at"], change["id"])

    def document(self, change: Mapping[str, Any]) -> dict[str, Any]:
        """Return the conflict as clients see it."""
        return {
            "kind": self.kind,
            "id": str(self.id),
            "title": self.title,
            "state": self.state,
            "planned_start": instant_text(self.planned_start),
            "planned_end": instant_text(self.planned_end),
            "shared_service_ids": list(self.shared),
            "linked_service_ids": list(self.linked),
            "in_the_way": self.is_in_the_way_of(change),
        }
