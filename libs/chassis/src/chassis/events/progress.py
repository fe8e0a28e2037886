"""How far the logs of siblings have been read."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from chassis.database import Reading, Statement, Transaction
from chassis.events.position import Position

FIRST_PROJECTION = 1

_OPEN = Statement(
    text(
        """INSERT INTO event_cursor (source, projection, epoch, position)
        VALUES (:source, cast(:projection AS integer), cast(:epoch AS integer), 0) ON CONFLICT DO NOTHING"""
    )
)
_READ_TEXT = """SELECT epoch, position, reread_to, stopped_because FROM event_cursor
    WHERE source = :source AND projection = cast(:projection AS integer)"""
_READ = Statement(text(_READ_TEXT))
_LOCK = Statement(text(_READ_TEXT + " FOR UPDATE"))
_MOVE = Statement(
    text(
        """UPDATE event_cursor SET
            epoch = cast(:epoch AS integer), position = cast(:position AS bigint),
            moved_at = CASE WHEN position = cast(:position AS bigint) THEN moved_at
                       ELSE cast(:now AS timestamptz) END,
            event_recorded_at = coalesce(cast(:recorded_at AS timestamptz), event_recorded_at),
            head_position = cast(:head AS bigint), head_seen_at = cast(:now AS timestamptz),
            caught_up_at = CASE WHEN cast(:position AS bigint) >= cast(:head AS bigint)
                           THEN cast(:now AS timestamptz) ELSE caught_up_at END,
            reread_to = cast(:reread_to AS bigint), stopped_because = NULL
        WHERE source = :source AND projection = cast(:projection AS integer)"""
    )
)
_REREAD = Statement(
    text(
        """UPDATE event_cursor SET epoch = cast(:epoch AS integer), position = 0, moved_at = cast(:now AS timestamptz),
            head_position = cast(:head AS bigint), head_seen_at = cast(:now AS timestamptz),
            event_recorded_at = NULL, reread_to = cast(:head AS bigint)
        WHERE source = :source AND projection = cast(:projection AS integer)"""
    )
)
_SAY_STOPPED = Statement(
    text(
        """UPDATE event_cursor SET stopped_because = cast(:why AS text)
        WHERE source = :source AND projection = cast(:projection AS integer)"""
    )
)
_PROGRESS = Statement(
    text(
        """SELECT source, projection, epoch, position, head_position, head_seen_at, event_recorded_at, reread_to,
            stopped_because, greatest(caught_up_at, event_recorded_at) AS read_up_to,
            (SELECT count(*) FROM quarantine AS held WHERE held.applied_at IS NULL
                AND held.source = event_cursor.source AND held.projection = event_cursor.projection) AS quarantined
        FROM event_cursor ORDER BY source, projection"""
    )
)


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a source has been read; `reread_to` is set while a log of a new epoch is read again."""

    position: Position
    reread_to: int | None
    stopped_because: str | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a source has been read, against its head when it was last seen."""

    source: str
    projection: int
    position: Position
    head: Position
    head_seen_at: datetime | None
    lag_positions: int
    lag_seconds: float
    as_of: datetime | None
    quarantined: int
    rereading: bool
    stopped_because: str | None


@dataclass(frozen=True, slots=True)
class CursorRow:
    """The row that remembers how far a source has been read for one projection."""

    source: str
    projection: int = FIRST_PROJECTION

    async def open(self, tx: Transaction, epoch: int) -> None:
        """Make the row, at the start of the log, unless there is one."""
        await tx.run(_OPEN, source=self.source, projection=self.projection, epoch=epoch)

    async def read(self, tx: Reading) -> Cursor | None:
        """Return the row, or None."""
        return await self._read(tx, _READ)

    async def hold(self, tx: Transaction) -> Cursor | None:
        """Lock the row and return it, or None."""
        return await self._read(tx, _LOCK)

    async def move(
        self, tx: Transaction, to: Position, *, head: Position, recorded_at: datetime | None, reread_to: int | None
    ) -> None:
        """Go on to a position."""
        await tx.run(
            _MOVE,
            source=self.source,
            projection=self.projection,
            epoch=to.epoch,
            position=to.number,
            head=head.number,
            recorded_at=recorded_at,
            reread_to=reread_to,
            now=tx.now,
        )

    async def reread(self, tx: Transaction, head: Position) -> None:
        """Go back to the start of a log that is in a new epoch."""
        await tx.run(
            _REREAD,
            source=self.source,
            projection=self.projection,
            epoch=head.epoch,
            head=head.number,
            now=tx.now,
        )

    async def say_stopped(self, tx: Transaction, why: str | None) -> None:
        """Say why reading does not get on; None sets it going again."""
        await tx.run(_SAY_STOPPED, source=self.source, projection=self.projection, why=why)

    async def _read(self, tx: Reading, statement: Statement) -> Cursor | None:
        row = await tx.one(statement, source=self.source, projection=self.projection)
        if row is None:
            return None
        return Cursor(Position(row["epoch"], row["position"]), row["reread_to"], row["stopped_because"])


async def progress(tx: Reading) -> list[Progress]:
    """Return how far each source has been read; quarantined events are those the caller may see.

    The lag in seconds is the time for which something unread may have been waiting: since the log was last read to
    its end, or since the last event read was recorded.
    """
    return [
        Progress(
            source=row["source"],
            projection=row["projection"],
            position=Position(row["epoch"], row["position"]),
            head=Position(row["epoch"], row["head_position"]),
            head_seen_at=row["head_seen_at"],
            lag_positions=(behind := max(row["head_position"] - row["position"], 0)),
            lag_seconds=max((tx.now - row["read_up_to"]).total_seconds(), 0.0)
            if behind and row["read_up_to"] is not None
            else 0.0,
            as_of=row["read_up_to"],
            quarantined=row["quarantined"],
            rereading=row["reread_to"] is not None,
            stopped_because=row["stopped_because"],
        )
        for row in await tx.all(_PROGRESS)
    ]
