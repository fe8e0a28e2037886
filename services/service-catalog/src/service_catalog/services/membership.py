"""Resources of other slices that belong to several services, whose ids they keep as one array."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    Select,
    Table,
    Text,
    Uuid,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from chassis.database import Transaction
from chassis.rejection import Fault, Rejection, invalid
from chassis.resource import Instant
from service_catalog.services.directory import Known, find_services

Span = tuple[datetime, datetime | None]
"""When something begins, and when it is over; None where that is open."""


def names(service_ids: Column[Any], wanted: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the condition that a resource names a service."""
    return service_ids.op("@>")(func.jsonb_build_array(cast(cast(wanted, Uuid), Text), type_=JSONB))


def claims(table: Table, states: Sequence[str], running: str) -> Select[Any]:
    """Return the statement that finds who claims time of services: `most` of them, and their `number` in all.

    Those are in one of the states, name any of the services `claimed` and occupy them for a span that overlaps the one
    from `since` to `until`, its end excluded; `but` is left out. What has begun does so from then on; what is in the
    state `running` and past its planned end at `now` does so until it ends, which is `open`.
    """
    # Written out, so that the planner sees that the partial index holds what is looked for.
    shown = ("id", "title", "state", "planned_start", "planned_end", "actual_start", "service_ids")
    begin = func.coalesce(table.c.actual_start, table.c.planned_start)
    is_over_time = func.coalesce(table.c.planned_end <= bindparam("now", type_=Instant), literal_column("true"))
    is_open = (table.c.state == literal_column(f"'{running}'")) & table.c.actual_end.is_(None) & is_over_time
    for_ever: ColumnElement[Any] = literal_column("'infinity'::timestamptz")
    end = case((is_open, for_ever), else_=func.coalesce(table.c.actual_end, table.c.planned_end))
    return (
        select(
            *(table.c[name] for name in shown),
            begin.label("begin"),
            is_open.label("open"),
            func.count().over().label("number"),
        )
        .where(
            table.c.state.in_([literal_column(f"'{state}'") for state in states]),
            begin < func.coalesce(bindparam("until", type_=Instant), for_ever),
            end > bindparam("since", type_=Instant),
            table.c.service_ids.has_any(bindparam("claimed", type_=ARRAY(Text))),
            table.c.id.is_distinct_from(bindparam("but", type_=Uuid)),
        )
        .limit(bindparam("most", type_=Integer))
    )


async def existing_services(tx: Transaction, service_ids: Sequence[UUID]) -> list[str]:
    """Return services as they are kept, each once; refuse those that do not exist."""
    known = await find_services(tx, ids=service_ids)
    kept, faults = named_services(service_ids, (), known)
    if faults:
        raise invalid(*faults)
    return kept


def named_services(ids: Sequence[UUID], keys: Sequence[str], known: Known) -> tuple[list[str], list[Fault]]:
    """Return services named by ids or keys as they are kept, each once, and which of them do not exist."""
    found: dict[str, None] = {}
    faults: list[Fault] = []
    wanted = [("service_ids", place, known.id_of(id_, None)) for place, id_ in enumerate(ids)]
    wanted += [("service_keys", place, known.id_of(None, key)) for place, key in enumerate(keys)]
    for name, place, service in wanted:
        if isinstance(service, Rejection):
            faults.append(Fault(f"/{name}/{place}", "reference-unknown", "There is no such service."))
        else:
            found[str(service)] = None
    return list(found), faults


def services_of_item(
    ids: Sequence[UUID] | None, keys: Sequence[str] | None, row: Any, known: Known
) -> tuple[list[str], list[Fault]]:
    """Return the services that a batch's item names; one that is known already may leave them unsaid."""
    if ids is None and keys is None:
        if row is not None:
            return row["service_ids"], []
        return [], [Fault("/service_ids", "missing", "The services are named by service_ids or service_keys.")]
    kept, faults = named_services(ids or (), keys or (), known)
    return in_order_of(row, kept), faults


def in_order_of(row: Any, service_ids: list[str]) -> list[str]:
    """Return services in the order in which a resource has them already, if these are the same: they are a set."""
    if row is not None and sorted(row["service_ids"]) == sorted(service_ids):
        return list(row["service_ids"])
    return service_ids
