"""The events of siblings, and the operations they lead to."""

from collections.abc import Callable

from chassis.database import Transaction
from chassis.events.envelope import Event
from chassis.events.handling import Handlers, data_of, effect
from service_catalog.handovers.operations import Handovers
from service_catalog.handovers.schemas import RequestedHandover

PROJECT_TRACKER = "project-tracker"


def consumed(handovers: Handovers) -> Callable[[str, int], Handlers]:
    """Return the function that gives the handlers of a source; there are none of one that is not known.

    All are effects: each event takes effect once, however often the source is read.
    """

    async def requested(tx: Transaction, events: list[Event]) -> int:
        (event,) = events
        return int(await handovers.receive(tx, data_of(event, RequestedHandover)))

    of_sources: dict[str, Handlers] = {PROJECT_TRACKER: {"tandem.handover.requested.v1": effect(requested)}}
    return lambda source, _projection: of_sources.get(source, {})
