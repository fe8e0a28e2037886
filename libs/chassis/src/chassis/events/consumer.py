"""The pull loop: reads a sibling's log and applies each event exactly once."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from sqlalchemy import text

from chassis.caller import Caller
from chassis.database import Database, Statement, Transaction
from chassis.events.applying import apply_each
from chassis.events.envelope import Event
from chassis.events.handling import Handlers, apply_events, is_lasting, is_passing
from chassis.events.interruptions import DATABASE_AWAY
from chassis.events.leases import Lease, Leases
from chassis.events.position import Position
from chassis.events.progress import FIRST_PROJECTION, Cursor, CursorRow
from chassis.events.sibling import Batch, EpochChangedError, FeedAwayError, NotKeptError, Sibling
from chassis.metrics import turned
from chassis.rejection import Rejection

BATCH_SIZE = 500
WAIT_SECONDS = 20.0
AHEAD = 1  # batches that wait to be applied, beside the one that is fetched
PAUSE_SECONDS = 0.1
PAUSE_SECONDS_MAX = 15.0
STOPPED_POLL_SECONDS = 5.0
WINDOW = 1000
WINDOW_MIN = 20
QUARANTINED_SHARE_MAX = 0.05

Reconcile = Callable[[Transaction, int], Awaitable[None]]

_REMEMBER_ORGANISATIONS = Statement(
    text(
        """INSERT INTO event_organisation (source, org)
        SELECT cast(:source AS text), org FROM unnest(cast(:orgs AS text[])) AS org ON CONFLICT DO NOTHING"""
    )
)
_ORGANISATIONS = Statement(text("SELECT org FROM event_organisation WHERE source = :source ORDER BY org"))

log = logging.getLogger(__name__)


class StoppedError(Exception):
    """Reading on would do harm; somebody has to look at it."""


class CursorMovedError(Exception):
    """Another process has applied this batch."""


@dataclass(slots=True)
class Consumer:
    """Reads one sibling for one projection.

    The batch is fetched outside any transaction and applied in one that also moves the cursor, after checking that
    the cursor is still where the batch was asked from. `reconcile` is called for each organisation when a log of a
    new epoch has been read again up to where it then ended: what still carries an older epoch is unknown to the
    sibling by now. Where all handlers are projections, `can_be_repeated` spares waiting for the disk: what a crash
    takes back is taken back with its cursor, and read again.
    """

    database: Database
    sibling: Sibling
    handlers: Handlers
    projection: int = FIRST_PROJECTION
    batch_size: int = BATCH_SIZE
    wait_seconds: float = WAIT_SECONDS
    quarantined_share_max: float = QUARANTINED_SHARE_MAX
    can_be_repeated: bool = False
    reconcile: Reconcile | None = None
    _outcomes: deque[bool] = field(default_factory=lambda: deque(maxlen=WINDOW))
    _organisations: set[str] = field(default_factory=set)
    _moves: int = 0

    @property
    def name(self) -> str:
        """What its lease is called."""
        return f"events of {self.sibling.name} for projection {self.projection}"

    async def run(self, leases: Leases, stop: asyncio.Event) -> None:
        """Read whenever this process holds the lease, until told to stop."""
        await leases.run(self.name, self._read_on, stop)

    async def _read_on(self, _lease: Lease) -> None:
        await self._start_again()
        pause = PAUSE_SECONDS
        while True:
            moves = self._moves
            try:
                await self._read(self.wait_seconds)
            except CursorMovedError:
                log.info("another process reads", extra={"source": self.sibling.name})
            except (StoppedError, NotKeptError) as error:
                await self._stand_still(error)
            except FeedAwayError as error:
                log.warning("sibling cannot be read", extra={"source": self.sibling.name, "reason": str(error)})
            except Exception as error:
                if is_passing(error):
                    log.warning("events not applied now", extra={"source": self.sibling.name, "reason": str(error)})
                else:
                    log.exception("events not applied", extra={"source": self.sibling.name})
            pause = PAUSE_SECONDS if self._moves != moves else min(pause * 2, PAUSE_SECONDS_MAX)
            await asyncio.sleep(pause)

    async def read_to_head(self) -> Position:
        """Read as far as the log goes now, and return how far that was: to fill a new projection.

        What passes (a sibling or the database that is away) is waited for.
        """
        target: Position | None = None
        pause = PAUSE_SECONDS
        while True:
            moves = self._moves
            try:
                if target is None:
                    target = await self.sibling.head()
                reached = await self._read(0, until=target)
                if reached.epoch != target.epoch:
                    target = None
                elif reached.number >= target.number:
                    return reached
            except CursorMovedError:
                continue
            except Exception as error:
                if not (isinstance(error, FeedAwayError) or is_passing(error)):
                    raise
                log.warning("events not read now", extra={"source": self.sibling.name, "reason": str(error)})
                pause = PAUSE_SECONDS if self._moves != moves else min(pause * 2, PAUSE_SECONDS_MAX)
                await asyncio.sleep(pause)

    async def _read(self, wait_seconds: float, until: Position | None = None) -> Position:
        """Read batch after batch, fetching those that follow while one is applied."""
        asked = await self._position()
        fetched: asyncio.Queue[Batch | Exception] = asyncio.Queue(AHEAD)
        fetching = asyncio.ensure_future(self._fetch_on(asked, wait_seconds, until, fetched))
        try:
            while True:
                batch = await fetched.get()
                if isinstance(batch, EpochChangedError):
                    await self._read_again(asked, batch.head)
                    return Position(batch.head.epoch, 0)
                if isinstance(batch, Exception):
                    raise batch
                await self._apply(asked, batch)
                self._moves += 1
                turned()
                asked = batch.next
                if until is not None and asked >= until:
                    return asked
        finally:
            fetching.cancel()
            await asyncio.gather(fetching, return_exceptions=True)

    async def _fetch_on(
        self,
        after: Position,
        wait_seconds: float,
        until: Position | None,
        fetched: "asyncio.Queue[Batch | Exception]",
    ) -> None:
        """Fetch batch after batch as far as there is room for them; where that fails, why is the last to be had."""
        try:
            while True:
                batch = await self._fetch(after, wait_seconds)
                await fetched.put(batch)
                after = batch.next
                if until is not None and after >= until:
                    return
        except Exception as error:  # noqa: BLE001  (raised where it is had)
            await fetched.put(error)

    async def _fetch(self, after: Position, wait_seconds: float) -> Batch:
        return await self.sibling.read(after, types=self.handlers, limit=self.batch_size, wait_seconds=wait_seconds)

    async def _position(self) -> Position:
        """Return where to read on; a log never read before is begun at its start, in its present epoch."""
        async with self._begin() as tx:
            cursor = await self._row.read(tx)
        if cursor is None:
            head = await self.sibling.head()
            async with self._begin() as tx:
                await self._row.open(tx, head.epoch)
                cursor = await self._row.read(tx)
        if cursor is None:
            raise CursorMovedError
        return cursor.position

    async def _apply(self, asked: Position, batch: Batch) -> None:
        handled = [event for event in batch.events if event.type in self.handlers]
        try:
            async with self._begin(can_be_repeated=self.can_be_repeated) as tx:
                cursor = await self._locked(tx, asked)
                await apply_events(tx, self.sibling.name, handled, self.handlers)
                await self._move(tx, cursor, batch)
        except Exception as error:
            if not handled or not is_lasting(error):
                raise
            log.warning("batch is applied one by one", extra={"source": self.sibling.name, "reason": str(error)})
            await self._apply_one_by_one(asked, batch, handled)
        else:
            self._outcomes.extend([False] * len(handled))
            self._organisations.update(event.orgid for event in handled if event.orgid)

    async def _apply_one_by_one(self, asked: Position, batch: Batch, handled: list[Event]) -> None:
        async with self._begin() as tx:
            cursor = await self._locked(tx, asked)
            results = await apply_each(tx, self.sibling.name, handled, self.handlers, projection=self.projection)
            outcomes = [result == "quarantined" for result in results]
            self._refuse_a_bad_release(outcomes)
            await self._move(tx, cursor, batch)
        self._outcomes.extend(outcomes)

    def _refuse_a_bad_release(self, outcomes: list[bool]) -> None:
        """Stop, with nothing of the batch applied, when too much of what was read lately is put away."""
        window = [*self._outcomes, *outcomes][-WINDOW:]
        share = sum(window) / len(window)
        if len(window) >= WINDOW_MIN and share > self.quarantined_share_max:
            raise StoppedError(f"{share:.0%} of the last {len(window)} events could not be applied")

    async def _move(self, tx: Transaction, cursor: Cursor, batch: Batch) -> None:
        orgs = {event.orgid for event in batch.events if event.orgid and event.type in self.handlers}
        if unknown := sorted(orgs - self._organisations):
            await tx.run(_REMEMBER_ORGANISATIONS, source=self.sibling.name, orgs=unknown)
        reread_to = cursor.reread_to
        if reread_to is not None and batch.next.number >= reread_to:
            reread_to = None
            if self.reconcile is not None:
                for row in await tx.all(_ORGANISATIONS, source=self.sibling.name):
                    await tx.act_for(row["org"])
                    caller = Caller(org=row["org"], subject=f"events:{self.sibling.name}")
                    await self.reconcile(Transaction(tx.connection, caller, tx.now), batch.next.epoch)
        recorded_at = batch.events[-1].recordedtime if batch.events else None
        await self._row.move(tx, batch.next, head=batch.head, recorded_at=recorded_at, reread_to=reread_to)

    async def _read_again(self, asked: Position, head: Position) -> None:
        """Go back to the start: the sibling was restored, and its positions mean something else now."""
        log.warning("log has a new epoch and is read again", extra={"source": self.sibling.name, "head": str(head)})
        async with self._begin() as tx:
            await self._locked(tx, asked)
            await self._row.reread(tx, head)

    async def _locked(self, tx: Transaction, asked: Position) -> Cursor:
        cursor = await self._row.hold(tx)
        if cursor is None or cursor.position != asked:
            raise CursorMovedError
        return cursor

    async def _start_again(self) -> None:
        """Forget why reading stopped: this may be the release that puts it right."""
        self._outcomes.clear()
        async with self._begin() as tx:
            await self._row.say_stopped(tx, None)

    async def _stand_still(self, error: Exception) -> None:
        """Say why reading stopped, and wait until somebody clears that."""
        why = str(error) if isinstance(error, StoppedError) else f"the sibling no longer keeps what follows {error}"
        log.error("reading stopped", extra={"source": self.sibling.name, "reason": why})
        async with self._begin() as tx:
            await self._row.say_stopped(tx, why)
        stopped = True
        while stopped:
            await asyncio.sleep(STOPPED_POLL_SECONDS)
            with contextlib.suppress(*DATABASE_AWAY, Rejection):
                async with self._begin() as tx:
                    cursor = await self._row.read(tx)
                stopped = cursor is not None and cursor.stopped_because is not None
        self._outcomes.clear()

    @property
    def _row(self) -> CursorRow:
        return CursorRow(self.sibling.name, self.projection)

    def _begin(self, *, can_be_repeated: bool = False) -> contextlib.AbstractAsyncContextManager[Transaction]:
        return self.database.begin(Caller(org="", subject=self.name), can_be_repeated=can_be_repeated)
