"""What clients see of how far the sources have been read."""

from chassis.schemas import Instant, Output


class SourceProgress(Output):
    """How far one source's log has been read."""

    source: str
    position: str
    head: str
    """The end of the log when it was last seen."""
    head_seen_at: Instant | None
    lag_positions: int
    lag_seconds: str
    """For how long something unread may have been waiting."""
    as_of: Instant | None
    """The answers hold what was recorded up to then."""
    quarantined: int
    """Events of your organisation that were put away instead of applied."""
    rereading: bool
    stopped_because: str | None


class ProjectionProgress(Output):
    """How far the facts that answer, and those being filled anew, have got."""

    projection: int
    """The filling of the facts that answers."""
    items: list[SourceProgress]
    next: None
    rebuilding: list[SourceProgress]
    """A filling that is being read in to answer later."""
