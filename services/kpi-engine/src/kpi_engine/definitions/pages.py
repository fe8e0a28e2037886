"""Pages of values, and of the facts behind one value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from chassis.caller import Caller
from chassis.cursors import CursorSeal
from kpi_engine.definitions.envelope import Envelope
from kpi_engine.definitions.questions import Question
from kpi_engine.facts.in_force import AsOf


@dataclass(frozen=True, slots=True)
class Answered:
    """Values, and the cursor of the subjects that follow."""

    envelopes: tuple[Envelope, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Facts behind one value, and the cursor of those that follow."""

    items: tuple[dict[str, Any], ...]
    next: str | None
    as_of: tuple[tuple[str, str], ...]


class EvidenceItem(Protocol):
    """One fact: where it stands in the order, which it is, and how it is shown."""

    @property
    def order(self) -> str:
        """The place in the order of the facts, the same each time."""

    @property
    def id(self) -> UUID:
        """The id of the resource the fact comes from."""

    def document(self) -> dict[str, Any]:
        """Write it as JSON."""


class Family(Protocol):
    """KPIs that are computed from the same facts."""

    async def values(self, caller: Caller, question: Question) -> Answered:
        """Return values in their envelopes."""

    async def evidence(self, caller: Caller, question: Question) -> Evidence:
        """Return the facts behind one value."""


def page_of_items(items: Iterable[EvidenceItem], question: Question, as_of: AsOf, seal: CursorSeal) -> Evidence:
    """Return the page of facts that the question asks for."""
    ordered = sorted(items, key=lambda item: (item.order, str(item.id)))
    if question.after is not None:
        order, id_ = seal.open(f"evidence {question.binding}", question.after)
        ordered = [item for item in ordered if (item.order, str(item.id)) > (order, str(id_))]
    page = ordered[: question.limit]
    following = None
    if len(ordered) > len(page):
        following = seal.seal(f"evidence {question.binding}", page[-1].order, page[-1].id)
    return Evidence(tuple(item.document() for item in page), following, as_of.positions)
