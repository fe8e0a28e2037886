"""The events of a sibling by the noun in their type; every verb tells the whole resource, `deleted` that it is gone."""

import re
from collections.abc import Iterator, Mapping
from functools import partial

from chassis.database import Transaction
from chassis.events.envelope import Event
from chassis.events.handling import Handling, projection
from kpi_engine.facts.projections import OF_PROJECTS, OF_SERVICES, Projection
from kpi_engine.facts.writing import Version, keep

SERVICE_CATALOG = "service-catalog"
PROJECT_TRACKER = "project-tracker"
_NOUNS: Mapping[str, Mapping[str, Projection]] = {SERVICE_CATALOG: OF_SERVICES, PROJECT_TRACKER: OF_PROJECTS}
_TYPE = re.compile(r"tandem\.([a-z_]+)\.(?:[a-z_]+\.v1|\*)")
_DELETED = ".deleted.v1"


class ByNoun(Mapping[str, Handling]):
    """Handlings by event type, whatever the verb; the names it lists are patterns such as `tandem.outage.*`."""

    def __init__(self, handlings: Mapping[str, Handling]) -> None:
        self._handlings = dict(handlings)
        self._by_type: dict[str, Handling] = {}

    def __getitem__(self, event_type: str) -> Handling:
        """Return how events of a type, or of a pattern, are handled."""
        known = self._by_type.get(event_type)
        if known is None:
            found = _TYPE.fullmatch(event_type)
            if found is None:
                raise KeyError(event_type)
            known = self._by_type[event_type] = self._handlings[found[1]]
        return known

    def __iter__(self) -> Iterator[str]:
        """List the patterns."""
        return (f"tandem.{noun}.*" for noun in self._handlings)

    def __len__(self) -> int:
        """Count the patterns."""
        return len(self._handlings)


def handlers_of(source: str, filling: int) -> ByNoun:
    """Return what a source's events do to one filling of the facts."""
    nouns = _NOUNS[source]
    return ByNoun(
        {noun: projection(partial(_keep, source=source, filling=filling, kind=kind)) for noun, kind in nouns.items()}
    )


def handlers_received(source: str, filling: int) -> Mapping[str, Handling]:
    """Return what a source's events do when they are delivered; nothing if it is none that is known."""
    return handlers_of(source, filling) if source in _NOUNS else {}


async def _keep(tx: Transaction, events: list[Event], *, source: str, filling: int, kind: Projection) -> int:
    return await keep(tx, kind, [version_of(event) for event in events], source=source, filling=filling)


def version_of(event: Event) -> Version:
    """Read an event of a resource as one version of it."""
    if event.aggregateversion is None or event.subject is None or not isinstance(event.data, dict):
        raise ValueError("the event does not tell a version of a resource")
    return Version(
        id=event.subject.rpartition("/")[2],
        epoch=int((event.sequence or "").partition(".")[0]),
        number=event.aggregateversion,
        deleted=event.type.endswith(_DELETED),
        happened_at=event.time,
        data=event.data,
    )
