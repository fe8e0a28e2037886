"""The tables behind events, the same in every service's database.

They live in a metadata of their own; a service's migrations create them with
`chassis.migrating.create_event_tables` and compare `[EVENT_METADATA, <its own metadata>]` with the database.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)

EVENT_METADATA = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s",
        "uq": "%(table_name)s_%(column_0_N_name)s_once",
        "ck": "%(table_name)s_%(constraint_name)s",
        "pk": "%(table_name)s_pkey",
    }
)


def _instant(name: str, *, nullable: bool = False, default_now: bool = False) -> Column[object]:
    server_default = func.now() if default_now else None
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=server_default)


def _event_columns() -> list[Column[object]]:
    """Return what an event says, pending or logged; `data` is the resource as JSON text, never reordered."""
    return [
        Column("id", Uuid, nullable=False),
        Column("org", Text, nullable=False),
        Column("type", Text, nullable=False),
        Column("subject", Text, nullable=False),
        _instant("time"),
        Column("partitionkey", Uuid, nullable=False),
        Column("aggregateversion", BigInteger),
        Column("correlationid", Text),
        Column("causationid", Text),
        Column("traceparent", Text),
        _instant("recorded_at", default_now=True),
        Column("data", JSON, nullable=False),
    ]


# Written in the transaction of the change; `seq` only keeps the order of one writer, it is no cursor.
event_pending = Table(
    "event_pending",
    EVENT_METADATA,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    *_event_columns(),
)

# Gapless: a position exists only for what was committed. Partitioned, so nothing but the position is unique.
event_log = Table(
    "event_log",
    EVENT_METADATA,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("epoch", Integer, nullable=False),
    *_event_columns(),
    Index(None, "id"),
    Index(None, "org", "position"),
    postgresql_partition_by="RANGE (position)",
)

# One row: the last position given out, the epoch that is raised when a database is restored to the past,
# and from where on the log is kept.
event_head = Table(
    "event_head",
    EVENT_METADATA,
    Column("single", Boolean, primary_key=True, server_default=text("true")),
    Column("epoch", Integer, nullable=False, server_default=text("1")),
    Column("position", BigInteger, nullable=False, server_default=text("0")),
    Column("kept_from", BigInteger, nullable=False, server_default=text("1")),
    _instant("kept_since", nullable=True),
    CheckConstraint("single", name="one_row"),
)

# The order within a resource: the writer advances this row before it inserts the event.
event_version = Table(
    "event_version",
    EVENT_METADATA,
    Column("org", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    PrimaryKeyConstraint("org", "subject"),
)

# How far a sibling's log has been read, for each projection that is being filled from it; `reread_to` is set
# while a log of a new epoch is read again from its start.
event_cursor = Table(
    "event_cursor",
    EVENT_METADATA,
    Column("source", Text, nullable=False),
    Column("projection", Integer, nullable=False, server_default=text("1")),
    Column("epoch", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    _instant("moved_at", nullable=True),
    _instant("event_recorded_at", nullable=True),
    Column("head_position", BigInteger, nullable=False, server_default=text("0")),
    _instant("head_seen_at", nullable=True),
    _instant("caught_up_at", nullable=True),
    Column("reread_to", BigInteger),
    Column("stopped_because", Text),
    PrimaryKeyConstraint("source", "projection"),
)

# The organisations for which a source's events were applied: a worker cannot find them in tables it may not see.
event_organisation = Table(
    "event_organisation",
    EVENT_METADATA,
    Column("source", Text, nullable=False),
    Column("org", Text, nullable=False),
    PrimaryKeyConstraint("source", "org"),
)

# Effects of events that are no projections happen once: recorded in the transaction of the effect.
event_effect = Table(
    "event_effect",
    EVENT_METADATA,
    Column("source", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("org", Text, nullable=False),
    _instant("applied_at", default_now=True),
    PrimaryKeyConstraint("org", "source", "event_id"),
)

# Events that will never apply as they are, with the reason; `event` is the CloudEvent as it was read.
quarantine = Table(
    "quarantine",
    EVENT_METADATA,
    Column("id", Uuid, primary_key=True),
    Column("org", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("projection", Integer, nullable=False, server_default=text("1")),
    Column("event_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("epoch", Integer),
    Column("position", BigInteger),
    Column("code", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("1")),
    _instant("quarantined_at", default_now=True),
    _instant("applied_at", nullable=True),
    Column("event", JSON, nullable=False),
    UniqueConstraint("org", "source", "projection", "event_id"),
    Index(None, "org", "id"),
)

# Which process does a piece of work; the token rises with each change of holder and fences the old one off.
lease = Table(
    "lease",
    EVENT_METADATA,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("token", BigInteger, nullable=False),
    _instant("until"),
)
