"""Reading one's own writes across services: wait until a sibling's event has been read here."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Header
from starlette.requests import Request

from chassis.caller import Caller
from chassis.database import Database, Reading
from chassis.events.position import Position
from chassis.events.preference import wait_preferred
from chassis.events.progress import FIRST_PROJECTION, CursorRow
from chassis.events.sibling import FeedAwayError, NotKeptError, Sibling, UnknownEventError
from chassis.http.idempotency import needs
from chassis.rejection import Fault, Rejection, invalid

WAIT_SECONDS = 5.0
WAIT_SECONDS_MAX = 30.0
POLL_SECONDS = 0.02
LOOKUP_SECONDS_MIN = 1.0  # also who will not wait may ask the sibling
EVENTS_MAX = 20
HEADER = "After-Event"


@dataclass(frozen=True, slots=True)
class Awaited:
    """An event of a sibling that a caller wants to find applied."""

    source: str
    event_id: UUID


def parse(header: str) -> list[Awaited]:
    """Read `service-catalog/<event id>`, several between commas."""
    awaited = []
    for piece in header.split(","):
        source, _, event_id = piece.strip().rpartition("/")
        try:
            awaited.append(Awaited(source, UUID(event_id)))
        except ValueError:
            raise invalid(Fault(HEADER, "after-event-malformed", "An event is named <service>/<event id>.")) from None
    if len(awaited) > EVENTS_MAX:
        raise invalid(Fault(HEADER, "too-many-events", f"At most {EVENTS_MAX} events can be waited for."))
    return awaited


class OwnWrites:
    """Waits until events of siblings have been applied here.

    `projection` asks the database which projection answers reads at the moment.
    """

    def __init__(
        self,
        runtime: Database,
        siblings: Mapping[str, Sibling],
        *,
        projection: Callable[[Reading], Awaitable[int]] | None = None,
    ) -> None:
        self._runtime = runtime
        self._siblings = siblings
        self._projection = projection

    async def __call__(
        self,
        request: Request,
        after_event: Annotated[
            str | None,
            Header(
                max_length=2000,
                description="Answer only when these events of siblings are applied: `<service>/<event id>`, …",
            ),
        ] = None,
    ) -> None:
        """Hold a request back until what its `After-Event` names is applied; for `Depends`."""
        if after_event is not None:
            preferred = wait_preferred(request.headers.getlist("prefer"), seconds_max=WAIT_SECONDS_MAX)
            seconds = WAIT_SECONDS if preferred is None else preferred
            named = ",".join(request.headers.getlist(HEADER))  # sent twice it is one list, says HTTP
            await self.wait(parse(named), needs().check(request).org, seconds)

    async def wait(self, awaited: list[Awaited], org: str, seconds: float = WAIT_SECONDS) -> None:
        """Return when all events, which are of an organisation, are applied.

        Refuses as `unknown-event` what no sibling knows of it, and as `not-caught-up` what takes longer.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        for event in awaited:
            if not await self._is_applied(event, org, deadline):
                raise Rejection(
                    "unavailable", "not-caught-up", "Not everything has been read yet.", retry_after_seconds=1
                )

    async def _is_applied(self, awaited: Awaited, org: str, deadline: float) -> bool:
        """Wait for one event; False when there is no time left."""
        sibling = self._siblings.get(awaited.source)
        if sibling is None:
            raise _unknown()
        loop = asyncio.get_running_loop()
        position: Position | None = None
        while True:
            if position is None:
                try:
                    async with asyncio.timeout_at(max(deadline, loop.time() + LOOKUP_SECONDS_MIN)):
                        position = await sibling.whereabouts(awaited.event_id, org)
                except UnknownEventError:
                    raise _unknown() from None
                except NotKeptError:
                    return True
                except (FeedAwayError, TimeoutError):
                    position = None
            if position is not None and await self._has_read(awaited.source, position):
                return True
            if loop.time() >= deadline:
                return False
            await asyncio.sleep(POLL_SECONDS)

    async def _has_read(self, source: str, position: Position) -> bool:
        async with self._runtime.read(Caller(org="", subject="own-writes")) as tx:
            answering = FIRST_PROJECTION if self._projection is None else await self._projection(tx)
            cursor = await CursorRow(source, answering).read(tx)
        return cursor is not None and cursor.position.epoch == position.epoch and cursor.position >= position


def _unknown() -> Rejection:
    return Rejection(
        "invalid",
        "unknown-event",
        "There is no such event of this service, or no such service.",
        faults=[Fault(HEADER, "unknown-event", "No sibling read here has this event.")],
    )
