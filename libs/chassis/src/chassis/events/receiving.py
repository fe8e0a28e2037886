"""Events that are delivered: by brokers, monitors and other people's automation, to the handlers of the pull loop."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from chassis.caller import EVERY_ORGANISATION, ORGANISATION, Caller
from chassis.database import Database
from chassis.events.applying import apply_each
from chassis.events.envelope import Event
from chassis.events.handling import Handlers
from chassis.events.progress import FIRST_PROJECTION
from chassis.events.schemas import Received
from chassis.metrics import process_metrics
from chassis.rejection import Rejection

EVENTS_MAX = 1000
LOCK_WAIT_MS = 2000  # how long to wait for whoever is writing the same at this moment


@dataclass(frozen=True, slots=True)
class Receiving:
    """Applies what is delivered as if it had been read, exactly once together with the pull loop.

    `handlers` gives those of a source, none for one that nobody here knows; `projection` says which projection
    answers reads at the moment.
    """

    runtime: Database
    worker: Database
    handlers: Callable[[str, int], Handlers]
    projection: Callable[[], int] = lambda: FIRST_PROJECTION

    async def receive(self, caller: Caller, events: Sequence[Event]) -> Received:
        """Apply events of the caller's organisation, all in one transaction; what will never apply is put away.

        A caller of every organisation delivers for those that the events name. Refuses as `busy` what is being
        applied at this moment, and as `unavailable` what cannot be applied now.
        """
        if len(events) > EVENTS_MAX:
            raise Rejection("too_large", "batch-too-large", f"At most {EVENTS_MAX} events are taken at once.")
        owned = [_owned(event, caller) for event in events]
        counts: Counter[str] = Counter()
        pool = self.worker if caller.org == EVERY_ORGANISATION else self.runtime
        projection = self.projection()
        async with pool.begin(caller) as tx:
            await tx.connection.execute(f"SET LOCAL lock_timeout = {LOCK_WAIT_MS}")
            for source, run in groupby(owned, key=lambda event: event.source.removeprefix("/")):
                delivered, handlers = list(run), self.handlers(source, projection)
                known = [event for event in delivered if event.type in handlers]
                counts["unknown"] += len(delivered) - len(known)
                counts.update(await apply_each(tx, source, known, handlers, projection=projection))
        for outcome, number in counts.items():
            process_metrics().events_received.labels(outcome).inc(number)
        return Received(**{name: counts[name] for name in Received.model_fields})


def _owned(event: Event, caller: Caller) -> Event:
    """Return an event with its organisation: the one it names, which is the caller's unless that is every one."""
    org = event.orgid or caller.org
    if caller.org not in {org, EVERY_ORGANISATION}:
        raise Rejection("forbidden", "organisation-foreign", "An event is of another organisation.")
    if not ORGANISATION.fullmatch(org):
        raise Rejection("malformed", "organisation-missing", "An event names no organisation.")
    return event.model_copy(update={"orgid": org})
