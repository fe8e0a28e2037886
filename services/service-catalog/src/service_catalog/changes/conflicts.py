"""What a change conflicts with: what claims the same services, or ones they hang on, at the same time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from service_catalog.clocks.documents import text_of

Kind = Literal["change", "maintenance_window"]
_COLLECTIONS: Mapping[Kind, str] = {"change": "changes", "maintenance_window": "maintenance-windows"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A change or a maintenance window that overlaps a change.

    `begin` is when it begins, or really began; `overrun` says that it goes on past its planned end. `shared` are the
    services of both; `linked` are those of the other one that are a hard dependency away.
    """

    kind: Kind
    id: UUID
    title: str | None
    state: str
    begin: datetime
    planned_start: datetime | None
    planned_end: datetime | None
    actual_start: datetime | None
    overrun: bool
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
            begin=row["begin"],
            planned_start=row["planned_start"],
            planned_end=row["planned_end"],
            actual_start=row["actual_start"],
            overrun=row["open"] and row["planned_end"] is not None,
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
            "planned_start": text_of(self.planned_start),
            "planned_end": text_of(self.planned_end),
            "actual_start": text_of(self.actual_start),
            "overrun": self.overrun,
            "shared_service_ids": list(self.shared),
            "linked_service_ids": list(self.linked),
            "in_the_way": self.is_in_the_way_of(change),
        }
