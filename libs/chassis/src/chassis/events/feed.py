"""Reading the log of this service: pages of events after a position, and where one event stands."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis.caller import EVERY_ORGANISATION, Caller
from chassis.database import Database, Reading, Statement
from chassis.events.envelope import event_as_json
from chassis.events.head import HeadWatcher
from chassis.events.position import Position
from chassis.events.schemas import Whereabouts
from chassis.http.draining import Drain
from chassis.rejection import Rejection

PAGE_MAX = 1000
PAGE_USUAL = 100
WAIT_SECONDS_MAX = 30.0
UUID_TIME_SHIFT = 80

# Head and events are of one snapshot, so that an unfilled page says: there is nothing more up to this head.
# The log is walked in its order and types are looked at on the way (OFFSET 0): guessing that few events are of these
# types, the planner would read and sort all that follow.
_PAGE = """
    SELECT head.epoch, head.position AS head, head.kept_from, page.body, page.events, page.last
    FROM event_head AS head CROSS JOIN LATERAL (
        SELECT string_agg({body}, ',' ORDER BY event.position) AS body,
               count(*) AS events, max(event.position) AS last
        FROM (
            SELECT * FROM (
                SELECT * FROM event_log
                WHERE position > coalesce(cast(:after AS bigint), head.kept_from - 1)
                ORDER BY position OFFSET 0
            ) AS event {of_types}
            ORDER BY position LIMIT cast(:size AS bigint)
        ) AS event
    ) AS page
"""
_OF_TYPES = "WHERE type LIKE ANY (cast(:types AS text[]))"
_HEAD = Statement(text("SELECT epoch, position AS head, kept_from FROM event_head"))
_WHERE = Statement(
    text(
        """SELECT head.epoch, head.kept_since, known.org, known.position
        FROM event_head AS head
        LEFT JOIN (
            SELECT org, position FROM event_log WHERE id = cast(:id AS uuid)
            UNION ALL
            SELECT org, NULL FROM event_pending WHERE id = cast(:id AS uuid)
            LIMIT 1
        ) AS known ON true"""
    )
)


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Events as a JSON array's text; `next` is where to go on from, `head` how far the log went."""

    body: str
    events: int
    next: Position
    head: Position


class Feed:
    """The log as a caller may see it: its own organisation's events, or all with a token of every organisation.

    When `drain` has begun nobody is kept waiting any more.
    """

    def __init__(
        self,
        source: str,
        *,
        runtime: Database,
        worker: Database,
        watcher: HeadWatcher,
        drain: Drain | None = None,
    ) -> None:
        self._runtime = runtime
        self._worker = worker
        self._watcher = watcher
        self._drain = drain or Drain()
        body = event_as_json(source, "event", "head.epoch")
        self._all = Statement(text(_PAGE.format(body=body, of_types="")))
        self._some = Statement(text(_PAGE.format(body=body, of_types=_OF_TYPES)))

    async def page(
        self,
        caller: Caller,
        *,
        after: Position | None = None,
        types: Sequence[str] = (),
        limit: int = PAGE_USUAL,
        wait_seconds: float = 0.0,
    ) -> FeedPage:
        """Return the events after a position, waiting for the first one if there is none yet.

        Without a position the page starts with the oldest event kept. Refuses a position of another epoch as
        `epoch-changed` and one older than what is kept as `not-kept`.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + min(wait_seconds, WAIT_SECONDS_MAX)
        while True:
            page = await self._read(caller, after, types, limit)
            remaining = deadline - loop.time()
            if page.events or remaining <= 0 or self._drain.is_begun:
                return page
            after = page.next
            await self._watcher.beyond(page.head, remaining)

    async def _read(self, caller: Caller, after: Position | None, types: Sequence[str], limit: int) -> FeedPage:
        statement = self._some if types else self._all
        values: dict[str, Any] = {"after": after.number if after else None, "size": limit}
        if types:
            values["types"] = [_pattern(name) for name in types]
        async with self._pool(caller).read(caller) as tx:
            row = await tx.one(statement, **values)
        head = Position(row["epoch"], row["head"])
        if after is not None:
            _refuse_elsewhere(after, head, row["kept_from"])
        reached = row["last"] if row["events"] == limit else row["head"]
        return FeedPage(f"[{row['body'] or ''}]", row["events"], Position(head.epoch, reached), head)

    async def head(self, caller: Caller) -> Position:
        """Return how far the log goes."""
        async with self._pool(caller).read(caller) as tx:
            return await read_head(tx)

    async def whereabouts(self, caller: Caller, event_id: UUID) -> Whereabouts:
        """Return where an event stands.

        Refuses an event nobody knows as `not-found`, and one from before what is kept as `not-kept`.
        """
        async with self._pool(caller).read(caller) as tx:
            row = await tx.one(_WHERE, id=event_id)
            if row["org"] is None:
                if row["kept_since"] is not None and _made_at(event_id) < row["kept_since"].timestamp():
                    raise Rejection("gone", "not-kept", "Events this old are no longer kept.")
                raise Rejection("not_found", "not-found", "There is no such event.")
        return Whereabouts(epoch=row["epoch"], position=row["position"], orgid=row["org"])

    def _pool(self, caller: Caller) -> Database:
        return self._worker if caller.org == EVERY_ORGANISATION else self._runtime


async def read_head(tx: Reading) -> Position:
    """Return how far the log goes, as any role sees it."""
    row = await tx.one(_HEAD)
    return Position(row["epoch"], row["head"])


def _refuse_elsewhere(after: Position, head: Position, kept_from: int) -> None:
    """Refuse a position from which reading on would leave a gap."""
    if after.epoch != head.epoch or after.number > head.number:
        raise Rejection(
            "conflict",
            "epoch-changed",
            "This position is of another epoch of the log; compare what you know with the lists.",
            extra={"head": str(head)},
        )
    if after.number < kept_from - 1:
        start = Position(head.epoch, kept_from - 1)
        raise Rejection(
            "gone",
            "not-kept",
            "Events this old are no longer kept.",
            extra={"head": str(head), "start": str(start)},
        )


def _pattern(name: str) -> str:
    """Return what LIKE takes for a type, or for all types that begin with what stands before a `*`."""
    exact = name.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{exact[:-1]}%" if exact.endswith("*") else exact


def _made_at(event_id: UUID) -> float:
    """Return the Unix time inside a UUIDv7; in one that somebody made up it may be later than any date."""
    return (event_id.int >> UUID_TIME_SHIFT) / 1000
