"""The only way to change a resource: row, version and event in one statement (`chassis.write_statements`)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from sqlalchemy import Select

from chassis import ids
from chassis.caller import IdempotencyKey
from chassis.database import Transaction, unnested
from chassis.events.sizes import too_large
from chassis.keys import IN_FORCE, kept_with
from chassis.merging import differing
from chassis.outcome import Written
from chassis.reading import find_to_change, stale
from chassis.rejection import not_found
from chassis.resource import Resource
from chassis.write_statements import EVENT_FIELDS, Beside, Step, statement_of


class Row(NamedTuple):
    """One row to write: `verb` and `change` describe its event, `at` says when it happened (now, if not said).

    `expected` is the version the caller has seen; None writes whatever the version is.
    """

    id: UUID
    values: Mapping[str, Any]
    verb: str
    at: datetime | None = None
    change: Mapping[str, Any] | None = None
    expected: int | None = None


async def insert_one(
    tx: Transaction,
    resource: Resource,
    values: Mapping[str, Any],
    *,
    verb: str = "created",
    at: datetime | None = None,
    change: Mapping[str, Any] | None = None,
    id_: UUID | None = None,
) -> Written:
    """Add a resource; constraints that refuse it are rejections by `resource.constraints`.

    `id_` is that of a resource which another service has named; a new one, if not said.
    """
    row = Row(id=id_ or ids.new_id(), values=values, verb=verb, at=at, change=change)
    return _shown(resource, "insert", row, await _write(tx, resource, "insert", [row]))


async def add(
    tx: Transaction,
    resource: Resource,
    values: Mapping[str, Any],
    *,
    id_: UUID | None = None,
    verb: str = "created",
    at: datetime | None = None,
    beside: Beside | None = None,
) -> Written:
    """Add a resource as the last that an operation does: the statement also keeps its answer under the caller's key.

    It does what `insert_one` and `conclude` do, with one round trip less; `beside` saves that of a further table.
    """
    row = Row(id=id_ or ids.new_id(), values=values, verb=verb, at=at)
    records = await _write(tx, resource, "insert", [row], keeps=tx.caller.idempotency, beside=beside)
    tx.concluded = True
    return _shown(resource, "insert", row, records)


async def add_where(
    tx: Transaction, resource: Resource, values: Mapping[str, Any], where: Select[Any], **named: Any
) -> Written | None:
    """Do what `add` does with the columns that a selection of at most one row adds to `values`.

    `named` are the selection's own bind parameters. Where it finds no row, nothing is written, and None is given.
    """
    row = Row(id=ids.new_id(), values=values, verb="created")
    records = await _write(tx, resource, "insert", [row], keeps=tx.caller.idempotency, where=where, named=named)
    if not records:
        return None
    tx.concluded = True
    return _shown(resource, "insert", row, records)


async def update_one(
    tx: Transaction,
    resource: Resource,
    id_: UUID,
    values: Mapping[str, Any],
    *,
    expected: int | None = None,
    verb: str = "updated",
    at: datetime | None = None,
    change: Mapping[str, Any] | None = None,
) -> Written:
    """Change a resource, if its version is still `expected`; else `stale` with the current representation."""
    row = Row(id=id_, values=values, verb=verb, at=at, change=change, expected=expected)
    records = await _write(tx, resource, "update", [row])
    return _shown(resource, "update", row, records) if records else await _gone_or_stale(tx, resource, id_)


async def revise(tx: Transaction, resource: Resource, row: Any, changes: Mapping[str, Any]) -> Written:
    """Change a row that `get_to_change` gave in the columns named; what is equal has no new version and no event."""
    anew = differing(row, changes)
    if not anew:
        return Written(body=row["body"], id=row["id"], version=row["version"])
    return await update_one(tx, resource, row["id"], anew)


async def delete_one(tx: Transaction, resource: Resource, id_: UUID, *, expected: int | None = None) -> Written:
    """Delete a resource that may still be deleted; its event carries the last representation."""
    row = Row(id=id_, values={}, verb="deleted", expected=expected)
    records = await _write(tx, resource, "delete", [row])
    return _shown(resource, "delete", row, records) if records else await _gone_or_stale(tx, resource, id_)


async def insert_many(tx: Transaction, resource: Resource, rows: Sequence[Row]) -> list[Any]:
    """Add resources of one shape (the same columns) in one statement.

    Gives `id`, `version` and `event_id` of each, in the order given.
    """
    return await _write(tx, resource, "insert", rows)


async def update_many(tx: Transaction, resource: Resource, rows: Sequence[Row]) -> list[Any]:
    """Change resources of one shape in one statement, and give what `insert_many` does; not of rows gone or stale."""
    return await _write(tx, resource, "update", rows)


async def _write(
    tx: Transaction,
    resource: Resource,
    step: Step,
    rows: Sequence[Row],
    *,
    keeps: IdempotencyKey | None = None,
    beside: Beside | None = None,
    where: Select[Any] | None = None,
    named: Mapping[str, Any] | None = None,
) -> list[Any]:
    if not rows:
        return []
    columns = tuple(rows[0].values)
    statement = statement_of(
        resource, step, columns, many=len(rows) > 1, keeps=keeps is not None, beside=beside, where=where
    )
    caller = tx.caller
    values: dict[str, Any] = {
        "caller_org": caller.org,
        "caller_now": tx.now,
        "caller_correlation": caller.correlation_id,
        "caller_causation": caller.causation_id,
        "caller_trace": caller.traceparent,
        **(named or {}),
    }
    names = (*(f"v_{name}" for name, _ in EVENT_FIELDS), *(f"v_{name}" for name in columns))
    lines = [_line(row, columns, tx.now) for row in rows]
    values.update(zip(names, map(unnested, zip(*lines, strict=True)) if len(lines) > 1 else lines[0], strict=True))
    if keeps is not None:
        values |= kept_with(tx, keeps) | {"location": resource.location(rows[0].id, rows[0].values)}
    try:
        records = await tx.all(statement, **values)
    except asyncpg.IntegrityConstraintViolationError as error:
        refusal = resource.refusal(error.constraint_name)
        if refusal is None:
            raise
        raise refusal from error
    if any(record["event_id"] is None or record["version_before"] != record["version"] - 1 for record in records):
        raise RuntimeError(f"the event versions of {resource.collection} are out of step with its rows")
    if step != "delete" and any(record["event_bytes"] > resource.room for record in records):
        _refuse_too_large(resource, rows, records)
    if keeps is not None and records and not records[0]["kept"]:
        raise IN_FORCE.anew()
    return records


def _refuse_too_large(resource: Resource, rows: Sequence[Row], records: Sequence[Any]) -> None:
    """Refuse what would be told in an event that is larger than it may be."""
    sizes = {record["id"]: record["event_bytes"] for record in records}
    for row in rows:
        shown = {name: value for name, value in row.values.items() if name in resource.fields}
        refusal = too_large(resource.called, shown, row.change, sizes.get(row.id, 0), resource.room)
        if refusal is not None:
            raise refusal


def _line(row: Row, columns: tuple[str, ...], now: datetime) -> tuple[Any, ...]:
    """Return what a row brings along for its event, then its columns."""
    values = row.values
    return (row.id, row.verb, row.at or now, row.change, row.expected, *[values[name] for name in columns])


def _shown(resource: Resource, step: Step, row: Row, records: Sequence[Any]) -> Written:
    """Return the one resource that was written as its writer is answered: what was deleted as it was last."""
    (record,) = records
    return Written(
        body=record["body"],
        id=record["id"],
        version=record["version_before"] if step == "delete" else record["version"],
        event_id=record["event_id"],
        location=resource.location(row.id, row.values) if step == "insert" else None,
    )


async def _gone_or_stale(tx: Transaction, resource: Resource, id_: UUID) -> Written:
    current = await find_to_change(tx, resource, id_)
    if current is None:
        raise not_found(resource.called)
    raise stale(current)
