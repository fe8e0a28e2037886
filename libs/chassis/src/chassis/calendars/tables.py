"""The table of calendars."""

from sqlalchemy import Column, Index, MetaData, Numeric, Text, UniqueConstraint

from chassis.resource import JsonDocument, Resource, columns_as_fields, tenant_table

SORTS = ("created_at", "updated_at", "name")
ROOM = 52 * 1024  # what freezes a calendar says something beside it


def calendar_resource(metadata: MetaData) -> Resource:
    """Return the calendars of one service.

    `own_*` columns hold what the client gave; beside them stands what follows from it: holidays with those of the
    country, hours derived from the week.
    """
    table = tenant_table(
        "calendar",
        metadata,
        Column("name", Text, nullable=False),
        Column("timezone", Text, nullable=False),
        Column("weekly", JsonDocument, nullable=False),
        Column("own_holidays", JsonDocument, nullable=False),
        Column("holidays", JsonDocument, nullable=False),
        Column("holiday_country", Text),
        Column("holiday_subdivision", Text),
        Column("exceptions", JsonDocument, nullable=False),
        Column("own_hours_per_day", Numeric),
        Column("own_hours_per_week", Numeric),
        Column("hours_per_day", Numeric, nullable=False),
        Column("hours_per_week", Numeric, nullable=False),
        UniqueConstraint("org", "external_source", "external_id", name="calendar_external_key"),
        Index("calendar_created_at", "org", "created_at", "id"),
        Index("calendar_name", "org", "name", "id"),
        Index("calendar_updated_at", "org", "updated_at", "id"),
    )
    hidden = frozenset({"own_holidays", "own_hours_per_day", "own_hours_per_week"})
    return Resource(
        collection="calendars",
        noun="calendar",
        table=table,
        fields=columns_as_fields(table, leaving_out=hidden),
        sorts=SORTS,
        search=("name",),
        room=ROOM,
    )
