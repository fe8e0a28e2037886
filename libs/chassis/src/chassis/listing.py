"""What a client asks of a list."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a client asks of a list: equality or `_from` (inclusive) and `_to` (exclusive) of named columns, and more.

    `filters` holds only what was asked; a list as value means any of them. `empty` names fields that have no value.
    `owner` is the id of the resource whose part the collection is.
    """

    limit: int = 50
    after: str | None = None
    sort: str | None = None
    filters: Mapping[str, Any] = field(default_factory=dict)
    owner: UUID | None = None
    empty: tuple[str, ...] = ()
    updated_since: datetime | None = None
    q: str | None = None
    fields: tuple[str, ...] | None = None
    count: bool = False

    def question(self, org: str, collection: str) -> str:
        """Return what binds a cursor: the same organisation's list, in the same order with the same filters."""
        parts = [
            org,
            collection,
            self.sort,
            sorted(self.filters.items()),
            self.owner,
            self.updated_since,
            self.q,
            *self.empty,
        ]
        return hashlib.sha256(repr(parts).encode()).hexdigest()
