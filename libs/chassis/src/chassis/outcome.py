"""What an operation wrote, and what a reader is shown."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

Mode = Literal["atomic", "independent"]
"""What becomes of a batch of which an item is refused: nothing is written, or the others are."""


@dataclass(frozen=True, slots=True)
class Written:
    """The result of a write: the representation as JSON text, its version, and the last event it caused.

    `location` is the path below `/v1` of a resource that was created; None says it existed before.
    `version` and `id` are None where the result is not one resource (a batch).
    """

    body: str
    id: UUID | None = None
    version: int | None = None
    event_id: UUID | None = None
    location: str | None = None
    replayed: bool = False

    @property
    def created(self) -> bool:
        """Whether the resource is new."""
        return self.location is not None


@dataclass(frozen=True, slots=True)
class Found:
    """One resource as JSON text with its version; version None marks what is computed and has none."""

    body: str
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: the items as a JSON array's text, the cursor of the next page, perhaps a total."""

    items: str
    next: str | None = None
    count: int | None = None


class Replayed(Exception):  # noqa: N818  (not an error: the answer was given before)
    """Says that a request with this idempotency key took effect before; carries the answer it was given."""

    def __init__(self, outcome: Written) -> None:
        super().__init__("answered before")
        self.outcome = outcome
